// Words of 32 bits in memory, in a stated order and at any address. Compilers make one load of each
// where the machine allows that.
#ifndef KCP_BYTES_H
#define KCP_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t kcp_le32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void kcp_put_le32(uint8_t *p, uint32_t x) {
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
}

static inline uint32_t kcp_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void kcp_put_be32(uint8_t *p, uint32_t x) {
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

// n: 1 to 31
static inline uint32_t kcp_rol(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

static inline uint32_t kcp_ror(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

#endif
