// The small block ciphers: TEA and XTEA (no tables), SM4.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_tables.h"

#define DELTA (0x9e3779b9u)

#if KCP_TEA

// Wheeler and Needham, 1994; 8 cycles, what kcp-go asks its library for as 16 rounds.
#define TEA_CYCLES (8)

void kcp_tea_init(kcp_tea_t *tea, const uint8_t *key) {
    for (int i = 0; i < 4; i++) {
        tea->key[i] = kcp_be32(key + 4 * i);
    }
}

void kcp_tea_block(const void *ctx, uint8_t *block) {
    const uint32_t *k = ((const kcp_tea_t *)ctx)->key;
    uint32_t y = kcp_be32(block), z = kcp_be32(block + 4), sum = 0;
    for (int i = 0; i < TEA_CYCLES; i++) {
        sum += DELTA;
        y += ((z << 4) + k[0]) ^ (z + sum) ^ ((z >> 5) + k[1]);
        z += ((y << 4) + k[2]) ^ (y + sum) ^ ((y >> 5) + k[3]);
    }
    kcp_put_be32(block, y);
    kcp_put_be32(block + 4, z);
}

#endif

#if KCP_XTEA

// Needham and Wheeler, 1997: 32 cycles.
void kcp_xtea_init(kcp_xtea_t *xtea, const uint8_t *key) {
    uint32_t sum = 0;
    for (int i = 0; i < 64; i += 2) {
        xtea->keys[i] = sum + kcp_be32(key + 4 * (sum & 3));
        sum += DELTA;
        xtea->keys[i + 1] = sum + kcp_be32(key + 4 * (sum >> 11 & 3));
    }
}

void kcp_xtea_block(const void *ctx, uint8_t *block) {
    const uint32_t *k = ((const kcp_xtea_t *)ctx)->keys;
    uint32_t y = kcp_be32(block), z = kcp_be32(block + 4);
    for (int i = 0; i < 64; i += 2) {
        y += ((z << 4 ^ z >> 5) + z) ^ k[i];
        z += ((y << 4 ^ y >> 5) + y) ^ k[i + 1];
    }
    kcp_put_be32(block, y);
    kcp_put_be32(block + 4, z);
}

#endif

#if KCP_SM4

// GB/T 32907-2016.
static uint32_t sm4_substituted(uint32_t x) {
    return (uint32_t)kcp_sm4_sbox[x >> 24] << 24 | (uint32_t)kcp_sm4_sbox[x >> 16 & 255] << 16
        | (uint32_t)kcp_sm4_sbox[x >> 8 & 255] << 8 | kcp_sm4_sbox[x & 255];
}

void kcp_sm4_init(kcp_sm4_t *sm4, const uint8_t *key) {
    uint32_t k[4] = {
        kcp_be32(key) ^ 0xa3b1bac6, kcp_be32(key + 4) ^ 0x56aa3350,
        kcp_be32(key + 8) ^ 0x677d9197, kcp_be32(key + 12) ^ 0xb27022dc,
    };
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t x = 0;
        for (uint32_t j = 0; j < 4; j++) {
            x = x << 8 | ((4 * i + j) * 7 & 255); // the constant CK
        }
        x = sm4_substituted(x ^ k[1] ^ k[2] ^ k[3]);
        x ^= k[0] ^ kcp_rol(x, 13) ^ kcp_rol(x, 23);
        k[0] = k[1];
        k[1] = k[2];
        k[2] = k[3];
        sm4->keys[i] = k[3] = x;
    }
}

void kcp_sm4_block(const void *ctx, uint8_t *block) {
    const uint32_t *k = ((const kcp_sm4_t *)ctx)->keys;
    uint32_t a = kcp_be32(block), b = kcp_be32(block + 4);
    uint32_t c = kcp_be32(block + 8), d = kcp_be32(block + 12);
    for (int i = 0; i < 32; i++) {
        uint32_t x = sm4_substituted(b ^ c ^ d ^ k[i]);
        x ^= a ^ kcp_rol(x, 2) ^ kcp_rol(x, 10) ^ kcp_rol(x, 18) ^ kcp_rol(x, 24);
        a = b;
        b = c;
        c = d;
        d = x;
    }
    kcp_put_be32(block, d); // the words leave in reverse
    kcp_put_be32(block + 4, c);
    kcp_put_be32(block + 8, b);
    kcp_put_be32(block + 12, a);
}

#endif
