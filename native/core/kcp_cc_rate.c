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
#define MORE_SEGS (8)
#define NEAR_SEGS (64)
#define TOGETHER_SEGS (2)
#define CALM_MS (4)
#define OVERFLOWN (20) // thousandths lost
#define FINE (256)
#define MAX_SEGS (100000)
#define MAX_RTT_MS (0xfffff) // 17 minutes: more was not measured, but forged
#define MAX_RTTS (1024) // of a round: their sum stays below 2**30
#define GIVE_WAY_MS (2000)
#define NO_LIMIT (0x3fffffff)

// a round's number within a cycle
enum { DRAIN = 0, CRUISE = 1, PROBE = 6, SOONEST_PROBE = 2, MAX_PROBE = 60, MAX_DRAINS = 3 };

// per cent of the capacity
enum { DRAIN_PCT = 80, CRUISE_PCT = 97, PROBE_PCT = 125, GENTLE_PCT = 112, CUT = 85, MOST_CUT = 60 };

static int32_t less(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t more(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static void begin(kcp_cc_rate_t *r, uint32_t now_ms) {
    r->begin_ms = now_ms;
    r->delivered_bytes = r->n_lost = 0;
    r->rtt_sum_ms = r->n_rtts = r->last_rtt_ms = r->rtt_before_ms = 0;
    r->least_rtt_ms = NO_LIMIT;
    r->is_starved = r->is_full = 0;
}

void kcp_rate_start(kcp_arq_t *a) {
    kcp_cc_rate_t *r = &a->cc.found;
    a->cc.cwnd = MAX_CWND;
    r->floor = kcp_percent(a->mss * 1000 / FLOOR_MS, a->payload_pct);
    a->cc.rate = r->floor;
    r->capacity = 0;
    r->base_ms = -1;
    r->is_shared = 0;
    r->next_base_ms = NO_LIMIT;
    r->base_at_ms = 0;
    r->spread_ms = 0;
    r->ambient = 0;
    r->start = r->floor;
    r->phase = CRUISE;
    r->probe_at = PROBE;
    r->before = 0;
    r->is_gentle = 0;
    r->n_drains = 0;
    r->is_near = 0;
    r->is_opening = 1;
    r->is_running = 0;
    begin(r, 0);
}

static void set_near(kcp_cc_t *cc, int32_t rtt_ms) {
    int was_near = cc->found.is_near;
    cc->found.is_near = rtt_ms < NEAR_MS;
    if (cc->found.is_near && !was_near) {
        cc->rate = 0;
        cc->cwnd = NEAR_SEGS;
        cc->found.is_opening = 1;
    }
}

static void note(kcp_cc_t *cc, int32_t rtt_ms) {
    kcp_cc_rate_t *r = &cc->found;
    if (r->n_rtts < MAX_RTTS) {
        r->rtt_sum_ms += rtt_ms;
        r->n_rtts++;
    }
    r->rtt_before_ms = r->last_rtt_ms;
    r->last_rtt_ms = rtt_ms;
    r->least_rtt_ms = less(r->least_rtt_ms, rtt_ms);
    if (r->base_ms < 0) {
        set_near(cc, rtt_ms);
    }
}

static void find_base(kcp_cc_t *cc, uint32_t now_ms, int32_t mean_ms) {
    kcp_cc_rate_t *r = &cc->found;
    if (r->base_ms < 0) {
        mean_ms = r->least_rtt_ms; // the first ones may have made a queue of their own
        r->base_at_ms = now_ms;
        r->base_ms = mean_ms;
        set_near(cc, mean_ms);
    }
    r->next_base_ms = less(r->next_base_ms, mean_ms);
    int is_old = kcp_since(now_ms, r->base_at_ms) > BASE_MS;
    if (mean_ms <= r->base_ms || is_old) {
        r->base_ms = less(r->next_base_ms, mean_ms);
        r->base_at_ms = now_ms;
        r->next_base_ms = mean_ms;
        set_near(cc, r->base_ms);
    }
}

// The mean round trip above which there is a standing queue.
static int32_t queue_limit(const kcp_cc_rate_t *r, int32_t mss) {
    int32_t limit_ms = r->base_ms + more(more(r->base_ms / 4, QUEUE_MS), r->spread_ms * 3 / 2);
    if (r->capacity) { // segments that leave together wait for each other
        limit_ms += TOGETHER_SEGS * mss * 1000 / r->capacity;
    }
    return limit_ms;
}

// Was more lost in this round than is lost anyway?
static int has_overflowed(kcp_cc_rate_t *r, int32_t mean_ms, int32_t mss) {
    int32_t n_lost = less(r->n_lost, MAX_SEGS);
    int32_t n_segs = less(r->delivered_bytes / mss, MAX_SEGS) + n_lost + 1;
    int32_t lost = n_lost * 1000 / n_segs, usual = r->ambient / FINE;
    int32_t little_ms = more(r->base_ms / 8, CALM_MS);
    int is_calm = mean_ms <= r->base_ms + more(little_ms, r->spread_ms);
    if (!r->is_near && r->least_rtt_ms <= r->base_ms + more(little_ms, r->spread_ms / 2)) {
        is_calm = 1; // it was empty at times: no queue that runs over, but jitter
    }
    int32_t part = is_calm ? 16 : 64;
    r->ambient += lost * FINE / part - r->ambient / part;
    return !is_calm && lost > 3 * usual + OVERFLOWN;
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
        if (r->start > r->floor) { // not much below the most that was delivered
            r->capacity = more(rate, kcp_percent(r->start, 40));
        }
        start_drain(r);
    } else {
        r->start = more(r->start, kcp_percent(rate, 200));
    }
}

// Set the capacity to pct % of what was delivered, but to least_pct % of itself at least.
static void lower(kcp_cc_rate_t *r, int32_t rate, int32_t pct, int32_t least_pct) {
    if (!r->is_starved && !r->is_full) {
        r->capacity = more(kcp_percent(rate, pct), kcp_percent(r->capacity, least_pct));
    }
}

static void queue_stands(kcp_cc_t *cc, int32_t rate) {
    kcp_cc_rate_t *r = &cc->found;
    if (r->phase != DRAIN) {
        lower(r, rate, 100, 75);
        start_drain(r);
        r->probe_at = PROBE;
    } else if (rate < kcp_percent(cc->rate, 80) && !r->is_starved) {
        // it is ours: the path carries less than we send even now
        lower(r, rate, 100, 75);
        r->n_drains = 0;
    } else if (++r->n_drains == MAX_DRAINS) {
        r->is_shared = 1;
        r->phase = CRUISE;
    }
}

// The queue has run over: whoever did it, give way, and leave the others time to grow.
static void overflow(kcp_cc_t *cc, int32_t rate, int32_t round_ms) {
    kcp_cc_rate_t *r = &cc->found;
    if (r->phase == DRAIN) {
        queue_stands(cc, rate);
        return;
    }
    if (r->is_gentle && r->phase == CRUISE) {
        r->phase++; // that was before we gave way
        return;
    }
    lower(r, less(rate, r->capacity), CUT, MOST_CUT);
    r->is_gentle = 1;
    r->probe_at = (int8_t)less(more(GIVE_WAY_MS / round_ms, PROBE), MAX_PROBE);
    r->phase = r->is_shared ? CRUISE : DRAIN;
    r->n_drains = 0;
}

// There is no queue, or none that we can help.
static void go_on(kcp_cc_rate_t *r, int32_t rate) {
    // (just after an overflow comes what was sent before we gave way)
    if (!r->is_starved && (r->phase > CRUISE || !r->is_gentle)) {
        r->capacity = more(rate, r->capacity);
    }
    r->phase++;
    if (r->phase == r->probe_at) {
        r->before = r->capacity;
    } else if (r->phase > r->probe_at + 1) { // what the probe has brought came a round later
        if (r->capacity > kcp_percent(r->before, 105)) {
            r->probe_at = SOONEST_PROBE;
            r->is_gentle = 0;
        } else {
            r->probe_at = PROBE;
        }
        r->phase = CRUISE;
    }
}

// The window towards a near peer, after a round.
static void fit_near(kcp_arq_t *a, int is_overflow) {
    kcp_cc_rate_t *r = &a->cc.found;
    if (is_overflow) {
        int32_t n_segs = less(a->cc.cwnd, r->delivered_bytes / a->mss);
        a->cc.cwnd = more(n_segs * CUT / 100, NEAR_SEGS);
        r->is_opening = 0;
    } else if (a->cc.cwnd < less(a->snd_wnd, a->rmt_wnd)) {
        a->cc.cwnd += r->is_opening ? a->cc.cwnd : 1;
    }
}

static void learn(kcp_arq_t *a, uint32_t now_ms, int32_t rate) {
    kcp_cc_t *cc = &a->cc;
    kcp_cc_rate_t *r = &cc->found;
    int32_t mean_ms = r->rtt_sum_ms / r->n_rtts;
    find_base(cc, now_ms, mean_ms);
    r->spread_ms = more(mean_ms - r->least_rtt_ms, r->spread_ms * 7 / 8);
    int32_t limit_ms = queue_limit(r, a->mss);
    int is_queued = mean_ms > limit_ms;
    int is_overflow = has_overflowed(r, mean_ms, a->mss);
    is_queued = is_queued || is_overflow;
    if (r->is_near) {
        fit_near(a, is_overflow);
    }
    if (!is_queued) {
        r->is_shared = 0;
    }
    if (!r->capacity) {
        // two, because one may be late by itself: repaired by FEC, or sent again
        int32_t last_ms = less(r->last_rtt_ms, r->rtt_before_ms);
        first_look(cc, rate, is_queued, last_ms > limit_ms);
    } else if (!is_queued || (r->is_shared && !is_overflow)) {
        go_on(r, rate);
    } else if (is_overflow) {
        overflow(cc, rate, (int32_t)kcp_since(now_ms, r->begin_ms));
    } else {
        queue_stands(cc, rate);
    }
}

static int32_t pct_now(const kcp_cc_rate_t *r) {
    if (r->phase == DRAIN) {
        return DRAIN_PCT;
    }
    if (r->phase == r->probe_at) {
        return r->is_gentle ? GENTLE_PCT : PROBE_PCT;
    }
    return CRUISE_PCT;
}

// Two round trips at the rate `most`.
static void set_cwnd(kcp_arq_t *a, int32_t most) {
    kcp_cc_rate_t *r = &a->cc.found;
    int32_t trips_ms = 2 * r->base_ms;
    if (r->is_shared) { // their queue has to be filled with ours
        trips_ms = r->base_ms + more(a->rx_srtt, r->base_ms);
    }
    int32_t per_ms = most / 1000;
    trips_ms = less(trips_ms, NO_LIMIT / (per_ms + 1)); // a product below 2**30
    a->cc.cwnd = per_ms * trips_ms / a->mss + MORE_SEGS;
}

static void set_rate(kcp_arq_t *a) {
    kcp_cc_rate_t *r = &a->cc.found;
    if (r->is_near) {
        return;
    }
    int32_t window_bytes = less(a->snd_wnd, a->rmt_wnd) * a->mss;
    int32_t per_ms = less(window_bytes / more(r->base_ms, 1), MAX_PER_MS);
    int32_t rate = more(kcp_percent(per_ms * 1000, a->payload_pct), r->floor);
    int32_t most = r->start;
    if (r->capacity) {
        rate = less(rate, kcp_percent(r->capacity, pct_now(r)));
        most = r->capacity;
    } else {
        rate = less(rate, r->start);
    }
    a->cc.rate = more(rate, a->mss); // a segment per second, whatever was seen
    set_cwnd(a, most);
}

void kcp_rate_on_ack(kcp_arq_t *a, uint32_t now_ms, int32_t n_bytes, int32_t rtt_ms) {
    kcp_cc_rate_t *r = &a->cc.found;
    if (!n_bytes) {
        return;
    }
    r->delivered_bytes = less(n_bytes, NO_LIMIT - r->delivered_bytes) + r->delivered_bytes;
    if (rtt_ms > MAX_RTT_MS) {
        rtt_ms = -1;
    }
    if (rtt_ms >= 0) {
        note(&a->cc, rtt_ms);
    }
    if (!r->is_running) {
        r->is_running = 1;
        begin(r, now_ms);
    } else if (rtt_ms >= 0 && r->n_rtts >= N_SAMPLES) {
        uint32_t passed_ms = kcp_since(now_ms, r->begin_ms);
        uint32_t least_ms = (uint32_t)more(more(rtt_ms, a->rx_srtt), 1);
        if (passed_ms >= KCP_CLOCK_HALF) { // idle for days
            begin(r, now_ms);
        } else if (least_ms <= passed_ms) {
            learn(a, now_ms, kcp_per_second(r->delivered_bytes, (int32_t)passed_ms));
            set_rate(a);
            begin(r, now_ms);
        }
    }
}

#endif
