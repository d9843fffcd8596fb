// CFB mode over a block cipher. Only its encryption is needed, for both ways.

#include "kcp_bytes.h"
#include "kcp_ciphers.h"
#include "kcp_kernels.h"

const uint8_t kcp_cfb_iv[16] = {
    0xa7, 0x73, 0x4f, 0x9c, 0x12, 0xac, 0x1b, 0x01, 0xa4, 0x15, 0xf2, 0xc1, 0xfc, 0x78, 0xe6, 0x6b,
};

void kcp_cfb(const void *ctx, kcp_block_t block, int block_bytes, uint8_t *buf, size_t n,
    int is_opening) {
    uint8_t reg[16], kept[16];
    size_t step = (size_t)block_bytes;
    memcpy(reg, kcp_cfb_iv, sizeof(reg));
    while (n) {
        if (n < step) {
            step = n;
        }
        block(ctx, reg);
        if (is_opening) {
            memcpy(kept, buf, step);
            kcp_xor(buf, reg, step);
            memcpy(reg, kept, step);
        } else {
            kcp_xor(buf, reg, step);
            memcpy(reg, buf, step);
        }
        buf += step;
        n -= step;
    }
}
