// Blowfish (Schneier, 1994), by its tables of 4 KiB, which depend on the key.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_tables.h"

#if KCP_BLOWFISH

static void encrypt(const kcp_blowfish_t *blowfish, uint32_t *left, uint32_t *right) {
    const uint32_t *p = blowfish->p, *s0 = blowfish->s[0], *s1 = blowfish->s[1];
    const uint32_t *s2 = blowfish->s[2], *s3 = blowfish->s[3];
    uint32_t x = *left ^ p[0], y = *right;
    for (int i = 1; i < 17; i += 2) {
        y ^= (((s0[x >> 24] + s1[x >> 16 & 255]) ^ s2[x >> 8 & 255]) + s3[x & 255]) ^ p[i];
        x ^= (((s0[y >> 24] + s1[y >> 16 & 255]) ^ s2[y >> 8 & 255]) + s3[y & 255]) ^ p[i + 1];
    }
    *left = y ^ p[17];
    *right = x;
}

void kcp_blowfish_init(kcp_blowfish_t *blowfish, const uint8_t *key, size_t n_key) {
    uint32_t x = 0, y = 0;
    size_t at = 0;
    memcpy(blowfish->s, kcp_blowfish_s, sizeof(blowfish->s));
    for (int i = 0; i < 18; i++) {
        uint32_t word = 0;
        for (int j = 0; j < 4; j++) {
            word = word << 8 | key[at];
            at = at + 1 == n_key ? 0 : at + 1;
        }
        blowfish->p[i] = kcp_blowfish_p[i] ^ word;
    }
    for (int i = 0; i < 18; i += 2) {
        encrypt(blowfish, &x, &y);
        blowfish->p[i] = x;
        blowfish->p[i + 1] = y;
    }
    for (int box = 0; box < 4; box++) {
        for (int i = 0; i < 256; i += 2) {
            encrypt(blowfish, &x, &y);
            blowfish->s[box][i] = x;
            blowfish->s[box][i + 1] = y;
        }
    }
}

void kcp_blowfish_block(const void *ctx, uint8_t *block) {
    uint32_t x = kcp_be32(block), y = kcp_be32(block + 4);
    encrypt(ctx, &x, &y);
    kcp_put_be32(block, x);
    kcp_put_be32(block + 4, y);
}

#endif
