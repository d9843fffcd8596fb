// Misuse of the session is refused, and what it takes stays within its limits.

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kcp_session.h"

#if KCP_SESSION

static size_t held;
static kcp_session_t session;
static kcp_stats_t stats;
static uint8_t buf[KCP_BUFFER_BYTES];

static void *get(void *owner, size_t n_bytes) {
    (void)owner;
    held += n_bytes;
    return malloc(n_bytes);
}

static void put(void *owner, void *block, size_t n_bytes) {
    (void)owner;
    held -= n_bytes;
    free(block);
}

static void fill_nonce(void *owner, uint8_t *bytes, size_t n) {
    (void)owner;
    memset(bytes, 7, n);
}

static kcp_session_config_t config_of(int32_t mtu) {
    kcp_session_config_t config = {0};
    config.arq.conv = 1;
    config.arq.mtu = mtu;
    config.arq.snd_wnd = config.arq.rcv_wnd = 32;
    config.arq.interval_ms = 10;
    config.arq.stream = 1;
    config.payload_pct = 100;
    config.max_fec_bytes = 20000;
    config.dead_ms = 10000;
    return config;
}

static int init(const kcp_session_config_t *config, int kind) {
    static uint64_t codec[700];
    static const uint8_t key[32];
    kcp_memory_t memory = {NULL, get, put, 0};
    kcp_entropy_t entropy = {NULL, fill_nonce};
    if (kind && kcp_crypt_init(codec, sizeof(codec), kind, key, 32)) {
        return 1; // (it is left out)
    }
    return kcp_session_init(&session, config, kind ? codec : NULL, kind, memory, entropy, &stats, NULL, 0);
}

static void test_no_datagram_is_too_long(void) {
    static const int32_t refused[] = {-0x7fffffff - 1, -1, 0, 24, 52, 1501, 1520, 1528, 1600, 0x7fffffff};
    static const uint8_t data[4000];
    kcp_session_config_t config = config_of(1500);
    if (init(&config, KCP_CRYPT_CHACHA20_POLY1305)) {
        return;
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CHECK(kcp_session_set_mtu(&session, refused[i]) == -1);
    }
    CHECK(session.arq.mtu == 1500 - 12 - 16);
    CHECK(kcp_session_send(&session, data, sizeof(data)) == sizeof(data));
    CHECK(kcp_session_output(&session, buf, 1) == 1500);
    kcp_session_free(&session);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        config.arq.mtu = refused[i];
        CHECK(init(&config, KCP_CRYPT_CHACHA20_POLY1305) == -1);
    }
    CHECK(held == 0);
}

static void test_configurations_that_are_none(void) {
    kcp_session_config_t config = config_of(1400);
    config.parity = 3;
    CHECK(init(&config, 0) == -1);
    config.data = 10;
    CHECK(init(&config, 0) == 0);
    kcp_session_free(&session);
    config.parity = 250;
    CHECK(init(&config, 0) == -1);
    config = config_of(1400);
    config.cc = 3;
    CHECK(init(&config, 0) == -1);
    config = config_of(1400);
    config.dead_ms = 0;
    CHECK(init(&config, 0) == -1);
    CHECK(held == 0);
}

// Limits of more than the clock can tell: they end after three days, and do not hide what is due.
static void test_long_limits(void) {
    kcp_session_config_t config = config_of(1400);
    config.idle_ms = 0xffffffff;
    CHECK(init(&config, 0) == 0);
    CHECK(kcp_session_timeout(&session, 5) == 0x10000000 - 5);
    CHECK(kcp_session_send(&session, (const uint8_t *)"x", 1) == 1 && kcp_session_output(&session, buf, 5) > 0);
    CHECK(kcp_session_timeout(&session, 5) == 200);
    kcp_session_free(&session);
}

// What is fixed stays; a value out of range changes nothing.
static void test_settings(void) {
    kcp_session_config_t config = config_of(1400), other;
    config.data = 3;
    config.parity = 2;
    CHECK(init(&config, 0) == 0);
    other = config_of(1000);
    other.arq.snd_wnd = 0x7fffffff;
    CHECK(kcp_session_set(&session, &other) == -1 && session.arq.mtu == 1400 - 8);
    other.arq.snd_wnd = 64;
    other.cc = -1;
    CHECK(kcp_session_set(&session, &other) == -1 && session.arq.mtu == 1400 - 8);
    other.cc = KCP_CC_RATE;
    CHECK(kcp_session_set(&session, &other) == 0 && session.arq.mtu == 1000 - 8 && session.config.data == 3);
    CHECK(session.arq.max_queue == 128);
    kcp_session_free(&session);
    CHECK(held == 0);
}

#endif

void test_session(void) {
    #if KCP_SESSION
    test_no_datagram_is_too_long();
    test_configurations_that_are_none();
    test_long_limits();
    test_settings();
    #endif
}
