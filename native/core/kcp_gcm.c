// AES-GCM (SP 800-38D) without associated data, with a nonce of 12 bytes.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_kernels.h"

#if KCP_AES_GCM

#define AT_ONCE (8) // blocks

static uint64_t be64(const uint8_t *p) {
    return (uint64_t)kcp_be32(p) << 32 | kcp_be32(p + 4);
}

static void put_be64(uint8_t *p, uint64_t x) {
    kcp_put_be32(p, (uint32_t)(x >> 32));
    kcp_put_be32(p + 4, (uint32_t)x);
}

void kcp_gcm_init(kcp_gcm_t *gcm, int n_rounds, int hardware, const uint8_t *key) {
    uint8_t block[16] = {0};
    kcp_aes_init(&gcm->aes, n_rounds, hardware, key);
    kcp_aes_blocks(&gcm->aes, n_rounds, hardware, block, 1);
    gcm->h[0] = be64(block);
    gcm->h[1] = be64(block + 8);
}

static void put_counter(uint8_t *block, const uint8_t *nonce, uint32_t counter) {
    memcpy(block, nonce, 12);
    kcp_put_be32(block + 12, counter);
}

void kcp_gcm_stream(const kcp_gcm_t *gcm, int n_rounds, int hardware, const uint8_t *nonce,
    uint8_t *buf, size_t n) {
    uint8_t stream[16 * AT_ONCE];
    uint32_t counter = 2;
    while (n) {
        size_t step = n < sizeof(stream) ? n : sizeof(stream);
        int n_blocks = (int)((step + 15) / 16);
        for (int i = 0; i < n_blocks; i++) {
            put_counter(stream + 16 * i, nonce, counter++);
        }
        kcp_aes_blocks(&gcm->aes, n_rounds, hardware, stream, n_blocks);
        kcp_xor(buf, stream, step);
        buf += step;
        n -= step;
    }
}

// -- GHASH -----------------------------------------------------------------------------------------
//
// A product of polynomials over GF(2) by integer multiplication, without tables: with only every
// fourth bit in use, the carries of up to 15 terms stay in the holes between the bits. That takes
// the low half of a product; the high half is the low half of the reversed factors, reversed.

#define HOLES(i) (0x1111111111111111u << (i))

static uint64_t low_product(uint64_t x, uint64_t y) {
    uint64_t z = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t sum = 0;
        for (int j = 0; j < 4; j++) {
            sum ^= (x & HOLES(j)) * (y & HOLES((i - j) & 3));
        }
        z |= sum & HOLES(i);
    }
    return z;
}

static uint64_t reversed(uint64_t x) {
    static const uint64_t masks[] = {
        0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu,
        0x00ff00ff00ff00ffu, 0x0000ffff0000ffffu,
    };
    for (int i = 0; i < 5; i++) {
        int n = 1 << i;
        x = (x & masks[i]) << n | (x >> n & masks[i]);
    }
    return x << 32 | x >> 32;
}

// The field's product y * h, in place; y[0], h[0]: the first eight bytes, as a number.
static void multiply(uint64_t *y, const uint64_t *h) {
    // Karatsuba: three products of 64 bits, each in its low and in its high half.
    uint64_t a[3] = {y[1], y[0], y[0] ^ y[1]}, b[3] = {h[1], h[0], h[0] ^ h[1]};
    uint64_t low[3], high[3];
    for (int i = 0; i < 3; i++) {
        low[i] = low_product(a[i], b[i]);
        high[i] = reversed(low_product(reversed(a[i]), reversed(b[i]))) >> 1;
    }
    uint64_t middle_low = low[2] ^ low[0] ^ low[1], middle_high = high[2] ^ high[0] ^ high[1];
    uint64_t v0 = low[0], v1 = high[0] ^ middle_low, v2 = low[1] ^ middle_high, v3 = high[1];

    // Bits are counted from the left: the product is one bit further left than it came out.
    v3 = v3 << 1 | v2 >> 63;
    v2 = v2 << 1 | v1 >> 63;
    v1 = v1 << 1 | v0 >> 63;
    v0 = v0 << 1;

    // Modulo x^128 + x^7 + x^2 + x + 1.
    v1 ^= v0 << 63 ^ v0 << 62 ^ v0 << 57;
    v2 ^= v0 ^ v0 >> 1 ^ v0 >> 2 ^ v0 >> 7;
    v2 ^= v1 << 63 ^ v1 << 62 ^ v1 << 57;
    v3 ^= v1 ^ v1 >> 1 ^ v1 >> 2 ^ v1 >> 7;
    y[0] = v3;
    y[1] = v2;
}

static void ghash(const kcp_gcm_t *gcm, int hardware, uint64_t *y, const uint8_t *data, size_t n_blocks) {
    #if KCP_AES_HARDWARE
    if (hardware) {
        kcp_x86_ghash(gcm->h, y, data, (int)n_blocks);
        return;
    }
    #endif
    (void)hardware;
    for (; n_blocks; n_blocks--, data += 16) {
        y[0] ^= be64(data);
        y[1] ^= be64(data + 8);
        multiply(y, gcm->h);
    }
}

void kcp_gcm_tag(const kcp_gcm_t *gcm, int n_rounds, int hardware, const uint8_t *nonce,
    const uint8_t *data, size_t n, uint8_t *tag) {
    uint64_t y[2] = {0, 0};
    uint8_t block[16] = {0};
    ghash(gcm, hardware, y, data, n / 16);
    if (n % 16) {
        memcpy(block, data + n / 16 * 16, n % 16);
        ghash(gcm, hardware, y, block, 1);
    }
    put_be64(block, 0); // bits of associated data
    put_be64(block + 8, 8 * (uint64_t)n);
    ghash(gcm, hardware, y, block, 1);
    put_counter(tag, nonce, 1);
    kcp_aes_blocks(&gcm->aes, n_rounds, hardware, tag, 1);
    put_be64(block, y[0]);
    put_be64(block + 8, y[1]);
    kcp_xor(tag, block, 16);
}

#endif
