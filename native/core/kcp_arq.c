// KCP: settings and input. See kcp_arq.h, and lib/kcp/arq.py.

#include <string.h>

#include "kcp_arq.h"
#include "kcp_bytes.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define RTO_MIN (100)
#define RTO_MIN_NODELAY (30)
#define INTERVAL_MS (100)
#define MAX_RESEND (0xfffe) // counts go no further
#define ACKS_MIN (64)
#define ACKS_MAX (1024)

static int is_mtu(int32_t mtu) {
    return mtu > KCP_OVERHEAD && mtu <= KCP_MAX_MTU;
}

// How many acknowledgements may wait.
static uint32_t ack_room(const kcp_arq_t *a) {
    int32_t n = 2 * a->rcv_wnd < ACKS_MAX ? 2 * a->rcv_wnd : ACKS_MAX;
    n = n > 2 * a->max_acks ? n : 2 * a->max_acks;
    return (uint32_t)(n > ACKS_MIN ? n : ACKS_MIN);
}

static void fit_acks(kcp_arq_t *a) {
    uint32_t most = kcp_pow2_at_least(ack_room(a));
    a->ack_max = most > a->ack_max ? most : a->ack_max;
}

int kcp_arq_init(kcp_arq_t *a, const kcp_arq_config_t *config, kcp_memory_t memory, kcp_stats_t *stats,
    kcp_budget_t *budget) {
    memset(a, 0, sizeof(*a));
    if (!is_mtu(config->mtu) || !kcp_arq_is_wnd(config->snd_wnd) || !kcp_arq_is_wnd(config->rcv_wnd)
        || config->max_queue < 0 || config->max_queue > KCP_MAX_QUEUE) {
        return -1;
    }
    a->memory = memory;
    a->stats = stats;
    a->budget = budget;
    a->conv = config->conv;
    a->mtu = config->mtu;
    a->mss = config->mtu - KCP_OVERHEAD;
    a->max_acks = config->mtu / KCP_OVERHEAD;
    a->stream = config->stream != 0;
    a->ack_nodelay = config->ack_nodelay != 0;
    a->snd_wnd = config->snd_wnd;
    a->rcv_wnd = config->rcv_wnd;
    a->max_queue = config->max_queue ? config->max_queue : 2 * config->snd_wnd;
    a->payload_pct = 100;
    a->interval_ms = INTERVAL_MS;
    a->rx_minrto = RTO_MIN;
    a->nc = 1;
    a->nearest = -1;
    kcp_time_init(a);
    if (kcp_rcv_init(a, config->rcv_sn, ack_room(a)) || kcp_snd_init(a, config->snd_sn)) {
        kcp_arq_free(a);
        return -1;
    }
    kcp_arq_nodelay(a, config->nodelay, config->interval_ms, config->resend, config->nc < 0 ? 0 : config->nc);
    return 0;
}

void kcp_arq_free(kcp_arq_t *a) {
    kcp_rcv_free(a);
    kcp_snd_free(a);
}

int kcp_arq_reserve(kcp_arq_t *a) {
    return kcp_rcv_reserve(a) || kcp_snd_reserve(a) ? -1 : 0;
}

void kcp_arq_nodelay(kcp_arq_t *a, int32_t nodelay, int32_t interval_ms, int32_t resend, int32_t nc) {
    if (nodelay >= 0) {
        a->nodelay = nodelay;
        a->rx_minrto = nodelay ? RTO_MIN_NODELAY : RTO_MIN;
    }
    if (interval_ms >= 0) {
        a->interval_ms = interval_ms < 10 ? 10 : interval_ms > 5000 ? 5000 : interval_ms;
        a->is_ticking = 0; // the next tick is planned anew
    }
    if (resend >= 0) {
        a->resend = resend < MAX_RESEND ? resend : MAX_RESEND;
    }
    if (nc >= 0) {
        kcp_arq_set_cc(a, nc ? KCP_CC_NONE : KCP_CC_KCP, 0, 100);
    }
}

void kcp_arq_set_cc(kcp_arq_t *a, int kind, int is_paced, int32_t payload_pct) {
    a->payload_pct = payload_pct < 0 ? 0 : payload_pct < 100 ? payload_pct : 100;
    kcp_cc_set(a, kind);
    a->nc = kind != KCP_CC_KCP;
    if (kind == KCP_CC_NONE || !is_paced) {
        a->is_paced = 0;
    } else if (!a->is_paced) {
        a->is_paced = 1;
        kcp_pacer_init(&a->pacer, a->mss, a->cc.rate);
    }
    int is_kcp_go = kind == KCP_CC_NONE || (!a->is_paced && kind == KCP_CC_KCP);
    a->peak_ms = is_kcp_go ? -1 : a->peak_ms > 0 ? a->peak_ms : 0;
    if (a->is_held) {
        a->is_held = 0;
        kcp_arq_flush(a);
    }
}

int kcp_arq_wndsize(kcp_arq_t *a, int32_t snd_wnd, int32_t rcv_wnd) {
    if (!kcp_arq_is_wnd(snd_wnd) || !kcp_arq_is_wnd(rcv_wnd)) {
        return -1;
    }
    a->snd_wnd = snd_wnd;
    a->rcv_wnd = rcv_wnd;
    fit_acks(a);
    return 0;
}

int kcp_arq_set_mtu(kcp_arq_t *a, int32_t mtu) {
    if (!is_mtu(mtu)) {
        return -1;
    }
    a->mtu = mtu;
    a->mss = mtu - KCP_OVERHEAD;
    a->pacer.mss = a->mss;
    a->max_acks = mtu / KCP_OVERHEAD;
    fit_acks(a);
    return 0;
}

