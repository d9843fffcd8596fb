// KCP: the ARQ state machine. lib/kcp/arq.py and the files beside it explain it; this does the same
// to the last byte. What goes out is pulled, one datagram at a time, into the caller's buffer.
//
// An ARQ lives in memory of the caller's. What it stores (segments, and rings that grow up to the
// limits given) comes from the caller's kcp_memory_t. Numbers modulo 2**32 as the wire has them;
// now_ms modulo 2**30.
#ifndef KCP_ARQ_H
#define KCP_ARQ_H

#include <stddef.h>
#include <stdint.h>

#include "kcp_cc.h"
#include "kcp_config.h"
#include "kcp_memory.h"
#include "kcp_stats.h"

#define KCP_OVERHEAD (24) // of a segment
#define KCP_MAX_WND (32768)
#define KCP_MAX_QUEUE (1 << 20)
#define KCP_MAX_MTU (1500)

enum { KCP_CMD_PUSH = 81, KCP_CMD_ACK, KCP_CMD_WASK, KCP_CMD_WINS };
enum { KCP_DUE_NOT, KCP_DUE_ACKS, KCP_DUE_FULL };
enum { KCP_ASK = 1, KCP_TELL = 2 };

// One segment that is queued or in the window.
typedef struct {
    uint8_t *data; // NULL once it is acknowledged
    uint32_t ts, rto, resend_ts;
    uint32_t hole_next, hole_prev;
    uint16_t n; // bytes of header and data
    uint16_t capacity; // of data
    uint16_t fast, dup; // fast-ack counts
    uint8_t frg;
    uint8_t xmit; // transmissions: 0, 1, 2 = more
    uint8_t is_linked; // in the list of holes
} kcp_tx_t;

// One segment that has come.
typedef struct {
    uint8_t *data; // NULL: none
    uint16_t n;
    uint16_t capacity;
    uint8_t frg;
} kcp_rx_t;

typedef struct {
    uint32_t sn, ts;
} kcp_ack_t;

typedef struct {
    uint32_t conv;
    int32_t mtu; // 25 to KCP_MAX_MTU
    int32_t snd_wnd, rcv_wnd; // 1 to KCP_MAX_WND segments
    int32_t nodelay, interval_ms, resend, nc; // below 0: as kcp-go begins with: 0, 100, 0, 0
    int32_t stream, ack_nodelay;
    int32_t max_queue; // segments queued or unacknowledged, up to KCP_MAX_QUEUE; 0: twice snd_wnd
    uint32_t snd_sn, rcv_sn; // the first numbers: 0 on the wire of kcp-go
} kcp_arq_config_t;

typedef struct kcp_arq {
    kcp_memory_t memory;
    kcp_budget_t *budget; // or NULL
    kcp_stats_t *stats;
    uint32_t conv;
    int32_t mtu, mss, max_acks;
    int32_t nodelay, interval_ms, resend, nc, rx_minrto;
    uint8_t stream, ack_nodelay;

    // receiving
    int32_t rcv_wnd;
    uint32_t rcv_nxt, rcv_q;
    int32_t rd_off; // bytes of the first segment that have been read
    uint32_t held_bytes; // of the budget
    kcp_rx_t *rx;
    uint32_t rx_cap;
    uint8_t *spare; // to fill a gap with: see make_room()
    kcp_ack_t *acks;
    uint32_t ack_cap, ack_max, ack_head, ack_tail;
    uint8_t probe; // KCP_ASK, KCP_TELL

    // sending
    int32_t snd_wnd, max_queue;
    uint32_t snd_una, snd_nxt, snd_end, snd_new;
    int32_t snd_bytes, n_flight;
    uint8_t has_doubts;
    int32_t una_ms; // when snd_una last moved; -1: not yet
    uint32_t una_new; // and what had not been sent yet
    int32_t behind;
    uint32_t ack_hi;
    uint32_t hole_first, hole_last;
    int32_t n_holes;
    uint32_t cursor;
    uint8_t has_cursor, fast_pending;
    uint32_t dup_first;
    int32_t dup_total;
    kcp_tx_t *tx;
    uint32_t tx_cap;

    // the pass
    uint8_t due, step, is_full, check_all;
    uint8_t asked; // a WASK went out (whoever looks at it clears it)
    uint8_t has_push; // the datagram built last holds data
    uint8_t has_timers, is_ticking, is_held, is_starved;
    uint32_t pass_ms, next_rto;
    int32_t nearest; // -1: none
    int32_t probe_wait;
    uint32_t ts_probe;
    int32_t wnd; // advertised
    uint32_t una;
    uint8_t asks;
    uint32_t ack_stop, ack_last_sn, ack_last_ts;
    int32_t window, n_moved, n_fast, n_early, n_lost;

    // time
    int32_t rmt_wnd;
    int32_t rx_srtt, rx_rttvar, rx_rto;
    int32_t peak_ms; // -1: not looked at
    uint8_t is_updated;
    uint32_t ts_flush, tick_at, phase_ms;
    int32_t push_ms; // when data last came; -1: never

    kcp_cc_t cc;
    int32_t payload_pct;
    uint8_t is_paced;
    kcp_pacer_t pacer;
} kcp_arq_t;

