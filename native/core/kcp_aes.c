// AES (FIPS 197), encryption only, bit-sliced: no table and no branch depends on key or data.
//
// Two blocks at once, in eight words: word q[b] holds bit b of all 32 bytes. The byte in row r and
// column c of block k is bit 8 * r + 2 * c + k of each word, so that a row is a byte of the word:
// the shift of row r is a rotation within that byte, and the next row a rotation of the word.
//
// The substitution is the circuit of Boyar and Peralta, "A depth-16 circuit for the AES S-box",
// IACR ePrint 2011/332 (its 32 gates that are not linear, and theirs).

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_kernels.h"

#if KCP_AES

void kcp_aes_substitute(uint32_t *q) {
    uint32_t x0 = q[7], x1 = q[6], x2 = q[5], x3 = q[4], x4 = q[3], x5 = q[2], x6 = q[1], x7 = q[0];

    // Into the field of fields.
    uint32_t y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2;
    uint32_t y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6;
    uint32_t y3 = y5 ^ y8, t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7;
    uint32_t y10 = y15 ^ t0, y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8;
    uint32_t y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;

    // The inverse there.
    uint32_t t2 = y12 & y15, t3 = y3 & y6, t4 = t3 ^ t2, t5 = y4 & x7, t6 = t5 ^ t2;
    uint32_t t7 = y13 & y16, t8 = y5 & y1, t9 = t8 ^ t7, t10 = y2 & y7, t11 = t10 ^ t7;
    uint32_t t12 = y9 & y11, t13 = y14 & y17, t14 = t13 ^ t12, t15 = y8 & y10, t16 = t15 ^ t12;
    uint32_t t17 = t4 ^ t14, t18 = t6 ^ t16, t19 = t9 ^ t14, t20 = t11 ^ t16;
    uint32_t t21 = t17 ^ y20, t22 = t18 ^ y19, t23 = t19 ^ y21, t24 = t20 ^ y18;
    uint32_t t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t28 = t25 & t27, t29 = t28 ^ t22;
    uint32_t t30 = t23 ^ t24, t31 = t22 ^ t26, t32 = t31 & t30, t33 = t32 ^ t24, t34 = t23 ^ t33;
    uint32_t t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34, t38 = t27 ^ t36, t39 = t29 & t38;
    uint32_t t40 = t25 ^ t39, t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37;
    uint32_t t45 = t42 ^ t41;
    uint32_t z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1;
    uint32_t z5 = t29 & y7, z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12;
    uint32_t z10 = t37 & y3, z11 = t33 & y4, z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2;
    uint32_t z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

    // And back, with the affine step.
    uint32_t t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12;
    uint32_t t51 = z2 ^ z5, t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17;
    uint32_t t56 = z12 ^ t48, t57 = t50 ^ t53, t58 = z4 ^ t46, t59 = z3 ^ t54, t60 = t46 ^ t57;
    uint32_t t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58, t64 = z4 ^ t59, t65 = t61 ^ t62;
    uint32_t t66 = z1 ^ t63, s0 = t59 ^ t63, s6 = t56 ^ ~t62, s7 = t48 ^ ~t60, t67 = t64 ^ t65;
    uint32_t s3 = t53 ^ t66, s4 = t51 ^ t66, s5 = t47 ^ t65, s1 = t64 ^ ~s3, s2 = t55 ^ ~t67;

    q[7] = s0;
    q[6] = s1;
    q[5] = s2;
    q[4] = s3;
    q[3] = s4;
    q[2] = s5;
    q[1] = s6;
    q[0] = s7;
}

