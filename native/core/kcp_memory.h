// Where the core's memory comes from: the owner. The core itself has no malloc.
#ifndef KCP_MEMORY_H
#define KCP_MEMORY_H

#include <stddef.h>
#include <stdint.h>

// get: n_bytes aligned for any type, or NULL: there is none (what was to be stored is refused, and
// counted). put: takes back what get gave, with the same n_bytes.
typedef struct {
    void *owner;
    void *(*get)(void *owner, size_t n_bytes);
    void (*put)(void *owner, void *block, size_t n_bytes);
} kcp_memory_t;

// A limit that several sessions share: bytes received and not read.
typedef struct {
    uint32_t used_bytes;
    uint32_t limit_bytes;
} kcp_budget_t;

#endif
