// The controller that finds out what the path carries: lib/kcp/_cc_rate.py says how.

#include "kcp_arq.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define FLOOR_MS (2)
#define NEAR_MS (8)
#define QUEUE_MS (5)
#define N_SAMPLES (5)
#define BASE_MS (10000)
#define MAX_PER_MS (1000000)
#define MAX_CWND (1 << 20)
#define NO_LIMIT (0x3fffffff)

enum { DRAIN = 0, CRUISE = 1, PROBE = 6, SOONEST_PROBE = 2, MAX_DRAINS = 3 };

static int32_t less(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t more(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static void begin(kcp_cc_rate_t *r, uint32_t now_ms) {
    r->begin_ms = now_ms;
    r->delivered_bytes = 0;
    r->rtt_sum_ms = r->n_rtts = r->last_rtt_ms = r->rtt_before_ms = 0;
    r->least_rtt_ms = NO_LIMIT;
    r->is_starved = 0;
}

void kcp_rate_start(kcp_arq_t *a) {
    kcp_cc_rate_t *r = &a->cc.found;
    a->cc.cwnd = MAX_CWND;
    r->floor = kcp_percent(a->mss * 1000 / FLOOR_MS, a->payload_pct);
    a->cc.rate = r->floor;
    r->capacity = 0;
    r->base_ms = -1;
    r->start = r->floor;
    r->base_at_ms = 0;
    r->phase = CRUISE;
    r->probe_at = PROBE;
    r->n_drains = 0;
    r->is_near = 0;
    r->is_running = 0;
    begin(r, 0);
}

static void set_near(kcp_cc_t *cc, int32_t rtt_ms) {
    cc->found.is_near = rtt_ms < NEAR_MS;
    if (cc->found.is_near) {
        cc->rate = 0;
    }
}

static void find_base(kcp_cc_t *cc, uint32_t now_ms, int32_t mean_ms) {
    kcp_cc_rate_t *r = &cc->found;
    if (r->base_ms < 0) {
        mean_ms = r->least_rtt_ms; // the first ones may have made a queue of their own
    }
    int is_old = kcp_since(now_ms, r->base_at_ms) > BASE_MS;
    if (r->base_ms < 0 || mean_ms <= r->base_ms || is_old) {
        r->base_ms = mean_ms;
        r->base_at_ms = now_ms;
        set_near(cc, mean_ms);
    }
}

static void start_drain(kcp_cc_rate_t *r) {
    r->phase = DRAIN;
    r->n_drains = 0;
}

static void first_look(kcp_cc_t *cc, int32_t rate, int is_queued, int ends_queued) {
    kcp_cc_rate_t *r = &cc->found;
    if (r->is_starved) {
        return;
    }
    if (is_queued || (ends_queued && rate < kcp_percent(cc->rate, 80))) {
        r->capacity = rate;
        start_drain(r);
    } else {
        r->start = more(r->start, kcp_percent(rate, 150));
    }
}

static void queue_stands(kcp_cc_rate_t *r, uint32_t now_ms, int32_t rate, int32_t mean_ms) {
    if (r->phase != DRAIN) {
        if (!r->is_starved) {
            r->capacity = more(rate, kcp_percent(r->capacity, 75));
        }
        start_drain(r);
        r->probe_at = PROBE;
        return;
    }
    r->capacity = more(rate, r->capacity);
    if (++r->n_drains == MAX_DRAINS) {
        r->base_ms = mean_ms;
        r->base_at_ms = now_ms;
        r->phase = r->probe_at;
    }
}

static void no_queue(kcp_cc_rate_t *r, int32_t rate) {
    int has_grown = rate > kcp_percent(r->capacity, 110);
    if (!r->is_starved) {
        r->capacity = more(rate, r->capacity);
    }
    if (r->phase < r->probe_at) {
        r->phase++;
    } else if (!has_grown) {
        r->phase = CRUISE;
        r->probe_at = (int8_t)more(r->probe_at / 2, SOONEST_PROBE);
    }
}

static void learn(kcp_cc_t *cc, uint32_t now_ms, int32_t rate) {
    kcp_cc_rate_t *r = &cc->found;
    int32_t mean_ms = r->rtt_sum_ms / r->n_rtts;
    find_base(cc, now_ms, mean_ms);
    int32_t spread_ms = mean_ms - r->least_rtt_ms;
    int32_t limit_ms = r->base_ms + more(more(r->base_ms / 4, QUEUE_MS), spread_ms * 3 / 2);
    if (!r->capacity) {
        // two, because one may be late by itself: repaired by FEC, or sent again
        int32_t last_ms = less(r->last_rtt_ms, r->rtt_before_ms);
        first_look(cc, rate, mean_ms > limit_ms, last_ms > limit_ms);
    } else if (mean_ms > limit_ms) {
        queue_stands(r, now_ms, rate, mean_ms);
    } else {
        no_queue(r, rate);
    }
}

static void set_rate(kcp_arq_t *a) {
    kcp_cc_rate_t *r = &a->cc.found;
    if (r->is_near) {
        return;
    }
    int32_t window_bytes = less(a->snd_wnd, a->rmt_wnd) * a->mss;
    int32_t per_ms = less(window_bytes / more(r->base_ms, 1), MAX_PER_MS);
    int32_t rate = more(kcp_percent(per_ms * 1000, a->payload_pct), r->floor);
    if (r->capacity) {
        int32_t pct = r->phase == DRAIN ? 80 : r->phase >= r->probe_at ? 125 : 97;
        rate = less(rate, kcp_percent(r->capacity, pct));
    } else {
        rate = less(rate, r->start);
    }
    a->cc.rate = more(rate, a->mss); // a segment per second, whatever was seen
}

void kcp_rate_on_ack(kcp_arq_t *a, uint32_t now_ms, int32_t n_bytes, int32_t rtt_ms) {
    kcp_cc_rate_t *r = &a->cc.found;
    if (!n_bytes) {
        return;
    }
    r->delivered_bytes += n_bytes;
    if (rtt_ms >= 0) {
        r->rtt_sum_ms += rtt_ms;
        r->n_rtts++;
        r->rtt_before_ms = r->last_rtt_ms;
        r->last_rtt_ms = rtt_ms;
        r->least_rtt_ms = less(r->least_rtt_ms, rtt_ms);
        if (r->base_ms < 0) {
            set_near(&a->cc, rtt_ms);
        }
    }
    if (r->is_running && (kcp_sn_before(a->snd_una, r->end_sn) || r->n_rtts < N_SAMPLES)) {
        return;
    }
    if (r->is_running) {
        uint32_t passed_ms = kcp_since(now_ms, r->begin_ms);
        if (passed_ms > 0 && passed_ms < KCP_CLOCK_HALF) {
            learn(&a->cc, now_ms, kcp_per_second(r->delivered_bytes, (int32_t)passed_ms));
            set_rate(a);
        }
    }
    r->is_running = 1;
    r->end_sn = a->snd_nxt;
    begin(r, now_ms);
}

#endif
