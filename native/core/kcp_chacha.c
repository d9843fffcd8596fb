// ChaCha20-Poly1305 (RFC 8439) without associated data, and Salsa20/20 (Bernstein, 2005). Neither
// has a table or a branch that depends on key or data.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_kernels.h"

#if KCP_CHACHA20_POLY1305 || KCP_SALSA20

// "expand 32-byte k"
#define C0 (0x61707865)
#define C1 (0x3320646e)
#define C2 (0x79622d32)
#define C3 (0x6b206574)

// Write the sum of two states as a block of key stream.
static void put_sum(uint8_t *block, const uint32_t *a, const uint32_t *b) {
    for (int i = 0; i < 16; i++) {
        kcp_put_le32(block + 4 * i, a[i] + b[i]);
    }
}

#endif

#if KCP_CHACHA20_POLY1305

#define QUARTER(a, b, c, d) \
    x[a] += x[b]; \
    x[d] = kcp_rol(x[d] ^ x[a], 16); \
    x[c] += x[d]; \
    x[b] = kcp_rol(x[b] ^ x[c], 12); \
    x[a] += x[b]; \
    x[d] = kcp_rol(x[d] ^ x[a], 8); \
    x[c] += x[d]; \
    x[b] = kcp_rol(x[b] ^ x[c], 7)

static void chacha_start(uint32_t *s, const kcp_key32_t *key, const uint8_t *nonce) {
    s[0] = C0;
    s[1] = C1;
    s[2] = C2;
    s[3] = C3;
    for (int i = 0; i < 8; i++) {
        s[4 + i] = kcp_le32(key->key + 4 * i);
    }
    s[12] = 0;
    for (int i = 0; i < 3; i++) {
        s[13 + i] = kcp_le32(nonce + 4 * i);
    }
}

static void chacha_block(const uint32_t *s, uint8_t *block) {
    uint32_t x[16];
    memcpy(x, s, sizeof(x));
    for (int i = 0; i < 10; i++) {
        QUARTER(0, 4, 8, 12);
        QUARTER(1, 5, 9, 13);
        QUARTER(2, 6, 10, 14);
        QUARTER(3, 7, 11, 15);
        QUARTER(0, 5, 10, 15);
        QUARTER(1, 6, 11, 12);
        QUARTER(2, 7, 8, 13);
        QUARTER(3, 4, 9, 14);
    }
    put_sum(block, x, s);
}

void kcp_chacha_stream(const kcp_key32_t *key, const uint8_t *nonce, uint8_t *buf, size_t n) {
    uint32_t s[16];
    uint8_t block[64];
    chacha_start(s, key, nonce);
    while (n) {
        size_t step = n < 64 ? n : 64;
        s[12]++;
        chacha_block(s, block);
        kcp_xor(buf, block, step);
        buf += step;
        n -= step;
    }
}

// -- Poly1305: numbers modulo 2^130 - 5, in five limbs of 26 bits ----------------------------------

typedef struct _poly_t {
    uint32_t r[5], h[5];
} poly_t;

// The five limbs of 16 bytes, and of a bit behind them.
static void limbs(uint32_t *x, const uint8_t *p, uint32_t bit_128) {
    x[0] = kcp_le32(p) & 0x3ffffff;
    x[1] = kcp_le32(p + 3) >> 2 & 0x3ffffff;
    x[2] = kcp_le32(p + 6) >> 4 & 0x3ffffff;
    x[3] = kcp_le32(p + 9) >> 6 & 0x3ffffff;
    x[4] = kcp_le32(p + 12) >> 8 | bit_128 << 24;
}

static void poly_block(poly_t *poly, const uint8_t *block) {
    const uint32_t *r = poly->r;
    uint32_t *h = poly->h, x[5];
    uint64_t d[5], carry = 0;
    limbs(x, block, 1);
    for (int i = 0; i < 5; i++) {
        h[i] += x[i];
    }
    for (int i = 0; i < 5; i++) {
        d[i] = 0;
        for (int j = 0; j < 5; j++) {
            // What is beyond 2^130 comes back five times.
            uint32_t factor = j <= i ? r[i - j] : 5 * r[i - j + 5];
            d[i] += (uint64_t)h[j] * factor;
        }
    }
    for (int i = 0; i < 5; i++) {
        d[i] += carry;
        h[i] = (uint32_t)d[i] & 0x3ffffff;
        carry = d[i] >> 26;
    }
    h[0] += (uint32_t)carry * 5;
    h[1] += h[0] >> 26;
    h[0] &= 0x3ffffff;
}

