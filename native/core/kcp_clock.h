// Time in ms modulo 2**30, and sequence numbers modulo 2**32, compared as differences.
#ifndef KCP_CLOCK_H
#define KCP_CLOCK_H

#include <stdint.h>

#define KCP_CLOCK_MASK (0x3fffffffu)
#define KCP_CLOCK_HALF (0x20000000u)
#define KCP_CLOCK_LONGEST (0x10000000u) // ms that a limit may have: three days

// The ms from `since` to `now`; KCP_CLOCK_HALF and more: `since` lies ahead.
static inline uint32_t kcp_since(uint32_t now_ms, uint32_t since_ms) {
    return (now_ms - since_ms) & KCP_CLOCK_MASK;
}

// Has the deadline come?
static inline int kcp_is_due(uint32_t now_ms, uint32_t deadline_ms) {
    return kcp_since(now_ms, deadline_ms) < KCP_CLOCK_HALF;
}

static inline uint32_t kcp_later(uint32_t now_ms, uint32_t ms) {
    return (now_ms + ms) & KCP_CLOCK_MASK;
}

// How much of span_ms (longer ones count as KCP_CLOCK_LONGEST) is left, if it began at since_ms; 0:
// nothing.
static inline int32_t kcp_left(uint32_t since_ms, uint32_t span_ms, uint32_t now_ms) {
    uint32_t passed_ms = kcp_since(now_ms, since_ms);
    span_ms = span_ms < KCP_CLOCK_LONGEST ? span_ms : KCP_CLOCK_LONGEST;
    if (passed_ms >= KCP_CLOCK_HALF) {
        passed_ms = 0;
    }
    return passed_ms < span_ms ? (int32_t)(span_ms - passed_ms) : 0;
}

// The shorter of two waits, of which the first may be -1: never.
static inline int32_t kcp_sooner(int32_t wait_ms, int32_t other_ms) {
    return wait_ms < 0 || other_ms < wait_ms ? other_ms : wait_ms;
}

// a - b for sequence numbers.
static inline int32_t kcp_sn_diff(uint32_t a, uint32_t b) {
    return (int32_t)(a - b);
}

static inline int kcp_sn_before(uint32_t a, uint32_t b) {
    return kcp_sn_diff(a, b) < 0;
}

#endif
