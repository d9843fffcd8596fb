// How a session ends, and what changes while it lives: lib/kcp/_ending.py, _keeper.py, _options.py.

#include "kcp_clock.h"
#include "kcp_session.h"

#if KCP_SESSION

#define QUIET_RTOS (3)
#define QUIET_MIN_MS (200)
#define AT_ONCE (32) // segments sent again at once over another path

void kcp_session_abort(kcp_session_t *s, int why) {
    if (s->state != KCP_CLOSED) {
        s->state = KCP_CLOSED;
        s->lost_bytes = s->arq.snd_bytes;
        s->why = why;
    }
}

void kcp_session_probe(kcp_session_t *s) {
    s->arq.probe |= KCP_ASK;
    kcp_arq_flush(&s->arq);
}

void kcp_session_wait_from(kcp_session_t *s, uint32_t now_ms) {
    if (!s->is_waiting) {
        s->is_waiting = 1;
        s->waiting_ms = now_ms;
    }
}

void kcp_session_ask(kcp_session_t *s, uint32_t now_ms) {
    kcp_session_probe(s);
    kcp_session_wait_from(s, now_ms);
}

// For how many ms the peer may still need an answer to what it sent last.
int32_t kcp_session_quiet_left(const kcp_session_t *s, uint32_t now_ms) {
    if (s->arq.push_ms < 0) {
        return 0;
    }
    int32_t quiet_ms = QUIET_RTOS * s->arq.rx_rto;
    quiet_ms = quiet_ms > QUIET_MIN_MS ? quiet_ms : QUIET_MIN_MS;
    return kcp_left((uint32_t)s->arq.push_ms, (uint32_t)quiet_ms, now_ms);
}

static void is_dead(kcp_session_t *s, uint32_t now_ms) {
    uint32_t dead_ms = s->config.dead_ms;
    if (s->arq.behind && kcp_left(s->last_input_ms, dead_ms / 2, now_ms)) {
        kcp_session_abort(s, KCP_FORGOTTEN); // it answers all the time, but not what was asked
    } else {
        kcp_session_abort(s, s->arq.snd_bytes ? KCP_DEAD : KCP_DEAD_KEEPALIVE);
    }
}

int32_t kcp_session_ask_left(kcp_session_t *s, uint32_t now_ms) {
    if (s->last_input_ms != s->keeper_heard_ms) {
        s->keeper_heard_ms = s->keeper_since_ms = s->last_input_ms;
    }
    return kcp_left(s->keeper_since_ms, s->config.keepalive_ms, now_ms);
}

// Keep-alive and idle limit.
static void keep(kcp_session_t *s, uint32_t now_ms) {
    const kcp_session_config_t *config = &s->config;
    if (config->idle_ms && kcp_left(s->last_input_ms, config->idle_ms, now_ms) == 0) {
        kcp_session_abort(s, KCP_IDLE);
    } else if (config->keepalive_ms && kcp_session_ask_left(s, now_ms) == 0) {
        s->keeper_since_ms = now_ms;
        kcp_session_ask(s, now_ms);
    }
}

static void watch_closing(kcp_session_t *s, uint32_t now_ms) {
    int has_unacked = s->arq.snd_bytes > 0;
    if (kcp_left(s->close_ms, s->linger_ms, now_ms) == 0) {
        kcp_session_abort(s, has_unacked ? KCP_LINGER : KCP_WELL);
    } else if (!s->n_oob && !has_unacked && kcp_arq_is_idle(&s->arq) && kcp_session_quiet_left(s, now_ms) == 0) {
        kcp_session_abort(s, KCP_WELL);
    }
}

// Notice a dead peer, and the end of closing.
void kcp_session_watch(kcp_session_t *s, uint32_t now_ms) {
    if (s->is_waiting && kcp_left(s->waiting_ms, s->config.dead_ms, now_ms) == 0) {
        is_dead(s, now_ms);
    }
    if (s->state == KCP_OPEN) {
        keep(s, now_ms);
    } else if (s->state == KCP_CLOSING) {
        watch_closing(s, now_ms);
    }
}

