// Round trip times, and when a pass is due: lib/kcp/_arq_time.py.

#include "kcp_arq.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define RTO_DEF (200)
#define RTO_MAX (60000)
#define PROBE_INIT (500)
#define PROBE_LIMIT (120000)
#define RESYNC_MS (10000)

void kcp_time_init(kcp_arq_t *a) {
    a->rmt_wnd = 32; // until the peer says otherwise, whatever its window is
    a->rx_rto = RTO_DEF;
    a->peak_ms = -1;
    a->push_ms = -1;
}

int32_t kcp_time_rtt_of(uint32_t now_ms, uint32_t ts) {
    uint32_t rtt = kcp_since(now_ms, ts);
    return rtt >= KCP_CLOCK_HALF || ts > KCP_CLOCK_MASK ? -1 : (int32_t)rtt;
}

void kcp_time_tell_oldest(kcp_arq_t *a, uint32_t now_ms) {
    const kcp_tx_t *t = kcp_tx_at(a, a->snd_una);
    if (t->xmit != 1 || t->data == NULL) {
        return;
    }
    int32_t age_ms = (int32_t)kcp_since(now_ms, t->ts);
    if (age_ms > (int64_t)4 * a->rx_srtt + a->interval_ms) { // something was stalled
        return;
    }
    if (age_ms >= a->peak_ms) {
        a->peak_ms = age_ms;
    } else {
        a->peak_ms -= (a->peak_ms - age_ms + 7) >> 3;
    }
}

// x / 2**n, rounded down whatever the sign
static int32_t shifted(int32_t x, int n) {
    return x >= 0 ? x >> n : -((-x + (1 << n) - 1) >> n);
}

void kcp_time_sample(kcp_arq_t *a, int32_t rtt_ms) {
    if (rtt_ms < 0) {
        return;
    }
    if (a->rx_srtt == 0) {
        a->rx_srtt = rtt_ms;
        a->rx_rttvar = rtt_ms >> 1;
    } else {
        int32_t delta = rtt_ms - a->rx_srtt;
        a->rx_srtt += shifted(delta, 3);
        if (delta < 0) {
            delta = -delta;
        }
        int shift = rtt_ms < a->rx_srtt - a->rx_rttvar ? 5 : 2;
        a->rx_rttvar += shifted(delta - a->rx_rttvar, shift);
    }
    int64_t rto = a->rx_srtt > a->peak_ms ? a->rx_srtt : a->peak_ms;
    int32_t spread = a->rx_rttvar << 2;
    rto += a->interval_ms > spread ? a->interval_ms : spread;
    if (a->peak_ms >= 0) { // what a probe of the controller adds
        int32_t quarter = a->rx_srtt >> 2;
        rto += quarter < a->interval_ms ? quarter : a->interval_ms;
    }
    rto = rto > a->rx_minrto ? rto : a->rx_minrto;
    a->rx_rto = rto < RTO_MAX ? (int32_t)rto : RTO_MAX;
}

void kcp_arq_update(kcp_arq_t *a, uint32_t now_ms) {
    if (!a->is_updated) {
        a->is_updated = 1;
        a->ts_flush = now_ms;
    }
    int32_t slap = (int32_t)kcp_since(now_ms, a->ts_flush);
    if (slap >= (int32_t)KCP_CLOCK_HALF) {
        slap -= (int32_t)KCP_CLOCK_MASK + 1;
    }
    if (slap >= RESYNC_MS || slap < -RESYNC_MS) {
        a->ts_flush = now_ms;
        slap = 0;
    }
    if (slap >= 0) {
        a->ts_flush = kcp_later(a->ts_flush, (uint32_t)a->interval_ms);
        if (kcp_is_due(now_ms, a->ts_flush)) {
            a->ts_flush = kcp_later(now_ms, (uint32_t)a->interval_ms);
        }
        a->due = KCP_DUE_FULL;
    }
}

void kcp_arq_set_phase(kcp_arq_t *a, uint32_t now_ms) {
    a->phase_ms = now_ms;
}

// Is there anything that waits for the next tick of the grid?
static int wants_tick(const kcp_arq_t *a) {
    if (a->ack_tail != a->ack_head || a->probe || a->fast_pending) {
        return 1;
    }
    if (a->snd_new != a->snd_nxt || (a->rmt_wnd == 0) != (a->probe_wait != 0)) {
        return 1;
    }
    if (a->snd_end == a->snd_nxt) {
        return 0;
    }
    int32_t window = a->snd_wnd < a->rmt_wnd ? a->snd_wnd : a->rmt_wnd;
    return kcp_sn_before(a->snd_nxt, a->snd_una + (uint32_t)window);
}

void kcp_time_arm_tick(kcp_arq_t *a, uint32_t now_ms) {
    if (!wants_tick(a)) {
        a->is_ticking = 0;
    } else if (!a->is_ticking) {
        uint32_t interval = (uint32_t)a->interval_ms;
        a->is_ticking = 1;
        a->tick_at = kcp_later(now_ms, interval - kcp_since(now_ms, a->phase_ms) % interval);
    }
}

void kcp_arq_tick(kcp_arq_t *a, uint32_t now_ms) {
    kcp_time_arm_tick(a, now_ms);
    if ((a->is_ticking && kcp_is_due(now_ms, a->tick_at))
        || (a->has_timers && kcp_is_due(now_ms, a->next_rto))
        || (a->probe_wait && kcp_is_due(now_ms, a->ts_probe))
        || (a->is_held && kcp_pacer_wait_ms(&a->pacer, now_ms) == 0)) {
        a->due = KCP_DUE_FULL;
    }
}

static int32_t until(uint32_t deadline_ms, uint32_t now_ms, int32_t wait_ms) {
    uint32_t d = kcp_since(deadline_ms, now_ms);
    return kcp_sooner(wait_ms, d > KCP_CLOCK_HALF ? 0 : (int32_t)d);
}

int32_t kcp_arq_timeout(kcp_arq_t *a, uint32_t now_ms) {
    if (!kcp_arq_is_idle(a)) {
        return 0;
    }
    kcp_time_arm_tick(a, now_ms);
    int32_t wait_ms = a->is_held ? kcp_pacer_wait_ms(&a->pacer, now_ms) : -1;
    if (a->is_ticking) {
        wait_ms = until(a->tick_at, now_ms, wait_ms);
    }
    if (a->has_timers) {
        wait_ms = until(a->next_rto, now_ms, wait_ms);
    }
    if (a->probe_wait) {
        wait_ms = until(a->ts_probe, now_ms, wait_ms);
    }
    return wait_ms;
}

// While the peer's window is zero, ask for it again and again, ever more rarely.
void kcp_time_probe(kcp_arq_t *a, uint32_t now_ms) {
    if (a->rmt_wnd) {
        a->probe_wait = 0;
        return;
    }
    int32_t wait_ms = a->probe_wait;
    if (wait_ms == 0) {
        wait_ms = PROBE_INIT;
    } else if (kcp_is_due(now_ms, a->ts_probe)) {
        wait_ms += wait_ms / 2;
        wait_ms = wait_ms < PROBE_LIMIT ? wait_ms : PROBE_LIMIT;
        a->probe |= KCP_ASK;
    } else {
        return;
    }
    a->probe_wait = wait_ms;
    a->ts_probe = kcp_later(now_ms, (uint32_t)wait_ms);
}

#endif
