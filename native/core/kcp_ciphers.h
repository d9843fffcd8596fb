// The ciphers, for kcp_crypt.c. Inside the core only.
#ifndef KCP_CIPHERS_H
#define KCP_CIPHERS_H

#include <stddef.h>
#include <stdint.h>

#include "kcp_config.h"

// Encrypt one block in place. ctx: the cipher's key, as its _init() left it.
typedef void (*kcp_block_t)(const void *ctx, uint8_t *block);

// kcp-go's fixed vector: CFB starts from its beginning.
extern const uint8_t kcp_cfb_iv[16];

// CFB (SP 800-38A, full blocks of block_bytes, 8 or 16) over n bytes in place.
void kcp_cfb(const void *ctx, kcp_block_t block, int block_bytes, uint8_t *buf, size_t n,
    int is_opening);

// -- AES -----------------------------------------------------------------------------------------

#define KCP_AES_MAX_ROUNDS (14)

// Round keys: bit-sliced, eight words per round, or as bytes if the CPU encrypts.
typedef struct _kcp_aes_t {
    uint32_t keys[8 * (KCP_AES_MAX_ROUNDS + 1)];
} kcp_aes_t;

int kcp_aes_has_hardware(void);
// n_rounds: 10, 12 or 14, and so 16, 24 or 32 bytes of key.
void kcp_aes_init(kcp_aes_t *aes, int n_rounds, int hardware, const uint8_t *key);
// Encrypt n_blocks blocks of 16 bytes in place, each by itself.
void kcp_aes_blocks(const kcp_aes_t *aes, int n_rounds, int hardware, uint8_t *blocks, int n_blocks);
void kcp_aes_cfb(const kcp_aes_t *aes, int n_rounds, int hardware, uint8_t *buf, size_t n,
    int is_opening);
// The byte substitution on the eight bits of many bytes, q[0] the lowest; all of them at once.
void kcp_aes_substitute(uint32_t *q);

// -- AES-GCM -------------------------------------------------------------------------------------

typedef struct _kcp_gcm_t {
    kcp_aes_t aes;
    uint64_t h[2]; // E(0), high half first
} kcp_gcm_t;

void kcp_gcm_init(kcp_gcm_t *gcm, int n_rounds, int hardware, const uint8_t *key);
// XOR n bytes with the key stream of a nonce of 12 bytes (at most 2^16 blocks).
void kcp_gcm_stream(const kcp_gcm_t *gcm, int n_rounds, int hardware, const uint8_t *nonce,
    uint8_t *buf, size_t n);
void kcp_gcm_tag(const kcp_gcm_t *gcm, int n_rounds, int hardware, const uint8_t *nonce,
    const uint8_t *data, size_t n, uint8_t *tag);

// By the CPU's instructions (kcp_x86.c).
void kcp_x86_aes_init(kcp_aes_t *aes, int n_rounds, const uint8_t *key);
void kcp_x86_aes_blocks(const kcp_aes_t *aes, int n_rounds, uint8_t *blocks, int n_blocks);
void kcp_x86_aes_cfb_seal(const kcp_aes_t *aes, int n_rounds, uint8_t *buf, size_t n);
void kcp_x86_ghash(const uint64_t *h, uint64_t *y, const uint8_t *data, int n_blocks);

// -- stream ciphers --------------------------------------------------------------------------------

typedef struct _kcp_key32_t {
    uint8_t key[32];
} kcp_key32_t;

void kcp_chacha_stream(const kcp_key32_t *key, const uint8_t *nonce, uint8_t *buf, size_t n);
void kcp_chacha_tag(const kcp_key32_t *key, const uint8_t *nonce, const uint8_t *data, size_t n,
    uint8_t *tag);
// nonce: 8 bytes.
void kcp_salsa20(const kcp_key32_t *key, const uint8_t *nonce, uint8_t *buf, size_t n);

// -- block ciphers -----------------------------------------------------------------------------------

typedef struct _kcp_sm4_t {
    uint32_t keys[32];
} kcp_sm4_t;

typedef struct _kcp_twofish_t {
    uint32_t keys[40];
    uint32_t s[4][256];
} kcp_twofish_t;

typedef struct _kcp_blowfish_t {
    uint32_t p[18];
    uint32_t s[4][256];
} kcp_blowfish_t;

typedef struct _kcp_cast5_t {
    uint32_t masking[16];
    uint8_t rotation[16];
} kcp_cast5_t;

typedef struct _kcp_3des_t {
    uint32_t keys[3][16][2];
} kcp_3des_t;

typedef struct _kcp_tea_t {
    uint32_t key[4];
} kcp_tea_t;

typedef struct _kcp_xtea_t {
    uint32_t keys[64];
} kcp_xtea_t;

void kcp_sm4_init(kcp_sm4_t *sm4, const uint8_t *key);
void kcp_sm4_block(const void *ctx, uint8_t *block);
void kcp_twofish_init(kcp_twofish_t *twofish, const uint8_t *key, size_t n_key);
void kcp_twofish_block(const void *ctx, uint8_t *block);
void kcp_blowfish_init(kcp_blowfish_t *blowfish, const uint8_t *key, size_t n_key);
void kcp_blowfish_block(const void *ctx, uint8_t *block);
void kcp_cast5_init(kcp_cast5_t *cast5, const uint8_t *key);
void kcp_cast5_block(const void *ctx, uint8_t *block);
void kcp_3des_init(kcp_3des_t *des, const uint8_t *key);
void kcp_3des_block(const void *ctx, uint8_t *block);
void kcp_tea_init(kcp_tea_t *tea, const uint8_t *key);
void kcp_tea_block(const void *ctx, uint8_t *block);
void kcp_xtea_init(kcp_xtea_t *xtea, const uint8_t *key);
void kcp_xtea_block(const void *ctx, uint8_t *block);

#endif
