// Where the core's memory comes from: the owner. The core itself has no malloc.
#ifndef KCP_MEMORY_H
#define KCP_MEMORY_H

#include <stddef.h>
#include <stdint.h>

// get: n_bytes aligned for any type, or NULL: there is none (what was to be stored is refused, and
// counted). put: takes back what get gave, with the same n_bytes. packet_bytes: what holds a packet or
// a part of one is taken in blocks of so many bytes or more, so that they can be used again for
// another; 0: as many as it has.
typedef struct {
    void *owner;
    void *(*get)(void *owner, size_t n_bytes);
    void (*put)(void *owner, void *block, size_t n_bytes);
    size_t packet_bytes;
} kcp_memory_t;

// Bytes of the block for n bytes of a packet.
static inline size_t kcp_packet_bytes(const kcp_memory_t *memory, size_t n) {
    return n > memory->packet_bytes ? n : memory->packet_bytes;
}

static inline void *kcp_get_packet(const kcp_memory_t *memory, size_t n) {
    return memory->get(memory->owner, kcp_packet_bytes(memory, n));
}

static inline void kcp_put_packet(const kcp_memory_t *memory, void *block, size_t n) {
    memory->put(memory->owner, block, kcp_packet_bytes(memory, n));
}

// A limit that several sessions share: bytes received and not read.
typedef struct {
    uint32_t used_bytes;
    uint32_t limit_bytes;
} kcp_budget_t;

#endif