// 0, or -1: a value is out of range, or there is no memory.
int kcp_arq_init(kcp_arq_t *a, const kcp_arq_config_t *config, kcp_memory_t memory, kcp_stats_t *stats,
    kcp_budget_t *budget);
// Give all memory back.
void kcp_arq_free(kcp_arq_t *a);

// Settings. -1: out of range, nothing was changed. nodelay: those >= 0 are set; interval_ms is kept
// within 10 to 5000, resend up to 65534. payload_pct: 0 to 100.
void kcp_arq_nodelay(kcp_arq_t *a, int32_t nodelay, int32_t interval_ms, int32_t resend, int32_t nc);
int kcp_arq_wndsize(kcp_arq_t *a, int32_t snd_wnd, int32_t rcv_wnd);
int kcp_arq_set_mtu(kcp_arq_t *a, int32_t mtu);
void kcp_arq_set_cc(kcp_arq_t *a, int kind, int is_paced, int32_t payload_pct);
void kcp_arq_set_phase(kcp_arq_t *a, uint32_t now_ms);
// Take now all that the windows may ever need. -1: there is not as much.
int kcp_arq_reserve(kcp_arq_t *a);

// Take the segments in data[0 .. n - 1]. is_regular 0: repaired by FEC. 0, or kcp-go's code: -1 too
// short or another conv, -2 cut off, -3 unknown command.
int kcp_arq_input(kcp_arq_t *a, const uint8_t *data, size_t n, uint32_t now_ms, int is_regular);
// Build the next datagram, at most buf[0 .. KCP_MAX_MTU - 1]. Returns its bytes; 0: nothing is due.
int32_t kcp_arq_output(kcp_arq_t *a, uint8_t *buf, uint32_t now_ms);
// Mark a pass due if a deadline has come; ms until then: 0 now, -1 never.
void kcp_arq_tick(kcp_arq_t *a, uint32_t now_ms);
int32_t kcp_arq_timeout(kcp_arq_t *a, uint32_t now_ms);
void kcp_arq_update(kcp_arq_t *a, uint32_t now_ms); // kcp-go's Update
void kcp_arq_flush(kcp_arq_t *a);
void kcp_arq_let_acks_pass(kcp_arq_t *a);
static inline int kcp_arq_is_wnd(int32_t wnd) {
    return wnd >= 1 && wnd <= KCP_MAX_WND;
}
static inline int kcp_arq_is_idle(const kcp_arq_t *a) {
    return !(a->step || a->due);
}
static inline int kcp_arq_is_window_full(const kcp_arq_t *a) {
    return (int32_t)(a->snd_end - a->snd_una) >= a->snd_wnd;
}

// Queue bytes; returns how many were taken. -1: none were given; -2: a message of over 255 segments.
int32_t kcp_arq_send(kcp_arq_t *a, const uint8_t *data, size_t n);
// The next whole message: bytes of it, -1: none is there; recv -2: it is longer than n.
int32_t kcp_arq_peek_size(const kcp_arq_t *a);
int32_t kcp_arq_recv(kcp_arq_t *a, uint8_t *buf, size_t n);
// Take bytes whatever the borders of messages.
size_t kcp_arq_read(kcp_arq_t *a, uint8_t *buf, size_t n);
// Bytes that read() has at least; 0: nothing.
int32_t kcp_arq_readable(const kcp_arq_t *a);
void kcp_arq_tell_window(kcp_arq_t *a);
void kcp_arq_leave_budget(kcp_arq_t *a);
static inline int32_t kcp_arq_wait_snd(const kcp_arq_t *a) {
    return (int32_t)(a->snd_end - a->snd_una);
}

// -- between the files of the ARQ ------------------------------------------------------------------

static inline kcp_tx_t *kcp_tx_at(kcp_arq_t *a, uint32_t sn) {
    return &a->tx[sn & (a->tx_cap - 1)];
}
static inline uint32_t kcp_pow2_at_least(uint32_t n) {
    uint32_t p = 1;
    while (p < n) {
        p <<= 1;
    }
    return p;
}
int kcp_rcv_init(kcp_arq_t *a, uint32_t sn, uint32_t n_acks);
void kcp_rcv_free(kcp_arq_t *a);
int kcp_rcv_reserve(kcp_arq_t *a);
int32_t kcp_rcv_wnd_unused(const kcp_arq_t *a);
int kcp_rcv_push(kcp_arq_t *a, uint32_t sn, uint32_t ts, uint8_t frg, const uint8_t *data, uint32_t n);
int kcp_snd_init(kcp_arq_t *a, uint32_t sn);
void kcp_snd_free(kcp_arq_t *a);
int kcp_snd_reserve(kcp_arq_t *a);
void kcp_snd_on_una(kcp_arq_t *a, uint32_t una);
int kcp_snd_on_ack(kcp_arq_t *a, uint32_t sn, uint32_t ts);
void kcp_time_init(kcp_arq_t *a);
int32_t kcp_time_rtt_of(uint32_t now_ms, uint32_t ts);
void kcp_time_tell_oldest(kcp_arq_t *a, uint32_t now_ms);
void kcp_time_sample(kcp_arq_t *a, int32_t rtt_ms);
void kcp_time_arm_tick(kcp_arq_t *a, uint32_t now_ms);
void kcp_time_probe(kcp_arq_t *a, uint32_t now_ms);

#endif
