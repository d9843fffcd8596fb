// Codecs are made: which ciphers there are, how much memory each takes, and its key.

#include "kcp_codec.h"
#include "kcp_bytes.h"

#define WITH(member) (offsetof(kcp_codec_t, u) + sizeof(((kcp_codec_t *)0)->u.member))

// The compiler drops the cases of what is left out.
static size_t codec_bytes(int kind) {
    switch (kind) {
        case KCP_CRYPT_NONE:
            return WITH(alignment);
        #if KCP_XOR
        case KCP_CRYPT_XOR:
            return WITH(table);
        #endif
        #if KCP_SALSA20
        case KCP_CRYPT_SALSA20:
            return WITH(key32);
        #endif
        #if KCP_AES
        case KCP_CRYPT_AES_128:
        case KCP_CRYPT_AES_192:
        case KCP_CRYPT_AES_256:
            return WITH(aes);
        #endif
        #if KCP_AES_GCM
        case KCP_CRYPT_AES_128_GCM:
        case KCP_CRYPT_AES_192_GCM:
        case KCP_CRYPT_AES_256_GCM:
            return WITH(gcm);
        #endif
        #if KCP_CHACHA20_POLY1305
        case KCP_CRYPT_CHACHA20_POLY1305:
            return WITH(key32);
        #endif
        #if KCP_SM4
        case KCP_CRYPT_SM4:
            return WITH(sm4);
        #endif
        #if KCP_TWOFISH
        case KCP_CRYPT_TWOFISH:
            return WITH(twofish);
        #endif
        #if KCP_BLOWFISH
        case KCP_CRYPT_BLOWFISH:
            return WITH(blowfish);
        #endif
        #if KCP_CAST5
        case KCP_CRYPT_CAST5:
            return WITH(cast5);
        #endif
        #if KCP_3DES
        case KCP_CRYPT_3DES:
            return WITH(des);
        #endif
        #if KCP_TEA
        case KCP_CRYPT_TEA:
            return WITH(tea);
        #endif
        #if KCP_XTEA
        case KCP_CRYPT_XTEA:
            return WITH(xtea);
        #endif
        default:
            return 0;
    }
}

size_t kcp_crypt_bytes(int kind) {
    return (codec_bytes(kind) + KCP_CRYPT_ALIGN - 1) & ~(size_t)(KCP_CRYPT_ALIGN - 1);
}

int kcp_crypt_head(int kind) {
    return kcp_is_aead(kind) ? KCP_AEAD_HEAD_BYTES : KCP_HEAD_BYTES;
}

int kcp_crypt_tail(int kind) {
    return kcp_is_aead(kind) ? KCP_AEAD_TAIL_BYTES : 0;
}

int kcp_crypt_nonce(int kind) {
    return kcp_is_aead(kind) ? KCP_AEAD_HEAD_BYTES : KCP_NONCE_BYTES;
}

static int is_key_length(int kind, size_t n) {
    switch (kind) {
        case KCP_CRYPT_NONE:
            return n == 0;
        case KCP_CRYPT_XOR:
            return n == KCP_CRYPT_MAX_BYTES;
        case KCP_CRYPT_BLOWFISH:
            return n >= 1 && n <= 56;
        case KCP_CRYPT_TWOFISH:
            return n == 16 || n == 24 || n == 32;
        case KCP_CRYPT_3DES:
            return n == 24;
        case KCP_CRYPT_SALSA20:
        case KCP_CRYPT_CHACHA20_POLY1305:
            return n == 32;
        default:
            return n == (kcp_is_aes(kind) ? 4 * (size_t)(kcp_aes_rounds(kind) - 6) : 16);
    }
}

