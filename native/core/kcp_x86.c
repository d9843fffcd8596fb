// AES and GHASH by the instructions of x86-64. Called only where the CPU has them.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_kernels.h"

#if KCP_AES && KCP_AES_HARDWARE

#include <immintrin.h>

#define WITH_AES __attribute__((target("aes,ssse3")))
#define WITH_CLMUL __attribute__((target("pclmul,ssse3")))

WITH_AES static inline __m128i load(const void *p) {
    return _mm_loadu_si128((const __m128i *)p);
}

WITH_AES static inline void store(void *p, __m128i x) {
    _mm_storeu_si128((__m128i *)p, x);
}

WITH_AES static inline __m128i one_block(const kcp_aes_t *aes, int n_rounds, __m128i x) {
    const uint32_t *key = aes->keys;
    x = _mm_xor_si128(x, load(key));
    for (int i = 1; i < n_rounds; i++) {
        x = _mm_aesenc_si128(x, load(key += 4));
    }
    return _mm_aesenclast_si128(x, load(key + 4));
}

// Eight blocks keep the CPU's pipeline full.
WITH_AES static void eight_blocks(const kcp_aes_t *aes, int n_rounds, uint8_t *blocks) {
    const uint32_t *keys = aes->keys;
    __m128i x[8], key = load(keys);
    for (int i = 0; i < 8; i++) {
        x[i] = _mm_xor_si128(load(blocks + 16 * i), key);
    }
    for (int round = 1; round < n_rounds; round++) {
        key = load(keys += 4);
        x[0] = _mm_aesenc_si128(x[0], key);
        x[1] = _mm_aesenc_si128(x[1], key);
        x[2] = _mm_aesenc_si128(x[2], key);
        x[3] = _mm_aesenc_si128(x[3], key);
        x[4] = _mm_aesenc_si128(x[4], key);
        x[5] = _mm_aesenc_si128(x[5], key);
        x[6] = _mm_aesenc_si128(x[6], key);
        x[7] = _mm_aesenc_si128(x[7], key);
    }
    key = load(keys + 4);
    for (int i = 0; i < 8; i++) {
        store(blocks + 16 * i, _mm_aesenclast_si128(x[i], key));
    }
}

WITH_AES void kcp_x86_aes_blocks(const kcp_aes_t *aes, int n_rounds, uint8_t *blocks, int n_blocks) {
    for (; n_blocks >= 8; n_blocks -= 8, blocks += 128) {
        eight_blocks(aes, n_rounds, blocks);
    }
    for (; n_blocks > 0; n_blocks--, blocks += 16) {
        store(blocks, one_block(aes, n_rounds, load(blocks)));
    }
}

WITH_AES void kcp_x86_aes_cfb_seal(const kcp_aes_t *aes, int n_rounds, uint8_t *buf, size_t n) {
    __m128i x = load(kcp_cfb_iv);
    for (; n >= 16; n -= 16, buf += 16) {
        x = _mm_xor_si128(one_block(aes, n_rounds, x), load(buf));
        store(buf, x);
    }
    if (n) {
        uint8_t rest[16];
        store(rest, one_block(aes, n_rounds, x));
        kcp_xor(buf, rest, n);
    }
}

// -- GHASH -----------------------------------------------------------------------------------------

// The product of two elements of GCM's field, whose bits are counted from the left: multiply as if
// counted from the right, shift the product by one bit, and reduce by x^128 + x^127 + x^126 + x^121
// + 1, the polynomial read backwards. (Gueron and Kounavis, "Intel carry-less multiplication
// instruction and its usage for computing the GCM mode", algorithms 1 and 5.)
WITH_CLMUL static __m128i product(__m128i a, __m128i b) {
    __m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x10), _mm_clmulepi64_si128(a, b, 0x01));
    low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
    high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));

    // 256 bits, one to the left.
    __m128i low_top = _mm_srli_epi64(low, 63), high_top = _mm_srli_epi64(high, 63);
    low = _mm_or_si128(_mm_slli_epi64(low, 1), _mm_slli_si128(low_top, 8));
    high = _mm_or_si128(_mm_slli_epi64(high, 1), _mm_slli_si128(high_top, 8));
    high = _mm_or_si128(high, _mm_srli_si128(low_top, 8));

    __m128i t = _mm_xor_si128(_mm_slli_epi64(low, 63), _mm_slli_epi64(low, 62));
    t = _mm_xor_si128(t, _mm_slli_epi64(low, 57));
    low = _mm_xor_si128(low, _mm_slli_si128(t, 8));
    __m128i folded = _mm_xor_si128(_mm_srli_epi64(low, 1), _mm_srli_epi64(low, 2));
    folded = _mm_xor_si128(folded, _mm_srli_epi64(low, 7));
    folded = _mm_xor_si128(folded, _mm_srli_si128(t, 8));
    return _mm_xor_si128(_mm_xor_si128(high, low), folded);
}

WITH_CLMUL void kcp_x86_ghash(const uint64_t *h, uint64_t *y, const uint8_t *data, int n_blocks) {
    const __m128i reversed = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i key = _mm_set_epi64x((int64_t)h[0], (int64_t)h[1]);
    __m128i sum = _mm_set_epi64x((int64_t)y[0], (int64_t)y[1]);
    for (; n_blocks > 0; n_blocks--, data += 16) {
        __m128i block = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data), reversed);
        sum = product(_mm_xor_si128(sum, block), key);
    }
    uint64_t halves[2];
    _mm_storeu_si128((__m128i *)halves, sum);
    y[0] = halves[1];
    y[1] = halves[0];
}

#endif
