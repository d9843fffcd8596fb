// CRC-32/IEEE, by one table of a byte, or by several: of four or eight bytes at once.

#include "kcp_kernels.h"
#include "kcp_bytes.h"
#include "kcp_tables.h"

#define T(slice, x) kcp_crc_table[slice][(x) & 255]

uint32_t kcp_crc32(uint32_t crc, const uint8_t *data, size_t n) {
    crc = ~crc;
    #if KCP_CRC_SLICES == 8
    for (; n >= 8; n -= 8, data += 8) {
        uint32_t a = crc ^ kcp_le32(data), b = kcp_le32(data + 4);
        crc = T(7, a) ^ T(6, a >> 8) ^ T(5, a >> 16) ^ T(4, a >> 24)
            ^ T(3, b) ^ T(2, b >> 8) ^ T(1, b >> 16) ^ T(0, b >> 24);
    }
    #elif KCP_CRC_SLICES == 4
    for (; n >= 4; n -= 4, data += 4) {
        uint32_t a = crc ^ kcp_le32(data);
        crc = T(3, a) ^ T(2, a >> 8) ^ T(1, a >> 16) ^ T(0, a >> 24);
    }
    #endif
    while (n--) {
        crc = crc >> 8 ^ T(0, crc ^ *data++);
    }
    return ~crc;
}
