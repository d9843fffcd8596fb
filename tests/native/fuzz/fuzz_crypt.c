// Fuzz target: datagrams to every codec. Nothing a network sends may do more than be refused.
//
// Input: the kind, a byte that picks what is done, then the datagram. For libFuzzer as it is
// (clang -fsanitize=fuzzer,address), for gcc with driver.c.

#include <stdlib.h>
#include <string.h>

#include "kcp_crypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[KCP_CRYPT_MAX_BYTES] = {1, 2, 3};

static size_t key_bytes(int kind) {
    switch (kind) {
        case KCP_CRYPT_NONE:
            return 0;
        case KCP_CRYPT_XOR:
            return KCP_CRYPT_MAX_BYTES;
        case KCP_CRYPT_AES_192:
        case KCP_CRYPT_AES_192_GCM:
        case KCP_CRYPT_3DES:
            return 24;
        case KCP_CRYPT_SALSA20:
        case KCP_CRYPT_AES_256:
        case KCP_CRYPT_AES_256_GCM:
        case KCP_CRYPT_CHACHA20_POLY1305:
            return 32;
        default:
            return 16;
    }
}

// A payload that is sealed must come out again.
static void round_trip(const void *codec, int kind, const uint8_t *data, size_t size) {
    size_t head = (size_t)kcp_crypt_head(kind), tail = (size_t)kcp_crypt_tail(kind);
    uint8_t *buf = calloc(1, size + head + tail);
    memcpy(buf + head, data, size);
    int n = kcp_crypt_seal(codec, buf, size + head + tail, head + size);
    if (n >= 0) {
        int off = kcp_crypt_open(codec, buf, (size_t)n);
        int is_taken = size >= 4 || tail ? off == (int)head : off == KCP_CRYPT_TOO_SHORT;
        if (!is_taken || (off > 0 && memcmp(buf + head, data, size) != 0)) {
            abort();
        }
    } else if (size + head + tail <= KCP_CRYPT_MAX_BYTES) {
        abort();
    }
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint64_t memory[700];
    if (size < 2) {
        return 0;
    }
    int kind = data[0] % (KCP_CRYPT_XTEA + 2), is_portable = data[1] & 1, is_sealing = data[1] & 2;
    if (kcp_crypt_bytes(kind) == 0) {
        return 0;
    }
    if (is_portable) {
        kcp_crypt_init_portable(memory, sizeof(memory), kind, key, key_bytes(kind));
    } else {
        kcp_crypt_init(memory, sizeof(memory), kind, key, key_bytes(kind));
    }
    data += 2;
    size -= 2;
    if (is_sealing) {
        round_trip(memory, kind, data, size);
        return 0;
    }
    uint8_t *buf = malloc(size ? size : 1);
    memcpy(buf, data, size);
    int off = kcp_crypt_open(memory, buf, size);
    if (off != KCP_CRYPT_TOO_SHORT && off != KCP_CRYPT_BAD_SUM && off != kcp_crypt_head(kind)) {
        abort();
    }
    free(buf);
    return 0;
}