void kcp_session_close(kcp_session_t *s, uint32_t now_ms, uint32_t linger_ms) {
    if (s->state != KCP_OPEN) {
        return;
    }
    s->state = KCP_CLOSING;
    s->close_ms = now_ms;
    s->linger_ms = linger_ms;
    s->arq.ack_nodelay = 1; // the peer may be waiting for our last ACK in its own close
    kcp_arq_flush(&s->arq);
    kcp_session_watch(s, now_ms);
}

void kcp_session_held_back(kcp_session_t *s, uint32_t now_ms) {
    kcp_session_watch(s, now_ms);
    kcp_arq_let_acks_pass(&s->arq);
}

// -- while it lives --------------------------------------------------------------------------------

static void set_windows(kcp_arq_t *a, int32_t snd_wnd, int32_t rcv_wnd) {
    int is_told = rcv_wnd == a->rcv_wnd;
    kcp_arq_wndsize(a, snd_wnd, rcv_wnd);
    if (!is_told) {
        kcp_arq_tell_window(a);
    }
    a->max_queue = 2 * snd_wnd;
    kcp_arq_flush(a);
}

// What is fixed when a session is made.
static void keep_fixed(kcp_session_config_t *config, const kcp_session_config_t *was) {
    config->data = was->data;
    config->parity = was->parity;
    config->is_auto = was->is_auto;
    config->max_fec_bytes = was->max_fec_bytes;
    config->arq.conv = was->arq.conv;
}

int kcp_session_set(kcp_session_t *s, const kcp_session_config_t *config) {
    kcp_arq_t *a = &s->arq;
    const kcp_arq_config_t *to = &config->arq;
    if (config->cc < KCP_CC_NONE || config->cc > KCP_CC_RATE || !config->dead_ms || !kcp_arq_is_wnd(to->snd_wnd)
        || !kcp_arq_is_wnd(to->rcv_wnd)) {
        return -1;
    }
    if (config->arq.mtu != s->config.arq.mtu && kcp_session_set_mtu(s, config->arq.mtu)) {
        return -1;
    }
    if (!s->config.keepalive_ms && !s->config.idle_ms) {
        s->keeper_heard_ms = s->keeper_since_ms = s->last_input_ms;
    }
    kcp_session_config_t was = s->config;
    s->config = *config;
    keep_fixed(&s->config, &was);
    if (to->snd_wnd != a->snd_wnd || to->rcv_wnd != a->rcv_wnd) {
        set_windows(a, to->snd_wnd, to->rcv_wnd);
    }
    if (to->nodelay != a->nodelay || to->interval_ms != a->interval_ms || to->resend != a->resend) {
        kcp_arq_nodelay(a, to->nodelay, to->interval_ms, to->resend, -1);
    }
    kcp_session_fit_cc(s);
    a->stream = to->stream != 0;
    if (s->state == KCP_OPEN) { // closing has made it answer at once
        a->ack_nodelay = to->ack_nodelay != 0;
    }
    return 0;
}

void kcp_session_resume(kcp_session_t *s, uint32_t now_ms) {
    kcp_arq_t *a = &s->arq;
    int32_t n = 0;
    for (uint32_t sn = a->snd_una; sn != a->snd_new; sn++) {
        kcp_tx_t *t = kcp_tx_at(a, sn);
        if (t->data != NULL) {
            t->rto = (uint32_t)a->rx_rto;
            t->resend_ts = n++ < AT_ONCE ? now_ms : kcp_later(now_ms, (uint32_t)a->rx_rto);
        }
    }
    if (n) {
        a->has_timers = 1;
        a->next_rto = now_ms;
    }
}

// -- what a trace asks -----------------------------------------------------------------------------

int kcp_session_is_repeat(const kcp_session_t *s, uint32_t sn) {
    const kcp_arq_t *a = &s->arq;
    int32_t ahead = kcp_sn_diff(sn, a->rcv_nxt);
    if (ahead < 0 || ahead >= a->rcv_wnd) {
        return 1;
    }
    return sn - a->rcv_q < a->rx_cap && a->rx[sn & (a->rx_cap - 1)].data != NULL;
}

int32_t kcp_session_n_sent(const kcp_session_t *s, uint32_t sn) {
    const kcp_arq_t *a = &s->arq;
    return sn - a->snd_una < a->snd_end - a->snd_una ? a->tx[sn & (a->tx_cap - 1)].xmit : 0;
}

#endif