static void exchange(uint32_t *a, uint32_t *b, int shift, uint32_t mask) {
    uint32_t t = (*a >> shift ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

// Turn bytes into bits or back: in each of the four bytes of the eight words, an 8 x 8 matrix of
// bits is transposed.
static void turn(uint32_t *q) {
    for (int i = 0; i < 8; i += 2) {
        exchange(&q[i], &q[i + 1], 1, 0x55555555);
    }
    for (int i = 0; i < 8; i++) {
        if (!(i & 2)) {
            exchange(&q[i], &q[i + 2], 2, 0x33333333);
        }
    }
    for (int i = 0; i < 4; i++) {
        exchange(&q[i], &q[i + 4], 4, 0x0f0f0f0f);
    }
}

static void load(uint32_t *q, const uint8_t *blocks, int n_blocks) {
    for (int c = 0; c < 4; c++) {
        q[2 * c] = kcp_le32(blocks + 4 * c);
        q[2 * c + 1] = n_blocks > 1 ? kcp_le32(blocks + 16 + 4 * c) : 0;
    }
    turn(q);
}

static void store(uint32_t *q, uint8_t *blocks, int n_blocks) {
    turn(q);
    for (int c = 0; c < 4; c++) {
        kcp_put_le32(blocks + 4 * c, q[2 * c]);
        if (n_blocks > 1) {
            kcp_put_le32(blocks + 16 + 4 * c, q[2 * c + 1]);
        }
    }
}

static void add_key(uint32_t *q, const uint32_t *key) {
    for (int i = 0; i < 8; i++) {
        q[i] ^= key[i];
    }
}

static void shift_rows(uint32_t *q) {
    for (int i = 0; i < 8; i++) {
        uint32_t x = q[i];
        q[i] = (x & 0xff)
            | (x & 0xfc00) >> 2 | (x & 0x300) << 6
            | (x & 0xf00000) >> 4 | (x & 0xf0000) << 4
            | (x & 0xc0000000) >> 6 | (x & 0x3f000000) << 2;
    }
}

// Each byte becomes 2 * (a + b) + b + c + d, where b, c and d are those below it, in a circle.
static void mix_columns(uint32_t *q) {
    uint32_t sum[8], below[8];
    for (int i = 0; i < 8; i++) {
        below[i] = kcp_ror(q[i], 8);
        sum[i] = q[i] ^ below[i];
    }
    uint32_t top = sum[7];
    for (int i = 0; i < 8; i++) {
        uint32_t twice = (i ? sum[i - 1] : 0) ^ (0x1b >> i & 1 ? top : 0);
        q[i] = twice ^ below[i] ^ kcp_ror(sum[i], 16);
    }
}

// Encrypt one or two blocks.
static void encrypt(const kcp_aes_t *aes, int n_rounds, uint8_t *blocks, int n_blocks) {
    uint32_t q[8];
    const uint32_t *key = aes->keys;
    load(q, blocks, n_blocks);
    add_key(q, key);
    for (int i = 1; i <= n_rounds; i++) {
        kcp_aes_substitute(q);
        shift_rows(q);
        if (i < n_rounds) {
            mix_columns(q);
        }
        add_key(q, key += 8);
    }
    store(q, blocks, n_blocks);
}

// The substitution of the four bytes of a word.
static uint32_t substituted(uint32_t x) {
    uint32_t q[8] = {x};
    turn(q);
    kcp_aes_substitute(q);
    turn(q);
    return q[0];
}

int kcp_aes_has_hardware(void) {
    #if KCP_AES_HARDWARE
    // CPUID 1, by hand: no library has to be linked. Bits of ecx: pclmulqdq, ssse3, aes.
    uint32_t a = 1, b, c = 0, d;
    __asm__ ("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
    return (c >> 1 & c >> 9 & c >> 25 & 1) != 0;
    #else
    return 0;
    #endif
}

void kcp_aes_init(kcp_aes_t *aes, int n_rounds, int hardware, const uint8_t *key) {
    // All round keys as words, in the order of the bytes; then turned into bits.
    uint32_t w[4 * (KCP_AES_MAX_ROUNDS + 1)], constant = 1;
    int n_key_words = n_rounds - 6, n_words = 4 * (n_rounds + 1);
    for (int i = 0; i < n_key_words; i++) {
        w[i] = kcp_le32(key + 4 * i);
    }
    for (int i = n_key_words, j = 0; i < n_words; i++) {
        uint32_t x = w[i - 1];
        if (j == 0) {
            x = substituted(kcp_ror(x, 8)) ^ constant;
            constant = constant << 1 ^ (0x11b & (0 - (constant >> 7)));
        } else if (n_key_words == 8 && j == 4) {
            x = substituted(x);
        }
        w[i] = w[i - n_key_words] ^ x;
        j = j + 1 == n_key_words ? 0 : j + 1;
    }
    if (hardware) {
        for (int i = 0; i < n_words; i++) {
            kcp_put_le32((uint8_t *)&aes->keys[i], w[i]);
        }
        return;
    }
    for (int round = 0; round <= n_rounds; round++) {
        uint32_t *q = aes->keys + 8 * round;
        for (int c = 0; c < 4; c++) {
            q[2 * c] = q[2 * c + 1] = w[4 * round + c];
        }
        turn(q);
    }
}

void kcp_aes_blocks(const kcp_aes_t *aes, int n_rounds, int hardware, uint8_t *blocks, int n_blocks) {
    #if KCP_AES_HARDWARE
    if (hardware) {
        kcp_x86_aes_blocks(aes, n_rounds, blocks, n_blocks);
        return;
    }
    #endif
    (void)hardware;
    for (; n_blocks > 0; n_blocks -= 2, blocks += 32) {
        encrypt(aes, n_rounds, blocks, n_blocks);
    }
}

#define AT_ONCE (8) // blocks whose key stream is made together

static void cfb_open(const kcp_aes_t *aes, int n_rounds, int hardware, uint8_t *buf, size_t n) {
    uint8_t stream[16 * (AT_ONCE + 1)]; // the block before, and the blocks of ciphertext
    uint8_t before[16];
    memcpy(before, kcp_cfb_iv, 16);
    while (n) {
        size_t step = n < 16 * AT_ONCE ? n : 16 * AT_ONCE;
        memcpy(stream, before, 16);
        memcpy(stream + 16, buf, step);
        if (step >= 16) {
            memcpy(before, buf + step - 16, 16); // of use only if more follows
        }
        kcp_aes_blocks(aes, n_rounds, hardware, stream, (int)((step + 15) / 16));
        kcp_xor(buf, stream, step);
        buf += step;
        n -= step;
    }
}

void kcp_aes_cfb(const kcp_aes_t *aes, int n_rounds, int hardware, uint8_t *buf, size_t n,
    int is_opening) {
    if (is_opening) {
        cfb_open(aes, n_rounds, hardware, buf, n);
        return;
    }
    #if KCP_AES_HARDWARE
    if (hardware) {
        kcp_x86_aes_cfb_seal(aes, n_rounds, buf, n);
        return;
    }
    #endif
    uint8_t reg[16];
    memcpy(reg, kcp_cfb_iv, 16);
    while (n) {
        size_t step = n < 16 ? n : 16;
        encrypt(aes, n_rounds, reg, 1);
        kcp_xor(buf, reg, step);
        memcpy(reg, buf, step);
        buf += step;
        n -= step;
    }
}

#endif
