// Constant tables, see kcp_tables_*.c. Inside the core only.
#ifndef KCP_TABLES_H
#define KCP_TABLES_H

#include <stdint.h>

#include "kcp_config.h"

extern const uint32_t kcp_crc_table[KCP_CRC_SLICES][256];
extern const uint8_t kcp_gf_exp[255], kcp_gf_log[256];
extern const uint8_t kcp_sm4_sbox[256];
extern const uint8_t kcp_twofish_q0[256], kcp_twofish_q1[256];
extern const uint32_t kcp_blowfish_p[18], kcp_blowfish_s[4][256];
extern const uint32_t kcp_cast5_s[8][256];
extern const uint32_t kcp_des_sp[8][64];
extern const uint8_t kcp_des_pc1[56], kcp_des_pc2[48];

#endif
