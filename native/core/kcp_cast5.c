// CAST-128 (RFC 2144) with a key of 16 bytes, by its S-boxes of 8 KiB.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_tables.h"

#if KCP_CAST5

// The key schedule, section 2.4, four bits per index. A step fills 16 bytes from the 16 of the last
// step, four at a time: old bytes from where, four that pick of S5 to S8 (old ones for the first
// four, new ones for the others), an old one that picks again. Then four subkeys: what picks of S5
// to S8, and again of S5, S6, S7, S8. (lib/kcp/crypt/cast5.py holds the same digits.)
static const uint32_t steps[2][4] = {
    {0x0dfce8, 0x80213a, 0xc76549, 0x4a9b8b},
    {0x857460, 0x002132, 0x476541, 0xca9b83},
};
static const uint32_t picks[4][4] = {
    {0x89762, 0xab546, 0xcd329, 0xef10c},
    {0x32cd8, 0x10efd, 0x76893, 0x54ab7},
    {0x32cd9, 0x10efc, 0x76892, 0x54ab6},
    {0x89763, 0xab547, 0xcd328, 0xef10d},
};

static uint32_t picked(int box, const uint8_t *by, uint32_t digits, int at) {
    return kcp_cast5_s[3 + box][by[digits >> at & 15]];
}

void kcp_cast5_init(kcp_cast5_t *cast5, const uint8_t *key) {
    uint8_t bytes[2][16];
    memcpy(bytes[0], key, 16);
    for (int step = 0; step < 8; step++) {
        const uint8_t *old = bytes[step & 1];
        uint8_t *made = bytes[~step & 1];
        for (int i = 0; i < 4; i++) {
            uint32_t digits = steps[step & 1][i];
            const uint8_t *by = i ? made : old;
            uint32_t word = kcp_be32(old + (digits >> 20));
            word ^= picked(1, by, digits, 16) ^ picked(2, by, digits, 12);
            word ^= picked(3, by, digits, 8) ^ picked(4, by, digits, 4);
            word ^= picked(1 + ((i + 2) & 3), old, digits, 0);
            kcp_put_be32(made + 4 * i, word);
        }
        for (int i = 0; i < 4; i++) {
            uint32_t digits = picks[step & 3][i];
            uint32_t k = picked(1, made, digits, 16) ^ picked(2, made, digits, 12)
                ^ picked(3, made, digits, 8) ^ picked(4, made, digits, 4)
                ^ picked(1 + i, made, digits, 0);
            int number = 4 * step + i;
            if (number < 16) {
                cast5->masking[number] = k;
            } else {
                cast5->rotation[number - 16] = k & 31;
            }
        }
    }
}

void kcp_cast5_block(const void *ctx, uint8_t *block) {
    const kcp_cast5_t *cast5 = ctx;
    uint32_t left = kcp_be32(block), right = kcp_be32(block + 4);
    for (int i = 0, kind = 0; i < 16; i++) {
        uint32_t m = cast5->masking[i], x;
        x = kind == 0 ? m + right : kind == 1 ? m ^ right : m - right;
        int n = cast5->rotation[i];
        x = x << n | x >> (-n & 31);
        uint32_t a = kcp_cast5_s[0][x >> 24], b = kcp_cast5_s[1][x >> 16 & 255];
        uint32_t c = kcp_cast5_s[2][x >> 8 & 255], d = kcp_cast5_s[3][x & 255];
        if (kind == 0) {
            x = ((a ^ b) - c) + d;
        } else if (kind == 1) {
            x = ((a - b) + c) ^ d;
        } else {
            x = ((a + b) ^ c) - d;
        }
        x ^= left;
        left = right;
        right = x;
        kind = kind == 2 ? 0 : kind + 1;
    }
    kcp_put_be32(block, right);
    kcp_put_be32(block + 4, left);
}

#endif
