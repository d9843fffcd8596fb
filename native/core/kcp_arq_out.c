// The pass: kcp-go's flush, pulled one datagram at a time. lib/kcp/_arq_out.py explains it.

#include <string.h>

#include "kcp_arq.h"
#include "kcp_bytes.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define RTO_CAP (0x0fffffff) // a segment's own backed-off timer stays within the clock's range
#define BLOCKED (0xffff)

// where the running pass stands
enum { IDLE, ACKS, PROBES, MOVE, HOLES, TIMERS, NEW };
// why a segment is sent again
enum { NOT, FAST, EARLY, LOST };

static uint8_t *header(const kcp_arq_t *a, uint8_t *p, uint8_t cmd, uint8_t frg, uint32_t ts, uint32_t sn, uint32_t n) {
    kcp_put_le32(p, a->conv);
    p[4] = cmd;
    p[5] = frg;
    p[6] = (uint8_t)a->wnd;
    p[7] = (uint8_t)(a->wnd >> 8);
    kcp_put_le32(p + 8, ts);
    kcp_put_le32(p + 12, sn);
    kcp_put_le32(p + 16, a->una);
    kcp_put_le32(p + 20, n);
    return p + KCP_OVERHEAD;
}

static uint8_t *segment(kcp_arq_t *a, uint8_t *p, const kcp_tx_t *t, uint32_t now_ms, uint32_t sn) {
    uint32_t n = (uint32_t)t->n - KCP_OVERHEAD;
    p = header(a, p, KCP_CMD_PUSH, t->frg, now_ms, sn, n);
    memcpy(p, t->data, n);
    a->has_push = 1;
    a->stats->count[KCP_OUT_SEGS]++;
    return p + n;
}

// Latch what this pass goes by.
static void begin(kcp_arq_t *a, uint32_t now_ms) {
    a->is_full = a->due == KCP_DUE_FULL;
    a->due = KCP_DUE_NOT;
    a->pass_ms = now_ms;
    if (a->is_full) {
        a->is_ticking = 0;
    }
    int32_t wnd = kcp_rcv_wnd_unused(a);
    a->wnd = wnd < 0xffff ? wnd : 0xffff;
    a->una = a->rcv_nxt;
    a->ack_stop = a->ack_tail;
    a->ack_last_sn = a->ack_last_ts = 0;
    a->n_moved = a->n_fast = a->n_early = a->n_lost = 0;
    kcp_time_probe(a, now_ms);
    a->asks = a->probe;
    a->probe = 0;
    a->step = ACKS;
}

static uint8_t *out_acks(kcp_arq_t *a, uint8_t *p, const uint8_t *end) {
    for (; (int32_t)(a->ack_stop - a->ack_head) > 0; a->ack_head++) {
        const kcp_ack_t *ack = &a->acks[a->ack_head & (a->ack_cap - 1)];
        // what is below una needs no ACK, but the last one carries the time stamp
        if (kcp_sn_before(ack->sn, a->una) && a->ack_head != a->ack_stop - 1) {
            continue;
        }
        if (p + KCP_OVERHEAD > end) {
            return p;
        }
        a->ack_last_sn = ack->sn;
        a->ack_last_ts = ack->ts;
        p = header(a, p, KCP_CMD_ACK, 0, ack->ts, ack->sn, 0);
        a->stats->count[KCP_OUT_SEGS]++;
    }
    a->step = a->asks ? PROBES : MOVE;
    return p;
}

static uint8_t *out_probes(kcp_arq_t *a, uint8_t *p, const uint8_t *end) {
    while (a->asks) {
        if (p + KCP_OVERHEAD > end) {
            return p;
        }
        int is_ask = a->asks & KCP_ASK;
        uint8_t cmd = is_ask ? KCP_CMD_WASK : KCP_CMD_WINS;
        p = header(a, p, cmd, 0, a->ack_last_ts, a->ack_last_sn, 0);
        a->asks = is_ask ? a->asks & (uint8_t)~KCP_ASK : 0;
        a->asked |= is_ask != 0;
        a->stats->count[KCP_OUT_SEGS]++;
    }
    a->step = MOVE;
    return p;
}

static int32_t less(int32_t a, int32_t b) {
    return a < b ? a : b;
}

// How many segments beyond snd_nxt the windows allow; 0 or less: none.
static int32_t room(kcp_arq_t *a) {
    int32_t window = less(a->snd_wnd, a->rmt_wnd), in_window = (int32_t)(a->snd_nxt - a->snd_una);
    if (a->cc.kind == KCP_CC_KCP) {
        window = less(window, a->cc.cwnd);
    }
    a->window = window;
    int32_t n = less(window - in_window, (int32_t)(a->snd_end - a->snd_nxt));
    if (a->cc.kind == KCP_CC_RATE) {
        n = less(n, a->cc.cwnd - a->n_flight);
    }
    return n;
}