static void init_cipher(kcp_codec_t *codec, const uint8_t *key, size_t n_key) {
    (void)key;
    (void)n_key;
    switch (codec->kind) {
        #if KCP_XOR
        case KCP_CRYPT_XOR:
            memcpy(codec->u.table, key, n_key);
            break;
        #endif
        #if KCP_SALSA20
        case KCP_CRYPT_SALSA20:
        #endif
        #if KCP_CHACHA20_POLY1305
        case KCP_CRYPT_CHACHA20_POLY1305:
        #endif
        #if KCP_SALSA20 || KCP_CHACHA20_POLY1305
            memcpy(codec->u.key32.key, key, 32);
            break;
        #endif
        #if KCP_AES
        case KCP_CRYPT_AES_128:
        case KCP_CRYPT_AES_192:
        case KCP_CRYPT_AES_256:
            kcp_aes_init(&codec->u.aes, kcp_aes_rounds(codec->kind), codec->hardware, key);
            break;
        #endif
        #if KCP_AES_GCM
        case KCP_CRYPT_AES_128_GCM:
        case KCP_CRYPT_AES_192_GCM:
        case KCP_CRYPT_AES_256_GCM:
            kcp_gcm_init(&codec->u.gcm, kcp_aes_rounds(codec->kind), codec->hardware, key);
            break;
        #endif
        #if KCP_SM4
        case KCP_CRYPT_SM4:
            kcp_sm4_init(&codec->u.sm4, key);
            break;
        #endif
        #if KCP_TWOFISH
        case KCP_CRYPT_TWOFISH:
            kcp_twofish_init(&codec->u.twofish, key, n_key);
            break;
        #endif
        #if KCP_BLOWFISH
        case KCP_CRYPT_BLOWFISH:
            kcp_blowfish_init(&codec->u.blowfish, key, n_key);
            break;
        #endif
        #if KCP_CAST5
        case KCP_CRYPT_CAST5:
            kcp_cast5_init(&codec->u.cast5, key);
            break;
        #endif
        #if KCP_3DES
        case KCP_CRYPT_3DES:
            kcp_3des_init(&codec->u.des, key);
            break;
        #endif
        #if KCP_TEA
        case KCP_CRYPT_TEA:
            kcp_tea_init(&codec->u.tea, key);
            break;
        #endif
        #if KCP_XTEA
        case KCP_CRYPT_XTEA:
            kcp_xtea_init(&codec->u.xtea, key);
            break;
        #endif
        default:
            break;
    }
}

static int init(void *memory, size_t n_bytes, int kind, const uint8_t *key, size_t n_key, int hardware) {
    size_t needed = kcp_crypt_bytes(kind);
    if (needed == 0 || n_bytes < needed || (uintptr_t)memory % KCP_CRYPT_ALIGN) {
        return KCP_CRYPT_MISUSE;
    }
    if (!is_key_length(kind, n_key)) {
        return KCP_CRYPT_MISUSE;
    }
    kcp_codec_t *codec = memory;
    codec->mark = KCP_CODEC_MARK;
    codec->kind = (uint16_t)kind;
    codec->hardware = (uint16_t)(kcp_is_aes(kind) && hardware);
    init_cipher(codec, key, n_key);
    return 0;
}

int kcp_crypt_init(void *memory, size_t n_bytes, int kind, const uint8_t *key, size_t n_key) {
    #if KCP_AES
    return init(memory, n_bytes, kind, key, n_key, kcp_is_aes(kind) && kcp_aes_has_hardware());
    #else
    return init(memory, n_bytes, kind, key, n_key, 0);
    #endif
}

int kcp_crypt_init_portable(void *memory, size_t n_bytes, int kind, const uint8_t *key, size_t n_key) {
    return init(memory, n_bytes, kind, key, n_key, 0);
}

int kcp_crypt_is_valid(const void *memory, size_t n_bytes) {
    const kcp_codec_t *codec = memory;
    if (n_bytes < WITH(alignment) || (uintptr_t)memory % KCP_CRYPT_ALIGN) {
        return 0;
    }
    size_t needed = codec_bytes(codec->kind);
    return codec->mark == KCP_CODEC_MARK && needed && needed <= n_bytes;
}

int kcp_crypt_kind(const void *memory) {
    return ((const kcp_codec_t *)memory)->kind;
}

int kcp_crypt_is_hardware(const void *memory) {
    const kcp_codec_t *codec = memory;
    return codec->mark == KCP_CODEC_MARK && codec->hardware;
}
