// Token bucket and pacer: lib/kcp/_bucket.py and lib/kcp/_pacer.py say why.

#include "kcp_cc.h"
#include "kcp_clock.h"
#include "kcp_config.h"

#if KCP_ARQ

#define MAX_DATAGRAM (1500)
#define FIRST_SEGS (16)
#define BURST_SEGS (4)
#define BURST_MS (4)
#define NO_LIMIT (0x3fffffff)
#define MOST_OWED (0x0fffffff)

void kcp_bucket_init(kcp_bucket_t *b, int32_t rate, int32_t depth) {
    b->bytes = depth;
    b->thousandths = 0;
    b->has_begun = 0;
    b->at_ms = 0;
    kcp_bucket_set(b, rate, depth);
}

void kcp_bucket_set(kcp_bucket_t *b, int32_t rate, int32_t depth) {
    b->rate = rate;
    b->per_ms = rate / 1000;
    b->rest = rate % 1000;
    b->depth = depth;
    b->fill_ms = (uint32_t)((int64_t)(depth + MAX_DATAGRAM) * 1000 / rate + 1);
}

static void pour(kcp_bucket_t *b, uint32_t passed_ms) {
    if (b->bytes >= b->depth) {
        return;
    }
    int64_t n = b->depth;
    if (passed_ms < b->fill_ms) {
        int64_t fine = (int64_t)passed_ms * b->rest + b->thousandths;
        n = b->bytes + (int64_t)passed_ms * b->per_ms + fine / 1000;
        b->thousandths = (int32_t)(fine % 1000);
    }
    if (n >= b->depth) {
        n = b->depth;
        b->thousandths = 0;
    }
    b->bytes = (int32_t)n;
}

void kcp_bucket_fill(kcp_bucket_t *b, uint32_t now_ms) {
    if (!b->has_begun) {
        b->has_begun = 1;
        b->at_ms = now_ms;
        return;
    }
    uint32_t passed_ms = kcp_since(now_ms, b->at_ms);
    if (passed_ms) {
        b->at_ms = now_ms;
        pour(b, passed_ms);
    }
}

int32_t kcp_bucket_wait_ms(kcp_bucket_t *b, uint32_t now_ms) {
    kcp_bucket_fill(b, now_ms);
    if (b->bytes > 0) {
        return 0;
    }
    int64_t missing = (int64_t)(1 - b->bytes) * 1000 - b->thousandths;
    int64_t wait_ms = (missing + b->rate - 1) / b->rate;
    return wait_ms < KCP_CLOCK_LONGEST ? (int32_t)wait_ms : (int32_t)KCP_CLOCK_LONGEST;
}

void kcp_pacer_init(kcp_pacer_t *p, int32_t mss, int32_t rate) {
    p->mss = mss;
    p->rate = 0;
    kcp_bucket_init(&p->bucket, rate ? rate : mss, FIRST_SEGS * mss);
    kcp_pacer_set_rate(p, rate);
}

void kcp_pacer_set_rate(kcp_pacer_t *p, int32_t rate) {
    if (rate == p->rate) {
        return;
    }
    if (rate && p->rate) {
        int32_t depth = BURST_SEGS * p->mss;
        if (rate / 1000 * BURST_MS > depth) {
            depth = rate / 1000 * BURST_MS;
        }
        kcp_bucket_set(&p->bucket, rate, depth);
    } else if (rate) {
        kcp_bucket_set(&p->bucket, rate, FIRST_SEGS * p->mss);
    }
    p->rate = rate;
}

int32_t kcp_pacer_room_bytes(kcp_pacer_t *p, uint32_t now_ms) {
    if (!p->rate) {
        return NO_LIMIT;
    }
    kcp_bucket_fill(&p->bucket, now_ms);
    return p->bucket.bytes;
}

int32_t kcp_pacer_wait_ms(kcp_pacer_t *p, uint32_t now_ms) {
    return p->rate ? kcp_bucket_wait_ms(&p->bucket, now_ms) : 0;
}

void kcp_pacer_take(kcp_pacer_t *p, int32_t n_bytes) {
    if (p->rate) {
        int32_t left = p->bucket.bytes - n_bytes;
        p->bucket.bytes = left > -MOST_OWED ? left : -MOST_OWED;
    }
}

#endif