// Of n segments, how many the pacer lets leave; the others wait in the queue.
static int32_t paced(kcp_arq_t *a, int32_t n, uint32_t now_ms) {
    int32_t bytes = kcp_pacer_room_bytes(&a->pacer, now_ms), left = bytes, i = 0;
    while (i < n && left > 0) {
        left -= kcp_tx_at(a, a->snd_nxt + (uint32_t)i)->n - KCP_OVERHEAD;
        i++;
    }
    kcp_pacer_take(&a->pacer, bytes - left);
    a->is_held = i < n;
    return i;
}

// Move the window's edge over queued segments, and see what must be walked.
static void move(kcp_arq_t *a, uint32_t now_ms) {
    int32_t n = room(a);
    uint32_t edge = a->snd_nxt + (uint32_t)n;
    a->is_held = 0;
    if (n > 0) {
        if (a->is_paced) {
            n = paced(a, n, now_ms);
            edge = a->snd_nxt + (uint32_t)n;
        }
        a->n_moved = n;
        a->n_flight += n;
        a->snd_nxt = edge;
    }
    a->is_starved = edge == a->snd_end;
    if (!a->is_full) {
        a->step = IDLE;
        return;
    }
    a->check_all = a->has_timers && kcp_is_due(now_ms, a->next_rto);
    a->nearest = -1;
    int is_pending = a->fast_pending;
    a->fast_pending = 0; // the walk sets it again; without holes there is none
    a->step = NEW;
    if ((a->check_all || is_pending) && a->n_holes) {
        a->cursor = a->hole_first;
        a->has_cursor = 1;
        a->step = HOLES;
    } else if (a->check_all) {
        a->cursor = a->ack_hi;
        a->has_cursor = 1;
        a->step = TIMERS;
    }
}

// Why the segment must be sent again now.
static int why(const kcp_arq_t *a, const kcp_tx_t *t, uint32_t now_ms) {
    if (t->fast && t->fast != BLOCKED) {
        if (a->resend && t->fast >= a->resend) {
            return FAST;
        }
        if (a->n_moved == 0 && !a->is_held) {
            return EARLY;
        }
    }
    return kcp_is_due(now_ms, t->resend_ts) ? LOST : NOT;
}

static uint8_t *send_again(kcp_arq_t *a, uint32_t sn, int reason, uint8_t *p, uint32_t now_ms) {
    kcp_tx_t *t = kcp_tx_at(a, sn);
    uint32_t rto = (uint32_t)a->rx_rto;
    if (reason == LOST) {
        a->n_lost++;
        t->fast = 0;
        rto = t->rto + (a->nodelay ? rto / 2 : rto);
        rto = rto < RTO_CAP ? rto : RTO_CAP;
    } else {
        a->n_fast += reason == FAST;
        a->n_early += reason == EARLY;
        t->fast = BLOCKED;
    }
    t->rto = rto;
    t->resend_ts = kcp_later(now_ms, rto);
    t->ts = now_ms;
    t->xmit = 2;
    if (a->is_paced) {
        kcp_pacer_take(&a->pacer, t->n - KCP_OVERHEAD);
    }
    return segment(a, p, t, now_ms, sn);
}

// Keep the earliest timer: of this walk if it covers all, else lower the known bound.
static void note_timer(kcp_arq_t *a, const kcp_tx_t *t) {
    if (a->check_all) {
        if (a->nearest < 0 || kcp_is_due((uint32_t)a->nearest, t->resend_ts)) {
            a->nearest = (int32_t)t->resend_ts;
        }
    } else if (kcp_is_due(a->next_rto, t->resend_ts)) {
        a->next_rto = t->resend_ts;
    }
}

static uint8_t *out_holes(kcp_arq_t *a, uint8_t *p, const uint8_t *end, uint32_t now_ms) {
    while (a->has_cursor) {
        uint32_t sn = a->cursor;
        kcp_tx_t *t = kcp_tx_at(a, sn);
        if (t->data != NULL && t->xmit) {
            int reason = why(a, t, now_ms);
            if (reason) {
                if (p + t->n > end) {
                    return p;
                }
                p = send_again(a, sn, reason, p, now_ms);
            } else if (t->fast && t->fast != BLOCKED) {
                a->fast_pending = 1;
            }
            note_timer(a, t);
        }
        a->has_cursor = sn != a->hole_last;
        a->cursor = t->hole_next;
    }
    a->cursor = a->ack_hi;
    a->has_cursor = 1;
    a->step = a->check_all ? TIMERS : NEW;
    return p;
}