static void poly_finish(poly_t *poly, const uint8_t *pad, uint8_t *tag) {
    uint32_t *h = poly->h, g[5], carry = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 5; i++) {
            h[i] += carry;
            carry = h[i] >> 26;
            h[i] &= 0x3ffffff;
        }
        carry *= 5;
    }
    h[0] += carry;
    // h - (2^130 - 5), if that is not negative.
    carry = 5;
    for (int i = 0; i < 5; i++) {
        g[i] = h[i] + carry;
        carry = g[i] >> 26;
        g[i] &= 0x3ffffff;
    }
    uint32_t mask = 0 - carry;
    for (int i = 0; i < 5; i++) {
        h[i] = (h[i] & ~mask) | (g[i] & mask);
    }
    uint32_t words[4] = {
        h[0] | h[1] << 26, h[1] >> 6 | h[2] << 20, h[2] >> 12 | h[3] << 14, h[3] >> 18 | h[4] << 8,
    };
    uint64_t sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (uint64_t)words[i] + kcp_le32(pad + 4 * i);
        kcp_put_le32(tag + 4 * i, (uint32_t)sum);
        sum >>= 32;
    }
}

void kcp_chacha_tag(const kcp_key32_t *key, const uint8_t *nonce, const uint8_t *data, size_t n,
    uint8_t *tag) {
    uint32_t s[16];
    uint8_t block[64], last[16] = {0};
    poly_t poly = {{0}, {0}};
    chacha_start(s, key, nonce);
    chacha_block(s, block);
    for (int i = 3; i < 16; i += 4) { // some bits of r are 0
        block[i] &= 15;
    }
    for (int i = 4; i < 16; i += 4) {
        block[i] &= 252;
    }
    limbs(poly.r, block, 0);
    size_t rest = n;
    for (; rest >= 16; rest -= 16, data += 16) {
        poly_block(&poly, data);
    }
    if (rest) {
        memcpy(last, data, rest);
        poly_block(&poly, last);
        memset(last, 0, rest);
    }
    kcp_put_le32(last + 8, (uint32_t)n);
    poly_block(&poly, last);
    poly_finish(&poly, block + 16, tag);
}

#endif

#if KCP_SALSA20

#define SALSA_QUARTER(a, b, c, d) \
    x[b] ^= kcp_rol(x[a] + x[d], 7); \
    x[c] ^= kcp_rol(x[b] + x[a], 9); \
    x[d] ^= kcp_rol(x[c] + x[b], 13); \
    x[a] ^= kcp_rol(x[d] + x[c], 18)

static void salsa_block(const uint32_t *s, uint8_t *block) {
    uint32_t x[16];
    memcpy(x, s, sizeof(x));
    for (int i = 0; i < 10; i++) {
        SALSA_QUARTER(0, 4, 8, 12);
        SALSA_QUARTER(5, 9, 13, 1);
        SALSA_QUARTER(10, 14, 2, 6);
        SALSA_QUARTER(15, 3, 7, 11);
        SALSA_QUARTER(0, 1, 2, 3);
        SALSA_QUARTER(5, 6, 7, 4);
        SALSA_QUARTER(10, 11, 8, 9);
        SALSA_QUARTER(15, 12, 13, 14);
    }
    put_sum(block, x, s);
}

void kcp_salsa20(const kcp_key32_t *key, const uint8_t *nonce, uint8_t *buf, size_t n) {
    uint32_t s[16];
    uint8_t block[64];
    s[0] = C0;
    s[5] = C1;
    s[10] = C2;
    s[15] = C3;
    for (int i = 0; i < 4; i++) {
        s[1 + i] = kcp_le32(key->key + 4 * i);
        s[11 + i] = kcp_le32(key->key + 16 + 4 * i);
    }
    s[6] = kcp_le32(nonce);
    s[7] = kcp_le32(nonce + 4);
    s[8] = s[9] = 0;
    while (n) {
        size_t step = n < 64 ? n : 64;
        salsa_block(s, block);
        kcp_xor(buf, block, step);
        s[8]++;
        buf += step;
        n -= step;
    }
}

#endif
