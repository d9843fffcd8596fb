// Congestion controllers and pacing: a closed set of integer state machines (lib/kcp/cc.py).
#ifndef KCP_CC_H
#define KCP_CC_H

#include <stdint.h>

struct kcp_arq;

// The bindings hand these numbers on: never change one.
enum {
    KCP_CC_NONE = 0, // all that the windows allow
    KCP_CC_KCP = 1, // kcp-go's congestion window
    KCP_CC_RATE = 2, // finds out what the path carries
};

// lib/kcp/_cc_kcp.py
typedef struct {
    int32_t incr; // the window in bytes, with its fraction
    int32_t ssthresh;
    uint32_t una;
} kcp_cc_kcp_t;

// lib/kcp/_cc_rate.py
typedef struct {
    int32_t floor;
    int32_t capacity;
    int32_t base_ms;
    int32_t next_base_ms;
    int32_t spread_ms;
    int32_t ambient;
    int32_t start;
    int32_t before;
    uint32_t base_at_ms;
    int8_t phase;
    int8_t probe_at;
    int8_t n_drains;
    uint8_t is_shared;
    uint8_t is_gentle;
    uint8_t is_near, is_opening;
    // of the running round
    uint8_t is_running;
    uint8_t is_starved;
    uint8_t is_full; // the window held us back
    uint32_t begin_ms;
    int32_t delivered_bytes;
    int32_t n_lost;
    int32_t rtt_sum_ms;
    int32_t n_rtts;
    int32_t last_rtt_ms;
    int32_t rtt_before_ms;
    int32_t least_rtt_ms;
} kcp_cc_rate_t;

typedef struct {
    int32_t kind;
    int32_t cwnd; // segments
    int32_t rate; // bytes of payload per second; 0: nothing is held back
    kcp_cc_kcp_t kcp; // kcp-go does not forget it while it is off
    kcp_cc_rate_t found;
    uint8_t has_kcp;
    int32_t kcp_cwnd; // while it is off
    int32_t kcp_rate;
} kcp_cc_t;

void kcp_cc_set(struct kcp_arq *a, int kind);
void kcp_cc_on_sent(struct kcp_arq *a, uint32_t now_ms, int32_t n_segs);
void kcp_cc_on_ack(struct kcp_arq *a, uint32_t now_ms, int32_t n_bytes, int32_t rtt_ms);
void kcp_cc_on_loss(struct kcp_arq *a, uint32_t now_ms, int32_t n_segs);
void kcp_cc_on_timeout(struct kcp_arq *a, uint32_t now_ms, int32_t n_segs);

void kcp_rate_start(struct kcp_arq *a);
void kcp_rate_on_ack(struct kcp_arq *a, uint32_t now_ms, int32_t n_bytes, int32_t rtt_ms);

#define KCP_MAX_RATE (0x3fffffff)

static inline int32_t kcp_capped(int64_t rate) {
    return rate < KCP_MAX_RATE ? (int32_t)rate : KCP_MAX_RATE;
}

// pct % of a rate, and n_bytes in ms as bytes per second
static inline int32_t kcp_percent(int32_t rate, int32_t pct) {
    return kcp_capped((int64_t)rate * pct / 100);
}

static inline int32_t kcp_per_second(int32_t n_bytes, int32_t ms) {
    return kcp_capped((int64_t)n_bytes * 1000 / ms);
}

// A token bucket (lib/kcp/_bucket.py)
typedef struct {
    int32_t bytes;
    int32_t thousandths;
    uint32_t at_ms;
    uint8_t has_begun;
    int32_t rate, per_ms, rest, depth;
    uint32_t fill_ms;
} kcp_bucket_t;

void kcp_bucket_init(kcp_bucket_t *b, int32_t rate, int32_t depth);
void kcp_bucket_set(kcp_bucket_t *b, int32_t rate, int32_t depth);
void kcp_bucket_fill(kcp_bucket_t *b, uint32_t now_ms);
int32_t kcp_bucket_wait_ms(kcp_bucket_t *b, uint32_t now_ms);

// Pacing (lib/kcp/_pacer.py)
typedef struct {
    kcp_bucket_t bucket;
    int32_t mss;
    int32_t rate;
} kcp_pacer_t;

void kcp_pacer_init(kcp_pacer_t *p, int32_t mss, int32_t rate);
void kcp_pacer_set_rate(kcp_pacer_t *p, int32_t rate);
int32_t kcp_pacer_room_bytes(kcp_pacer_t *p, uint32_t now_ms);
int32_t kcp_pacer_wait_ms(kcp_pacer_t *p, uint32_t now_ms);
void kcp_pacer_take(kcp_pacer_t *p, int32_t n_bytes);

#endif