// What one packet brings besides data.
typedef struct {
    uint32_t ts;
    int has_acked, is_full, is_strange;
    int32_t behind;
} news_t;

// Take a una that is not snd_una; 0, or what `behind` is if it is an old one.
static int32_t on_new_una(kcp_arq_t *a, uint32_t una, uint32_t now_ms) {
    int32_t ahead = kcp_sn_diff(una, a->snd_una);
    if (ahead < 0) {
        return a->behind ? a->behind : 1;
    }
    if (a->snd_nxt != a->snd_una) {
        if (a->peak_ms >= 0) {
            kcp_time_tell_oldest(a, now_ms);
        }
        uint32_t n = a->snd_nxt - a->snd_una;
        kcp_snd_on_una(a, (uint32_t)ahead < n ? una : a->snd_nxt);
        a->una_ms = (int32_t)now_ms;
        a->una_new = a->snd_new;
    }
    return 0;
}

// Can an ACK of sn that echoes ts, with a una below snd_una, come from the peer that had received
// all below it? Not if what it answers was sent after snd_una was heard of.
static int is_strange(const kcp_arq_t *a, uint32_t sn, uint32_t ts) {
    if (!a->has_doubts || a->una_ms < 0) {
        return 0;
    }
    if (sn - a->una_new < a->snd_new - a->una_new) {
        return 1;
    }
    if (ts > KCP_CLOCK_MASK) {
        return 0;
    }
    uint32_t sent_ms = (ts - (uint32_t)a->una_ms) & KCP_CLOCK_MASK;
    return sent_ms > 0 && sent_ms < KCP_CLOCK_HALF;
}

static void on_ack(kcp_arq_t *a, news_t *news, uint32_t sn, uint32_t ts) {
    if (news->behind && is_strange(a, sn, ts)) { // who says it has no use for the data
        news->is_strange = 1;
        return;
    }
    news->ts = ts;
    news->has_acked = 1;
    if (sn - a->snd_una < a->snd_nxt - a->snd_una && kcp_snd_on_ack(a, sn, ts)) {
        news->is_full = 1;
    }
}

// A packet had acknowledgements.
static void acknowledged(kcp_arq_t *a, uint32_t now_ms, int32_t rtt_ms, int32_t n_bytes) {
    kcp_time_sample(a, rtt_ms);
    if (a->cc.kind != KCP_CC_NONE) {
        kcp_cc_on_ack(a, now_ms, n_bytes, rtt_ms);
        if (a->is_paced) {
            kcp_pacer_set_rate(&a->pacer, a->cc.rate);
        }
    }
}

// One segment and what it brings; 0 or kcp-go's code.
static int take(kcp_arq_t *a, const uint8_t *p, size_t n_left, uint32_t now_ms, int is_regular, news_t *news) {
    uint32_t n = kcp_le32(p + 20), ts = kcp_le32(p + 8), sn = kcp_le32(p + 12), una = kcp_le32(p + 16);
    uint8_t cmd = p[4];
    if (kcp_le32(p) != a->conv) {
        return -1;
    }
    if (n > n_left) {
        return -2;
    }
    if (cmd < KCP_CMD_PUSH || cmd > KCP_CMD_WINS) {
        return -3;
    }
    if (is_regular) {
        a->rmt_wnd = p[6] | p[7] << 8;
    }
    if (una != a->snd_una) {
        news->behind = on_new_una(a, una, now_ms);
    }
    if (cmd == KCP_CMD_PUSH) {
        a->push_ms = (int32_t)now_ms;
        if (!kcp_rcv_push(a, sn, ts, p[5], p + KCP_OVERHEAD, n) && is_regular) {
            a->stats->count[KCP_REPEAT_SEGS]++;
        }
    } else if (cmd == KCP_CMD_ACK) {
        on_ack(a, news, sn, ts);
    } else if (cmd == KCP_CMD_WASK) {
        a->probe |= KCP_TELL;
    }
    return 0;
}

int kcp_arq_input(kcp_arq_t *a, const uint8_t *data, size_t n, uint32_t now_ms, int is_regular) {
    if (n < KCP_OVERHEAD) {
        return -1;
    }
    uint32_t una_before = a->snd_una;
    int32_t bytes_before = a->snd_bytes;
    news_t news = {0};
    uint32_t n_segs = 0;
    while (n >= KCP_OVERHEAD) {
        int code = take(a, data, n - KCP_OVERHEAD, now_ms, is_regular, &news);
        if (code) {
            a->cc.kcp.una = a->snd_una; // kcp-go's window grows by packets that are taken whole
            return code;
        }
        size_t size = KCP_OVERHEAD + kcp_le32(data + 20);
        data += size;
        n -= size;
        n_segs++;
    }
    a->stats->count[KCP_IN_SEGS] += n_segs;
    a->behind = news.behind + news.is_strange;
    int is_full = news.is_full || a->snd_una != una_before;
    if (news.has_acked || is_full) {
        int32_t rtt_ms = news.has_acked && is_regular ? kcp_time_rtt_of(now_ms, news.ts) : -1;
        acknowledged(a, now_ms, rtt_ms, bytes_before - a->snd_bytes);
    }
    if (is_full) {
        a->due = KCP_DUE_FULL;
    } else if (!a->due) {
        int32_t n_pending = (int32_t)(a->ack_tail - a->ack_head);
        if (n_pending >= a->max_acks || (a->ack_nodelay && n_pending)) {
            a->due = KCP_DUE_ACKS;
        }
    }
    if (!a->is_ticking) {
        kcp_time_arm_tick(a, now_ms);
    }
    return 0;
}

#endif
