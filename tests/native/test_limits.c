// Misuse is refused, whatever it is, and writes nowhere.

#include <string.h>

#include "check.h"
#include "kcp_crypt.h"
#include "kcp_kernels.h"

static void test_codecs(void) {
    uint64_t memory[700];
    uint8_t key[KCP_CRYPT_MAX_BYTES] = {0}, buf[KCP_CRYPT_MAX_BYTES + 40] = {0};
    for (int kind = -1; kind < 30; kind++) {
        size_t n = kcp_crypt_bytes(kind);
        CHECK(n <= sizeof(memory) && n % KCP_CRYPT_ALIGN == 0);
        if (kind < KCP_CRYPT_NONE || kind > KCP_CRYPT_XTEA) {
            CHECK(n == 0);
        }
        memset(memory, 0, sizeof(memory));
        int n_taken = 0;
        for (size_t n_key = 0; n_key <= KCP_CRYPT_MAX_BYTES; n_key += n_key < 60 ? 1 : 10) {
            n_taken += kcp_crypt_init(memory, sizeof(memory), kind, key, n_key) == 0;
        }
        CHECK(n_taken == (n == 0 ? 0 : kind == KCP_CRYPT_BLOWFISH ? 56 : kind == KCP_CRYPT_TWOFISH ? 3 : 1));
        if (n == 0) {
            continue;
        }
        size_t tail = (size_t)kcp_crypt_tail(kind), head = (size_t)kcp_crypt_head(kind);
        CHECK(kcp_crypt_seal(memory, buf, sizeof(buf), head - 1) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_seal(memory, buf, head + 9, head + 10) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_seal(memory, buf, sizeof(buf), KCP_CRYPT_MAX_BYTES - tail + 1) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_seal(memory, buf, (size_t)-1, (size_t)-1) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_seal(memory, buf, sizeof(buf), KCP_CRYPT_MAX_BYTES - tail) == KCP_CRYPT_MAX_BYTES);
        CHECK(kcp_crypt_open(memory, buf, KCP_CRYPT_MAX_BYTES) == (int)head);
        CHECK(kcp_crypt_open(memory, buf, KCP_CRYPT_MAX_BYTES + 1) == KCP_CRYPT_TOO_SHORT);
        for (size_t few = 0; few < head + tail; few++) {
            CHECK(kcp_crypt_open(memory, buf, few) == KCP_CRYPT_TOO_SHORT);
        }
        if (tail) {
            CHECK(kcp_crypt_run(memory, buf, 50, 0) == KCP_CRYPT_MISUSE);
        } else {
            CHECK(kcp_crypt_run(memory, buf, 50, 0) == 0);
            CHECK(kcp_crypt_run(memory, buf, KCP_CRYPT_MAX_BYTES + 1, 0) == KCP_CRYPT_MISUSE);
        }
        CHECK(kcp_crypt_is_valid(memory, n) && !kcp_crypt_is_valid(memory, n - 8));
        CHECK(!kcp_crypt_is_valid((uint8_t *)memory + 4, n) && !kcp_crypt_is_valid(memory, 0));
        memset(memory, 0, 8); // no codec any more
        CHECK(!kcp_crypt_is_valid(memory, n));
        CHECK(kcp_crypt_seal(memory, buf, sizeof(buf), 100) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_open(memory, buf, 100) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_run(memory, buf, 100, 1) == KCP_CRYPT_MISUSE);
        size_t n_key = kind == KCP_CRYPT_NONE ? 0 : kind == KCP_CRYPT_XOR ? KCP_CRYPT_MAX_BYTES
            : kind == KCP_CRYPT_3DES || kind == KCP_CRYPT_AES_192 || kind == KCP_CRYPT_AES_192_GCM ? 24
            : kind == KCP_CRYPT_SALSA20 || kind == KCP_CRYPT_CHACHA20_POLY1305
            || kind == KCP_CRYPT_AES_256 || kind == KCP_CRYPT_AES_256_GCM ? 32 : 16;
        CHECK(kcp_crypt_init(memory, n, kind, key, n_key) == 0);
        CHECK(kcp_crypt_init(memory, n - 1, kind, key, n_key) == KCP_CRYPT_MISUSE);
        CHECK(kcp_crypt_init((uint8_t *)memory + 4, n, kind, key, n_key) == KCP_CRYPT_MISUSE);
    }
}

#if KCP_RS
static void test_reed_solomon(void) {
    uint8_t row[KCP_RS_MAX_SHARDS], have[3] = {1, 0, 0}, shard[8] = {0};
    uint8_t *shards[3] = {shard, shard, shard};
    CHECK(kcp_rs_row(row, 0, 0) == -1 && kcp_rs_row(row, 3, -1) == -1);
    CHECK(kcp_rs_row(row, 256, 0) == -1 && kcp_rs_row(row, 200, 56) == -1);
    CHECK(kcp_rs_row(row, 255, 0) == 0 && kcp_rs_row(row, 200, 55) == 0);
    CHECK(kcp_rs_encode(shards, 0, 1, 8) == -1 && kcp_rs_encode(shards, 1, 0, 8) == -1);
    CHECK(kcp_rs_encode(shards, 200, 57, 8) == -1 && kcp_rs_encode(shards, 1, 1 << 30, 8) == -1);
    CHECK(kcp_rs_reconstruct(shards, have, 2, 1, 8) == -1);
    CHECK(kcp_rs_reconstruct(shards, have, 0, 3, 8) == -1);
}
#endif

void test_limits(void) {
    test_codecs();
    #if KCP_RS
    test_reed_solomon();
    #endif
}