// Look at the timers of all that is neither acknowledged nor a hole.
static uint8_t *out_timers(kcp_arq_t *a, uint8_t *p, const uint8_t *end, uint32_t now_ms) {
    uint32_t sn = a->cursor;
    if (!a->has_cursor || kcp_sn_before(sn, a->ack_hi)) {
        sn = a->ack_hi;
    }
    for (; kcp_sn_before(sn, a->snd_new); sn++) {
        kcp_tx_t *t = kcp_tx_at(a, sn);
        if (kcp_is_due(now_ms, t->resend_ts)) {
            if (p + t->n > end) {
                a->cursor = sn;
                a->has_cursor = 1;
                return p;
            }
            p = send_again(a, sn, LOST, p, now_ms);
        }
        note_timer(a, t);
    }
    a->has_cursor = 0;
    a->has_timers = a->nearest >= 0;
    if (a->has_timers) {
        a->next_rto = (uint32_t)a->nearest;
    }
    a->step = NEW;
    return p;
}

static uint8_t *out_new(kcp_arq_t *a, uint8_t *p, const uint8_t *end, uint32_t now_ms) {
    uint32_t sn = a->snd_new, first = sn, rto = (uint32_t)a->rx_rto;
    uint32_t expiry = kcp_later(now_ms, rto);
    for (; kcp_sn_before(sn, a->snd_nxt); sn++) {
        kcp_tx_t *t = kcp_tx_at(a, sn);
        if (t->data == NULL) { // acknowledged before it was sent, by a forger
            continue;
        }
        if (p + t->n > end) {
            break;
        }
        t->rto = rto;
        t->resend_ts = expiry;
        t->ts = now_ms;
        t->xmit = 1;
        p = segment(a, p, t, now_ms, sn);
    }
    a->snd_new = sn;
    if (sn != first && (!a->has_timers || kcp_is_due(a->next_rto, expiry))) {
        a->has_timers = 1;
        a->next_rto = expiry;
    }
    if (sn == a->snd_nxt) {
        a->step = IDLE;
    }
    return p;
}

// The pass is over: count, and tell the congestion controller.
static void finish(kcp_arq_t *a) {
    uint64_t *count = a->stats->count;
    int32_t n_changed = a->n_fast + a->n_early;
    a->step = IDLE;
    count[KCP_RING_BUFFER_SND_QUEUE] = a->snd_end - a->snd_nxt;
    count[KCP_RING_BUFFER_SND_BUFFER] = a->snd_nxt - a->snd_una;
    count[KCP_RING_BUFFER_RCV_QUEUE] = a->rcv_nxt - a->rcv_q;
    count[KCP_LOST_SEGS] += (uint64_t)a->n_lost;
    count[KCP_FAST_RETRANS_SEGS] += (uint64_t)a->n_fast;
    count[KCP_EARLY_RETRANS_SEGS] += (uint64_t)a->n_early;
    count[KCP_RETRANS_SEGS] += (uint64_t)(n_changed + a->n_lost);
    if (a->cc.kind == KCP_CC_NONE) {
        return;
    }
    if (n_changed) {
        kcp_cc_on_loss(a, a->pass_ms, n_changed);
    }
    if (a->n_lost) {
        kcp_cc_on_timeout(a, a->pass_ms, a->n_lost);
    }
    kcp_cc_on_sent(a, a->pass_ms, a->n_moved);
    if (a->is_paced) {
        kcp_pacer_set_rate(&a->pacer, a->cc.rate);
    }
}

// Go on with the pass until the datagram is full; a step that is the same afterwards means that.
static uint8_t *build(kcp_arq_t *a, uint8_t *p, const uint8_t *end, uint32_t now_ms) {
    for (;;) {
        int step = a->step;
        switch (step) {
            case ACKS: p = out_acks(a, p, end); break;
            case PROBES: p = out_probes(a, p, end); break;
            case MOVE: move(a, now_ms); break;
            case HOLES: p = out_holes(a, p, end, now_ms); break;
            case TIMERS: p = out_timers(a, p, end, now_ms); break;
            case NEW: p = out_new(a, p, end, now_ms); break;
            default: finish(a); return p;
        }
        if (a->step == step) {
            return p;
        }
    }
}

int32_t kcp_arq_output(kcp_arq_t *a, uint8_t *buf, uint32_t now_ms) {
    a->has_push = 0;
    for (;;) {
        if (!a->step) {
            if (!a->due) {
                return 0;
            }
            begin(a, now_ms);
        }
        const uint8_t *end = build(a, buf, buf + a->mtu, now_ms);
        if (end == buf && a->step) { // the next segment is older than the mtu, and larger
            uint32_t sn = a->step == NEW ? a->snd_new : a->cursor;
            end = build(a, buf, buf + kcp_tx_at(a, sn)->n, now_ms);
        }
        if (end != buf) {
            return (int32_t)(end - buf);
        }
    }
}

void kcp_arq_flush(kcp_arq_t *a) {
    a->due = KCP_DUE_FULL;
}

// Something holds up the new segments: if acknowledgements have come to wait behind them, end this
// pass here and have another one begin, with them first.
void kcp_arq_let_acks_pass(kcp_arq_t *a) {
    if (a->step == NEW && a->ack_tail != a->ack_head) {
        finish(a);
        a->due = KCP_DUE_FULL;
    }
}

#endif
