// Twofish (Schneier and others, 1998) with full keying (section 5.3): four tables of 256 words that
// depend on the key hold the S-boxes and the matrix of one byte.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_tables.h"

#if KCP_TWOFISH

#define MDS_POLY (0x169)
#define RS_POLY (0x14d)

static const uint8_t rs[4][8] = {
    {0x01, 0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e},
    {0xa4, 0x56, 0x82, 0xf3, 0x1e, 0xc6, 0x68, 0xe5},
    {0x02, 0xa1, 0xfc, 0xc1, 0x47, 0xae, 0x3d, 0x19},
    {0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e, 0x03},
};

// Of each byte of a word: through which of q0 and q1 it passes, as bits from the top, with a byte of
// the key after each but the last. Keys of fewer words begin later.
static const uint8_t paths[4] = {0x19, 0x0c, 0x03, 0x16};

static uint32_t product(uint32_t a, uint32_t b, uint32_t poly) {
    uint32_t found = 0;
    for (; b; b >>= 1) {
        if (b & 1) {
            found ^= a;
        }
        a <<= 1;
        if (a & 0x100) {
            a ^= poly;
        }
    }
    return found;
}

// What byte x in place i of a word adds to h(X, L). L: n words of 4 bytes each, `stride` bytes apart.
static uint32_t h_byte(uint32_t x, int i, const uint8_t *words, int n, int stride) {
    for (int k = n; k >= 0; k--) {
        x = (paths[i] >> k & 1) ? kcp_twofish_q1[x] : kcp_twofish_q0[x];
        if (k) {
            x ^= words[(k - 1) * stride + i];
        }
    }
    uint32_t by_5b = product(x, 0x5b, MDS_POLY), by_ef = product(x, 0xef, MDS_POLY);
    switch (i) { // a column of the matrix MDS
        case 0:
            return x | by_5b << 8 | by_ef << 16 | by_ef << 24;
        case 1:
            return by_ef | by_ef << 8 | by_5b << 16 | x << 24;
        case 2:
            return by_5b | by_ef << 8 | x << 16 | by_ef << 24;
        default:
            return by_5b | x << 8 | by_ef << 16 | by_5b << 24;
    }
}

// h of a word of four equal bytes x.
static uint32_t h_word(uint32_t x, const uint8_t *words, int n, int stride) {
    uint32_t found = 0;
    for (int i = 0; i < 4; i++) {
        found ^= h_byte(x, i, words, n, stride);
    }
    return found;
}

void kcp_twofish_init(kcp_twofish_t *twofish, const uint8_t *key, size_t n_key) {
    uint8_t s[16];
    int n = (int)n_key / 8;
    for (int part = 0; part < n; part++) { // the words of S, last part of the key first
        for (int i = 0; i < 4; i++) {
            uint32_t sum = 0;
            for (int j = 0; j < 8; j++) {
                sum ^= product(key[8 * part + j], rs[i][j], RS_POLY);
            }
            s[4 * (n - 1 - part) + i] = (uint8_t)sum;
        }
    }
    for (int i = 0; i < 4; i++) {
        for (uint32_t x = 0; x < 256; x++) {
            twofish->s[i][x] = h_byte(x, i, s, n, 4);
        }
    }
    for (uint32_t i = 0; i < 40; i += 2) {
        uint32_t a = h_word(i, key, n, 8), b = kcp_rol(h_word(i + 1, key + 4, n, 8), 8);
        twofish->keys[i] = a + b;
        twofish->keys[i + 1] = kcp_rol(a + 2 * b, 9);
    }
}

// g of x, rotated left by 8 times `turn` bits.
static inline uint32_t g(const kcp_twofish_t *twofish, uint32_t x, int turn) {
    return twofish->s[turn][x & 255] ^ twofish->s[(turn + 1) & 3][x >> 8 & 255]
        ^ twofish->s[(turn + 2) & 3][x >> 16 & 255] ^ twofish->s[(turn + 3) & 3][x >> 24];
}

void kcp_twofish_block(const void *ctx, uint8_t *block) {
    const kcp_twofish_t *twofish = ctx;
    const uint32_t *k = twofish->keys;
    uint32_t a = kcp_le32(block) ^ k[0], b = kcp_le32(block + 4) ^ k[1];
    uint32_t c = kcp_le32(block + 8) ^ k[2], d = kcp_le32(block + 12) ^ k[3];
    for (int i = 8; i < 40; i += 2) {
        uint32_t t = g(twofish, a, 0), u = g(twofish, b, 1);
        t += u;
        c = kcp_ror(c ^ (t + k[i]), 1);
        d = kcp_rol(d, 1) ^ (t + u + k[i + 1]);
        t = a;
        a = c;
        c = t;
        t = b;
        b = d;
        d = t;
    }
    kcp_put_le32(block, c ^ k[4]); // the halves leave exchanged
    kcp_put_le32(block + 4, d ^ k[5]);
    kcp_put_le32(block + 8, a ^ k[6]);
    kcp_put_le32(block + 12, b ^ k[7]);
}

#endif
