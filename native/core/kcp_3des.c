// Three-key triple DES (FIPS 46-3; SP 800-67), by eight tables of 64 words (S-boxes and P).
//
// As in lib/kcp/crypt/tripledes.py the halves are kept rotated right by three bits: then the
// expansion E gives four of its groups of six bits in the four bytes of the half, and the other
// four when it is rotated left by four bits more.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_tables.h"

#if KCP_3DES

static const uint8_t shifts[16] = {1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1};

// Bit number `position` (from 1 on, from the left) of n_bits bits.
static uint32_t bit(uint64_t x, int n_bits, int position) {
    return (uint32_t)(x >> (n_bits - position)) & 1;
}

static void schedule(uint32_t (*keys)[2], const uint8_t *key) {
    uint64_t x = (uint64_t)kcp_be32(key) << 32 | kcp_be32(key + 4);
    uint32_t c = 0, d = 0;
    for (int i = 0; i < 28; i++) {
        c = c << 1 | bit(x, 64, kcp_des_pc1[i]);
        d = d << 1 | bit(x, 64, kcp_des_pc1[28 + i]);
    }
    for (int round = 0; round < 16; round++) {
        int n = shifts[round];
        c = (c << n | c >> (28 - n)) & 0xfffffff;
        d = (d << n | d >> (28 - n)) & 0xfffffff;
        x = (uint64_t)c << 28 | d;
        keys[round][0] = keys[round][1] = 0;
        for (int group = 0; group < 8; group++) {
            uint32_t six = 0;
            for (int i = 0; i < 6; i++) {
                six = six << 1 | bit(x, 56, kcp_des_pc2[6 * group + i]);
            }
            keys[round][group & 1] = keys[round][group & 1] << 8 | six;
        }
    }
}

void kcp_3des_init(kcp_3des_t *des, const uint8_t *key) {
    uint32_t turned[16][2];
    schedule(des->keys[0], key);
    schedule(turned, key + 8);
    schedule(des->keys[2], key + 16);
    for (int i = 0; i < 16; i++) { // the second pass decrypts
        des->keys[1][i][0] = turned[15 - i][0];
        des->keys[1][i][1] = turned[15 - i][1];
    }
}

// Exchange bits between two words: those of x that mask << shift takes, with those of y in mask.
static void exchange(uint32_t *x, uint32_t *y, int shift, uint32_t mask) {
    uint32_t t = (*x >> shift ^ *y) & mask;
    *y ^= t;
    *x ^= t << shift;
}

static uint32_t substituted(uint32_t half, const uint32_t *key) {
    uint32_t t = half ^ key[0], u = kcp_rol(half, 4) ^ key[1];
    return kcp_des_sp[0][t >> 24 & 63] ^ kcp_des_sp[2][t >> 16 & 63]
        ^ kcp_des_sp[4][t >> 8 & 63] ^ kcp_des_sp[6][t & 63]
        ^ kcp_des_sp[1][u >> 24 & 63] ^ kcp_des_sp[3][u >> 16 & 63]
        ^ kcp_des_sp[5][u >> 8 & 63] ^ kcp_des_sp[7][u & 63];
}

void kcp_3des_block(const void *ctx, uint8_t *block) {
    const kcp_3des_t *des = ctx;
    uint32_t x = kcp_be32(block), y = kcp_be32(block + 4);
    exchange(&x, &y, 4, 0x0f0f0f0f); // the initial permutation
    exchange(&x, &y, 16, 0x0000ffff);
    exchange(&y, &x, 2, 0x33333333);
    exchange(&y, &x, 8, 0x00ff00ff);
    exchange(&x, &y, 1, 0x55555555);
    x = kcp_ror(x, 3);
    y = kcp_ror(y, 3);
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < 16; i += 2) {
            x ^= substituted(y, des->keys[pass][i]);
            y ^= substituted(x, des->keys[pass][i + 1]);
        }
        uint32_t t = x;
        x = y;
        y = t;
    }
    x = kcp_rol(x, 3);
    y = kcp_rol(y, 3);
    exchange(&x, &y, 1, 0x55555555); // and its inverse
    exchange(&y, &x, 8, 0x00ff00ff);
    exchange(&y, &x, 2, 0x33333333);
    exchange(&x, &y, 16, 0x0000ffff);
    exchange(&x, &y, 4, 0x0f0f0f0f);
    kcp_put_be32(block, x);
    kcp_put_be32(block + 4, y);
}

#endif
