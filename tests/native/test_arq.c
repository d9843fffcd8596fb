// The ARQ and its controllers where the twins do not go: forged times, numbers at their limits.

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kcp_arq.h"
#include "kcp_bytes.h"

#if KCP_ARQ

#define CONV (1)

static kcp_arq_t arq;
static kcp_stats_t stats;

static void *get(void *owner, size_t n_bytes) {
    (void)owner;
    return malloc(n_bytes);
}

static void put(void *owner, void *block, size_t n_bytes) {
    (void)owner;
    (void)n_bytes;
    free(block);
}

static const kcp_memory_t memory = {NULL, get, put, 0};

static kcp_arq_config_t config_of(int32_t mtu, int32_t wnd) {
    kcp_arq_config_t config = {0};
    config.conv = CONV;
    config.mtu = mtu;
    config.snd_wnd = config.rcv_wnd = wnd;
    config.interval_ms = 10;
    config.nc = config.stream = 1;
    return config;
}

// An ARQ with n_segs in flight at now_ms.
static void in_flight(int kind, int32_t wnd, size_t n_segs, uint32_t now_ms) {
    static uint8_t buf[1536];
    kcp_arq_config_t config = config_of(1500, wnd);
    CHECK(kcp_arq_init(&arq, &config, memory, &stats, NULL) == 0);
    kcp_arq_set_cc(&arq, kind, 0, 100);
    arq.rmt_wnd = wnd;
    size_t n_bytes = n_segs * (size_t)arq.mss;
    uint8_t *data = calloc(1, n_bytes);
    CHECK(kcp_arq_send(&arq, data, n_bytes) == (int32_t)n_bytes);
    free(data);
    kcp_arq_flush(&arq);
    while (kcp_arq_output(&arq, buf, now_ms) > 0) {
    }
}

// A segment without data comes.
static int input(uint8_t cmd, uint32_t ts, uint32_t sn, uint32_t una, uint32_t now_ms) {
    uint8_t p[KCP_OVERHEAD] = {CONV};
    p[4] = cmd;
    p[7] = 0x7f; // its window: 32512
    kcp_put_le32(p + 8, ts);
    kcp_put_le32(p + 12, sn);
    kcp_put_le32(p + 16, una);
    return kcp_arq_input(&arq, p, sizeof(p), now_ms, 1);
}

static void ack(uint32_t sn, uint32_t ts, uint32_t now_ms) {
    CHECK(input(KCP_CMD_ACK, ts & 0x3fffffff, sn, sn + 1, now_ms) == 0);
}

// Round trips of days: kcp-go takes them, so the ARQ does; but what the controller would add up to
// wild numbers, it does not look at.
static void test_forged_times(void) {
    in_flight(KCP_CC_RATE, 1024, 200, 1000);
    for (uint32_t i = 0; i < 100; i++) {
        ack(i, 1001 + i - (i & 1 ? 0x1fffffffu : 0x100000u), 1001 + i);
        CHECK(arq.cc.found.rtt_sum_ms == 0 && arq.rx_srtt > 0 && arq.rx_rttvar > 0);
        CHECK(arq.rx_rto == 60000);
    }
    ack(100, 1101 - 0xfffff, 1101);
    CHECK(arq.cc.found.rtt_sum_ms == 0xfffff);
    kcp_arq_free(&arq);
}

// The longest that count, for as long as a round may be made to last.
static void test_sums_stay_in_range(void) {
    in_flight(KCP_CC_RATE, 16384, 16384, 1000);
    for (uint32_t i = 0; i < 16384; i++) {
        ack(i, 1001u - 0xfffff, 1001);
        CHECK(arq.cc.found.rtt_sum_ms >= 0 && arq.cc.found.n_rtts <= 1024);
        if (arq.cc.found.delivered_bytes < 0 || arq.cc.rate < 0) {
            break;
        }
    }
    CHECK(arq.cc.found.delivered_bytes > 0 && arq.cc.rate >= 0);
    arq.cc.found.delivered_bytes = 0x3ffffff0;
    kcp_cc_on_ack(&arq, 1001, 0x7fffffff, 5);
    CHECK(arq.cc.found.delivered_bytes == 0x3fffffff);
    kcp_arq_free(&arq);
}

