// FEC where the twins do not go: memory that is refused now and then.

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kcp_fec.h"

#if KCP_FEC

#define SIZE (200)
#define PACKET (98)

static size_t held;
static int n_gets, is_refused_at;

static void *get(void *owner, size_t n_bytes) {
    (void)owner;
    if (++n_gets == is_refused_at) {
        return NULL;
    }
    held += n_bytes;
    return malloc(n_bytes);
}

static void put(void *owner, void *block, size_t n_bytes) {
    (void)owner;
    held -= n_bytes;
    free(block);
}

// A decoder that does not know its peer's 3 + 2 loses a third of what comes; how many packets it
// repairs if it is refused memory once.
static int n_repaired(int refused_at) {
    static kcp_decoder_t d;
    kcp_encoder_t e;
    kcp_stats_t stats = {{0}};
    kcp_memory_t memory = {NULL, get, put, 0};
    uint8_t packet[SIZE + KCP_FEC_HEAD], out[SIZE];
    int n = 0;
    is_refused_at = 0;
    CHECK(kcp_encoder_init(&e, memory, 3, 2, SIZE, 0) == 0);
    CHECK(kcp_decoder_init(&d, memory, 0, 0, SIZE, 100000, &stats, 0) == 0);
    n_gets = 0;
    is_refused_at = refused_at;
    for (uint32_t i = 0; i < 900; i++) {
        memset(packet, (int)i, PACKET);
        kcp_encoder_data(&e, packet, PACKET, i);
        if (i < 300 || i % 3 != 1) {
            kcp_decoder_input(&d, packet, PACKET);
        }
        while (e.n_parity) {
            kcp_decoder_input(&d, packet, kcp_encoder_parity(&e, packet));
            while (kcp_decoder_repair(&d, out)) {
                n++;
            }
        }
    }
    CHECK(d.data == 3 && d.n == 5);
    kcp_decoder_free(&d);
    kcp_encoder_free(&e);
    CHECK(held == 0);
    return n;
}

// One refusal costs one group, not all repair for good.
static void test_a_refusal(void) {
    CHECK(n_repaired(0) == 200);
    for (int at = 1; at < 40; at++) {
        CHECK(n_repaired(at) >= 199);
    }
}

#endif

void test_fec(void) {
    #if KCP_FEC
    test_a_refusal();
    #endif
}
