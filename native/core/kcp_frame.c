// Codecs at work: the cipher over a packet, and the frame around it.

#include "kcp_codec.h"
#include "kcp_bytes.h"
#include "kcp_kernels.h"

#define SALSA_NONCE (8)

// The encryption of a block, of the ciphers that have nothing better.
static kcp_block_t block_of(int kind) {
    switch (kind) {
        #if KCP_SM4
        case KCP_CRYPT_SM4:
            return kcp_sm4_block;
        #endif
        #if KCP_TWOFISH
        case KCP_CRYPT_TWOFISH:
            return kcp_twofish_block;
        #endif
        #if KCP_BLOWFISH
        case KCP_CRYPT_BLOWFISH:
            return kcp_blowfish_block;
        #endif
        #if KCP_CAST5
        case KCP_CRYPT_CAST5:
            return kcp_cast5_block;
        #endif
        #if KCP_3DES
        case KCP_CRYPT_3DES:
            return kcp_3des_block;
        #endif
        #if KCP_TEA
        case KCP_CRYPT_TEA:
            return kcp_tea_block;
        #endif
        #if KCP_XTEA
        case KCP_CRYPT_XTEA:
            return kcp_xtea_block;
        #endif
        default:
            return NULL;
    }
}

static void run(const kcp_codec_t *codec, uint8_t *buf, size_t n, int is_opening) {
    (void)buf;
    (void)n;
    (void)is_opening;
    switch (codec->kind) {
        #if KCP_XOR
        case KCP_CRYPT_XOR:
            kcp_xor(buf, codec->u.table, n);
            break;
        #endif
        #if KCP_SALSA20
        case KCP_CRYPT_SALSA20:
            if (n > SALSA_NONCE) {
                kcp_salsa20(&codec->u.key32, buf, buf + SALSA_NONCE, n - SALSA_NONCE);
            }
            break;
        #endif
        #if KCP_AES
        case KCP_CRYPT_AES_128:
        case KCP_CRYPT_AES_192:
        case KCP_CRYPT_AES_256:
            kcp_aes_cfb(&codec->u.aes, kcp_aes_rounds(codec->kind), codec->hardware, buf, n, is_opening);
            break;
        #endif
        default:
            if (block_of(codec->kind)) {
                kcp_cfb(&codec->u, block_of(codec->kind),
                    codec->kind == KCP_CRYPT_SM4 || codec->kind == KCP_CRYPT_TWOFISH ? 16 : 8,
                    buf, n, is_opening);
            }
    }
}

#define HAS_AEAD (KCP_AES_GCM || KCP_CHACHA20_POLY1305)

#if HAS_AEAD

static void aead_stream(const kcp_codec_t *codec, uint8_t *buf, size_t end) {
    #if KCP_CHACHA20_POLY1305
    if (codec->kind == KCP_CRYPT_CHACHA20_POLY1305) {
        kcp_chacha_stream(&codec->u.key32, buf, buf + KCP_AEAD_HEAD_BYTES, end - KCP_AEAD_HEAD_BYTES);
        return;
    }
    #endif
    #if KCP_AES_GCM
    kcp_gcm_stream(&codec->u.gcm, kcp_aes_rounds(codec->kind), codec->hardware, buf, buf + KCP_AEAD_HEAD_BYTES,
        end - KCP_AEAD_HEAD_BYTES);
    #endif
}

static void aead_tag(const kcp_codec_t *codec, const uint8_t *buf, size_t end, uint8_t *tag) {
    #if KCP_CHACHA20_POLY1305
    if (codec->kind == KCP_CRYPT_CHACHA20_POLY1305) {
        kcp_chacha_tag(&codec->u.key32, buf, buf + KCP_AEAD_HEAD_BYTES, end - KCP_AEAD_HEAD_BYTES, tag);
        return;
    }
    #endif
    #if KCP_AES_GCM
    kcp_gcm_tag(&codec->u.gcm, kcp_aes_rounds(codec->kind), codec->hardware, buf, buf + KCP_AEAD_HEAD_BYTES,
        end - KCP_AEAD_HEAD_BYTES, tag);
    #endif
}

static int aead_open(const kcp_codec_t *codec, uint8_t *buf, size_t n) {
    uint8_t tag[KCP_AEAD_TAIL_BYTES], different = 0;
    if (n < KCP_AEAD_HEAD_BYTES + KCP_AEAD_TAIL_BYTES || n > KCP_CRYPT_MAX_BYTES) {
        return KCP_CRYPT_TOO_SHORT;
    }
    size_t end = n - KCP_AEAD_TAIL_BYTES;
    aead_tag(codec, buf, end, tag);
    for (int i = 0; i < KCP_AEAD_TAIL_BYTES; i++) { // all of it, however early they differ
        different |= tag[i] ^ buf[end + (size_t)i];
    }
    if (different) {
        return KCP_CRYPT_BAD_SUM;
    }
    aead_stream(codec, buf, end);
    return KCP_AEAD_HEAD_BYTES;
}

#endif

int kcp_crypt_seal(const void *memory, uint8_t *buf, size_t size, size_t end) {
    const kcp_codec_t *codec = memory;
    if (codec->mark != KCP_CODEC_MARK) {
        return KCP_CRYPT_MISUSE;
    }
    size_t head = (size_t)kcp_crypt_head(codec->kind), tail = (size_t)kcp_crypt_tail(codec->kind);
    if (end < head || end > KCP_CRYPT_MAX_BYTES - tail || size < end + tail) {
        return KCP_CRYPT_MISUSE;
    }
    #if HAS_AEAD
    if (tail) {
        aead_stream(codec, buf, end);
        aead_tag(codec, buf, end, buf + end);
        return (int)(end + tail);
    }
    #endif
    kcp_put_le32(buf + KCP_NONCE_BYTES, kcp_crc32(0, buf + KCP_HEAD_BYTES, end - KCP_HEAD_BYTES));
    run(codec, buf, end, 0);
    return (int)end;
}

int kcp_crypt_open(const void *memory, uint8_t *buf, size_t n) {
    const kcp_codec_t *codec = memory;
    if (codec->mark != KCP_CODEC_MARK) {
        return KCP_CRYPT_MISUSE;
    }
    #if HAS_AEAD
    if (kcp_is_aead(codec->kind)) {
        return aead_open(codec, buf, n);
    }
    #endif
    // The shortest that the plain twins take; the shortest of use is longer.
    if (n < KCP_HEAD_BYTES + 4 || n > KCP_CRYPT_MAX_BYTES) {
        return KCP_CRYPT_TOO_SHORT;
    }
    run(codec, buf, n, 1);
    return kcp_le32(buf + KCP_NONCE_BYTES) == kcp_crc32(0, buf + KCP_HEAD_BYTES, n - KCP_HEAD_BYTES) ? KCP_HEAD_BYTES : KCP_CRYPT_BAD_SUM;
}

int kcp_crypt_run(const void *memory, uint8_t *buf, size_t n, int is_opening) {
    const kcp_codec_t *codec = memory;
    if (codec->mark != KCP_CODEC_MARK || kcp_is_aead(codec->kind) || n > KCP_CRYPT_MAX_BYTES) {
        return KCP_CRYPT_MISUSE;
    }
    run(codec, buf, n, is_opening);
    return 0;
}
