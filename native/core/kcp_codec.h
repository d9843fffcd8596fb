// What a codec is, for kcp_crypt.c and kcp_frame.c. Inside the core only.
#ifndef KCP_CODEC_H
#define KCP_CODEC_H

#include "kcp_ciphers.h"
#include "kcp_crypt.h"

#define KCP_CODEC_MARK (0x6b637031) // tells memory that kcp_crypt_init() has written
#define KCP_NONCE_BYTES (16)
#define KCP_HEAD_BYTES (20)
#define KCP_AEAD_HEAD_BYTES (12)
#define KCP_AEAD_TAIL_BYTES (16)

typedef struct _kcp_codec_t {
    uint32_t mark;
    uint16_t kind;
    uint16_t hardware;
    union {
        uint64_t alignment;
        #if KCP_XOR
        uint8_t table[KCP_CRYPT_MAX_BYTES];
        #endif
        kcp_key32_t key32;
        kcp_aes_t aes;
        kcp_gcm_t gcm;
        kcp_sm4_t sm4;
        kcp_twofish_t twofish;
        kcp_blowfish_t blowfish;
        kcp_cast5_t cast5;
        kcp_3des_t des;
        kcp_tea_t tea;
        kcp_xtea_t xtea;
    } u;
} kcp_codec_t;

static inline int kcp_is_aead(int kind) {
    return kind >= KCP_CRYPT_AES_128_GCM && kind <= KCP_CRYPT_CHACHA20_POLY1305;
}

static inline int kcp_is_aes(int kind) {
    return kind >= KCP_CRYPT_AES_128 && kind <= KCP_CRYPT_AES_256_GCM;
}

// AES: rounds of a kind.
static inline int kcp_aes_rounds(int kind) {
    if (kind >= KCP_CRYPT_AES_128_GCM) {
        kind -= KCP_CRYPT_AES_128_GCM - KCP_CRYPT_AES_128;
    }
    return 10 + 2 * (kind - KCP_CRYPT_AES_128);
}

#endif
