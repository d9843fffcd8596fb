// What the core holds. Each switch is 1 or 0; a file named by KCP_CONFIG_FILE may set them first.
//
// The comment behind a switch says what it costs: bytes of code and constant tables that the
// linker brings in for it, with gcc -Os for x86-64 (`make native-sizes` prints the table, and
// `tools/native/sizes.py --write` puts the figures here). What is not there answers as
// kcp_crypt_bytes() == 0, and the Python twin is used for it.
#ifndef KCP_CONFIG_H
#define KCP_CONFIG_H

#ifdef KCP_CONFIG_FILE
#include KCP_CONFIG_FILE
#endif

// Ciphers
#ifndef KCP_AES
#define KCP_AES (1) // 3710 bytes
#endif
#ifndef KCP_AES_GCM
#define KCP_AES_GCM (1) // 1957 bytes
#endif
#ifndef KCP_CHACHA20_POLY1305
#define KCP_CHACHA20_POLY1305 (1) // 2038 bytes
#endif
#ifndef KCP_SALSA20
#define KCP_SALSA20 (1) // 1128 bytes
#endif
#ifndef KCP_XOR
#define KCP_XOR (1) // 20 bytes
#endif
#ifndef KCP_SM4
#define KCP_SM4 (1) // 863 bytes
#endif
#ifndef KCP_TWOFISH
#define KCP_TWOFISH (1) // 1660 bytes
#endif
#ifndef KCP_BLOWFISH
#define KCP_BLOWFISH (1) // 4815 bytes
#endif
#ifndef KCP_CAST5
#define KCP_CAST5 (1) // 9184 bytes
#endif
#ifndef KCP_3DES
#define KCP_3DES (1) // 3408 bytes
#endif
#ifndef KCP_TEA
#define KCP_TEA (1) // 207 bytes
#endif
#ifndef KCP_XTEA
#define KCP_XTEA (1) // 243 bytes
#endif

#if !KCP_AES
#undef KCP_AES_GCM
#define KCP_AES_GCM (0)
#endif

// Reed-Solomon (the whole codec; the row kernel kcp_gf_add alone is always there)
#ifndef KCP_RS
#define KCP_RS (1) // 1416 bytes
#endif

// FEC: groups, the search for the peer's ratio (needs KCP_RS)
#ifndef KCP_FEC
#define KCP_FEC (1) // 12526 bytes
#endif
#if !KCP_RS
#undef KCP_FEC
#define KCP_FEC (0)
#endif

// The ARQ with its congestion controllers
#ifndef KCP_ARQ
#define KCP_ARQ (1) // 22793 bytes
#endif

// The session over all of these (needs KCP_ARQ and KCP_FEC)
#ifndef KCP_SESSION
#define KCP_SESSION (1) // 5621 bytes
#endif
#if !KCP_ARQ || !KCP_FEC
#undef KCP_SESSION
#define KCP_SESSION (0)
#endif

// AES and carry-less multiplication by the instructions of x86-64 CPUs that have them
#ifndef KCP_AES_HARDWARE
#define KCP_AES_HARDWARE (1) // 1025 bytes
#endif
#if !defined(__x86_64__) || !defined(__GNUC__)
#undef KCP_AES_HARDWARE
#define KCP_AES_HARDWARE (0)
#endif

// Rows of Reed-Solomon 16 bytes at a time, where the compiler knows how (SSE2, NEON)
#ifndef KCP_VECTORS
#define KCP_VECTORS (1) // -41 bytes
#endif
#if !defined(__GNUC__) || !(defined(__SSE2__) || defined(__ARM_NEON))
#undef KCP_VECTORS
#define KCP_VECTORS (0)
#endif

// Bytes of a message that CRC-32 takes at once: 1, 4 or 8 tables of 1024 bytes
#ifndef KCP_CRC_SLICES
#define KCP_CRC_SLICES (1)
#endif

#endif