// All of a window in one ms.
static void test_rates_stay_in_range(void) {
    in_flight(KCP_CC_RATE, 16384, 16384, 1000);
    uint32_t sn = 0;
    while (sn < 6) {
        ack(sn++, 990, 1000);
    }
    for (int i = 0; i < 30; i++) {
        sn += i < 6 ? 2000 : 20;
        ack(sn, 1000 + 20 * (uint32_t)i - 15, 1001 + 20 * (uint32_t)i);
        CHECK(arq.cc.rate >= 0 && arq.cc.found.start > 0 && arq.cc.found.capacity >= 0 && arq.cc.cwnd > 0);
    }
    kcp_arq_free(&arq);
    CHECK(kcp_percent(0x3fffffff, 200) == KCP_MAX_RATE && kcp_percent(0x3fffffff, 80) == 858993458);
    CHECK(kcp_percent(12345, 125) == 15431 && kcp_percent(12345, 0) == 0);
    CHECK(kcp_per_second(0x3fffffff, 1) == 0x3fffffff && kcp_per_second(0x3fffffff, 1 << 29) == 1999);
    CHECK(kcp_per_second(12345, 7) == 1763571);
}

static void test_the_pacer_owes_no_more(void) {
    kcp_pacer_t pacer;
    kcp_pacer_init(&pacer, 1, 1);
    for (int i = 0; i < 10; i++) {
        kcp_pacer_take(&pacer, 0x3fffffff);
        CHECK(pacer.bucket.bytes <= 0 && pacer.bucket.bytes >= -0x0fffffff);
    }
    CHECK(kcp_pacer_wait_ms(&pacer, 5) == 0x10000000);
}

static void test_settings(void) {
    kcp_arq_config_t config = config_of(1400, 32);
    config.nodelay = config.interval_ms = config.resend = config.nc = -1;
    CHECK(kcp_arq_init(&arq, &config, memory, &stats, NULL) == 0);
    CHECK(arq.interval_ms == 100 && arq.nodelay == 0 && arq.rx_minrto == 100 && arq.resend == 0 && arq.nc == 0);
    CHECK(kcp_arq_send(&arq, (const uint8_t *)"x", 1) == 1);
    CHECK(kcp_arq_timeout(&arq, 5) == 95);
    kcp_arq_nodelay(&arq, -1, -1, 0x7fffffff, -1);
    CHECK(arq.resend == 0xfffe);
    kcp_cc_on_loss(&arq, 5, 1);
    CHECK(arq.cc.cwnd == 2 + 0xfffe);
    kcp_arq_set_cc(&arq, KCP_CC_RATE, 1, 0x7fffffff);
    CHECK(arq.payload_pct == 100);
    kcp_arq_free(&arq);
    config = config_of(1400, 32);
    config.max_queue = KCP_MAX_QUEUE;
    CHECK(kcp_arq_init(&arq, &config, memory, &stats, NULL) == 0);
    kcp_arq_free(&arq);
    config.max_queue = 0x7fffffff;
    CHECK(kcp_arq_init(&arq, &config, memory, &stats, NULL) == -1);
}

// Segments without data take memory, too.
static void test_empty_segments_are_charged(void) {
    kcp_budget_t budget = {0, 10};
    kcp_arq_config_t config = config_of(1400, 64);
    CHECK(kcp_arq_init(&arq, &config, memory, &stats, &budget) == 0);
    uint64_t before = stats.count[KCP_MEMORY_DROPS];
    for (uint32_t i = 0; i < 50; i++) {
        CHECK(input(KCP_CMD_PUSH, 0, 1 + i, 0, 5) == 0);
    }
    CHECK(budget.used_bytes == 10 && stats.count[KCP_MEMORY_DROPS] - before == 40);
    uint8_t buf[10];
    CHECK(input(KCP_CMD_PUSH, 0, 0, 0, 5) == 0); // the one that all wait for
    CHECK(budget.used_bytes == 11);
    CHECK(kcp_arq_read(&arq, buf, sizeof(buf)) == 0 && budget.used_bytes == 0);
    kcp_arq_free(&arq);
    CHECK(budget.used_bytes == 0);
}

#endif

void test_arq(void) {
    #if KCP_ARQ
    test_forged_times();
    test_sums_stay_in_range();
    test_rates_stay_in_range();
    test_the_pacer_owes_no_more();
    test_settings();
    test_empty_segments_are_charged();
    #endif
}
