// The controllers' hooks, and kcp-go's congestion window: lib/kcp/_cc_kcp.py.

#include "kcp_arq.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define THRESH_MIN (2)
#define NEAR_MS (8)

static int32_t less(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t more(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static void kcp_resume(kcp_arq_t *a) {
    kcp_cc_t *cc = &a->cc;
    if (!cc->has_kcp) {
        cc->has_kcp = 1;
        cc->kcp_cwnd = 0; // kcp-go's first flush sends nothing
        cc->kcp_rate = 0;
        cc->kcp.incr = 0;
        cc->kcp.ssthresh = THRESH_MIN;
    }
    cc->cwnd = cc->kcp_cwnd;
    cc->rate = cc->kcp_rate;
    cc->kcp.una = a->snd_una;
}

void kcp_cc_set(kcp_arq_t *a, int kind) {
    kcp_cc_t *cc = &a->cc;
    if (kind == cc->kind) {
        return;
    }
    if (cc->kind == KCP_CC_KCP) {
        cc->kcp_cwnd = cc->cwnd;
        cc->kcp_rate = cc->rate;
    }
    cc->kind = kind;
    if (kind == KCP_CC_KCP) {
        kcp_resume(a);
    } else if (kind == KCP_CC_RATE) {
        kcp_rate_start(a);
    }
}

static void kcp_open(kcp_cc_t *cc, int32_t mss, int32_t rmt_wnd) {
    int32_t *incr = &cc->kcp.incr;
    if (cc->cwnd < cc->kcp.ssthresh) {
        cc->cwnd++;
        *incr += mss;
    } else {
        *incr = more(*incr, mss);
        *incr += mss * mss / *incr + mss / 16;
        if ((cc->cwnd + 1) * mss <= *incr) {
            cc->cwnd = (*incr + mss - 1) / mss;
        }
    }
    if (cc->cwnd > rmt_wnd) {
        cc->cwnd = rmt_wnd;
        *incr = rmt_wnd * mss;
    }
}

static void kcp_pace(kcp_arq_t *a) {
    kcp_cc_t *cc = &a->cc;
    if (a->rx_srtt < NEAR_MS) {
        cc->rate = 0;
        return;
    }
    int32_t window = more(less(cc->cwnd, a->snd_wnd), 2);
    int32_t pct = cc->cwnd < cc->kcp.ssthresh ? 200 : 125;
    cc->rate = kcp_percent(kcp_per_second(window * a->mss, a->rx_srtt), pct);
}

void kcp_cc_on_sent(kcp_arq_t *a, uint32_t now_ms, int32_t n_segs) {
    (void)now_ms;
    kcp_cc_t *cc = &a->cc;
    if (cc->kind == KCP_CC_KCP) {
        if (cc->cwnd < 1) {
            cc->cwnd = 1;
            cc->kcp.incr = a->mss;
        }
        return;
    }
    if (n_segs && a->is_starved) { // this round does not show what the path carries
        cc->found.is_starved = 1;
    }
    if ((int32_t)(a->snd_nxt - a->snd_una) >= a->window) {
        cc->found.is_full = 1;
    }
}

void kcp_cc_on_ack(kcp_arq_t *a, uint32_t now_ms, int32_t n_bytes, int32_t rtt_ms) {
    kcp_cc_t *cc = &a->cc;
    if (cc->kind == KCP_CC_RATE) {
        kcp_rate_on_ack(a, now_ms, n_bytes, rtt_ms);
        return;
    }
    if (a->snd_una != cc->kcp.una) {
        cc->kcp.una = a->snd_una;
        if (cc->cwnd < a->rmt_wnd) {
            kcp_open(cc, a->mss, a->rmt_wnd);
        }
    }
    kcp_pace(a);
}

void kcp_cc_on_loss(kcp_arq_t *a, uint32_t now_ms, int32_t n_segs) {
    (void)now_ms;
    kcp_cc_t *cc = &a->cc;
    if (cc->kind == KCP_CC_KCP) {
        cc->kcp.ssthresh = more((int32_t)(a->snd_nxt - a->snd_una) / 2, THRESH_MIN);
        cc->cwnd = cc->kcp.ssthresh + (a->resend ? a->resend : -1); // (kcp-go adds 2**32 - 1)
        cc->kcp.incr = cc->cwnd * a->mss;
    } else {
        cc->found.n_lost += n_segs;
    }
}

void kcp_cc_on_timeout(kcp_arq_t *a, uint32_t now_ms, int32_t n_segs) {
    (void)now_ms;
    kcp_cc_t *cc = &a->cc;
    if (cc->kind == KCP_CC_KCP) {
        cc->kcp.ssthresh = more(a->window / 2, THRESH_MIN);
        cc->cwnd = 0; // 1, when the pass is over
    } else {
        cc->found.n_lost += n_segs;
    }
}

#endif
