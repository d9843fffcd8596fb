// The receiving half: acknowledgements to send, reordering, reading. lib/kcp/_arq_rcv.py explains it.

#include <string.h>

#include "kcp_arq.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define RING_MIN (16)
#define SPARE_BYTES (KCP_MAX_MTU)

static kcp_rx_t *rx_at(const kcp_arq_t *a, uint32_t sn) {
    return &a->rx[sn & (a->rx_cap - 1)];
}

// (Re)build the ring with `cap` slots, a power of two. -1: there is no memory.
static int rx_ring(kcp_arq_t *a, uint32_t cap) {
    kcp_rx_t *ring = a->memory.get(a->memory.owner, cap * sizeof(*ring));
    if (ring == NULL) {
        return -1;
    }
    memset(ring, 0, cap * sizeof(*ring));
    for (uint32_t i = 0; i < a->rx_cap; i++) {
        ring[(a->rcv_q + i) & (cap - 1)] = *rx_at(a, a->rcv_q + i);
    }
    if (a->rx != NULL) {
        a->memory.put(a->memory.owner, a->rx, a->rx_cap * sizeof(*ring));
    }
    a->rx = ring;
    a->rx_cap = cap;
    return 0;
}

static int ack_ring(kcp_arq_t *a, uint32_t cap) {
    kcp_ack_t *ring = a->memory.get(a->memory.owner, cap * sizeof(*ring));
    if (ring == NULL) {
        return -1;
    }
    for (uint32_t i = a->ack_head; i != a->ack_tail; i++) {
        ring[i & (cap - 1)] = a->acks[i & (a->ack_cap - 1)];
    }
    if (a->acks != NULL) {
        a->memory.put(a->memory.owner, a->acks, a->ack_cap * sizeof(*ring));
    }
    a->acks = ring;
    a->ack_cap = cap;
    return 0;
}

int kcp_rcv_init(kcp_arq_t *a, uint32_t sn, uint32_t n_acks) {
    a->rcv_nxt = a->rcv_q = sn;
    a->ack_max = kcp_pow2_at_least(n_acks);
    return rx_ring(a, RING_MIN) || ack_ring(a, RING_MIN) ? -1 : 0;
}

int kcp_rcv_reserve(kcp_arq_t *a) {
    uint32_t cap = kcp_pow2_at_least(2 * (uint32_t)a->rcv_wnd);
    if (cap > a->rx_cap && rx_ring(a, cap)) {
        return -1;
    }
    if (a->spare == NULL) {
        a->spare = a->memory.get(a->memory.owner, SPARE_BYTES);
    }
    return a->ack_max > a->ack_cap ? ack_ring(a, a->ack_max) : 0;
}

static void give_back(kcp_arq_t *a, kcp_rx_t *slot) {
    a->memory.put(a->memory.owner, slot->data, slot->capacity);
    slot->data = NULL;
}

void kcp_rcv_free(kcp_arq_t *a) {
    for (uint32_t i = 0; i < a->rx_cap; i++) {
        if (a->rx[i].data != NULL) {
            give_back(a, &a->rx[i]);
        }
    }
    if (a->rx != NULL) {
        a->memory.put(a->memory.owner, a->rx, a->rx_cap * sizeof(*a->rx));
    }
    if (a->acks != NULL) {
        a->memory.put(a->memory.owner, a->acks, a->ack_cap * sizeof(*a->acks));
    }
    if (a->spare != NULL) {
        a->memory.put(a->memory.owner, a->spare, SPARE_BYTES);
    }
    a->rx = NULL;
    a->acks = NULL;
    a->spare = NULL;
    a->rx_cap = a->ack_cap = 0;
    kcp_arq_leave_budget(a);
}

int32_t kcp_rcv_wnd_unused(const kcp_arq_t *a) {
    int32_t unused = a->rcv_wnd - (int32_t)(a->rcv_nxt - a->rcv_q);
    return unused > 0 ? unused : 0;
}

static void note_ack(kcp_arq_t *a, uint32_t sn, uint32_t ts) {
    if (a->ack_tail - a->ack_head >= a->ack_cap && a->ack_cap < a->ack_max) {
        ack_ring(a, 2 * a->ack_cap); // (without memory it stays as it is)
    }
    if (a->ack_tail - a->ack_head >= a->ack_cap) {
        // The peer learns of in-order segments by una; anything else it will send again.
        a->ack_head++;
        a->stats->count[KCP_ACK_DROPS]++;
    }
    kcp_ack_t *ack = &a->acks[a->ack_tail++ & (a->ack_cap - 1)];
    ack->sn = sn;
    ack->ts = ts;
}

// What a segment counts in the budget: an empty one takes memory, too.
static uint32_t charge(uint32_t n) {
    return n ? n : 1;
}

// Must this segment be refused? One per session never is, so that all go on.
static int is_over_budget(const kcp_arq_t *a, uint32_t sn, uint32_t n) {
    const kcp_budget_t *budget = a->budget;
    if (budget == NULL || budget->used_bytes + charge(n) <= budget->limit_bytes) {
        return 0;
    }
    return !(kcp_sn_before(sn, a->rcv_nxt) || (sn == a->rcv_nxt && sn == a->rcv_q));
}

void kcp_arq_leave_budget(kcp_arq_t *a) {
    if (a->budget != NULL) {
        a->budget->used_bytes -= a->held_bytes;
        a->budget = NULL;
    }
}

// Move what is in order from the receive buffer to the receive queue.
static void advance(kcp_arq_t *a) {
    uint32_t most = (uint32_t)a->rcv_wnd < a->rx_cap ? (uint32_t)a->rcv_wnd : a->rx_cap;
    uint32_t stop = a->rcv_q + most;
    while (kcp_sn_before(a->rcv_nxt, stop) && rx_at(a, a->rcv_nxt)->data != NULL) {
        a->rcv_nxt++;
    }
}

// Memory for the n bytes of a segment, into slot; 0 if there is none.
//
// What came out of order cannot be read before the gap is filled, and must not take the last memory
// that the gap could be filled with: it is stored only while there is a spare block for that.
static int make_room(kcp_arq_t *a, kcp_rx_t *slot, uint32_t sn, uint32_t n) {
    uint32_t capacity = (uint32_t)kcp_packet_bytes(&a->memory, charge(n));
    if (sn != a->rcv_nxt && a->spare == NULL) {
        a->spare = a->memory.get(a->memory.owner, SPARE_BYTES);
        if (a->spare == NULL) {
            return 0;
        }
    }
    slot->data = a->memory.get(a->memory.owner, capacity);
    if (slot->data == NULL && sn == a->rcv_nxt && sn == a->rcv_q) {
        slot->data = a->spare;
        a->spare = NULL;
        capacity = SPARE_BYTES;
    }
    slot->capacity = (uint16_t)capacity;
    return slot->data != NULL;
}

// Store the segment; 0 if there is no memory for it.
static int store(kcp_arq_t *a, uint32_t sn, uint8_t frg, const uint8_t *data, uint32_t n) {
    uint32_t ahead = sn - a->rcv_q;
    if (n > SPARE_BYTES || (ahead >= a->rx_cap && rx_ring(a, kcp_pow2_at_least(ahead + 1)))) {
        return 0;
    }
    kcp_rx_t *slot = rx_at(a, sn);
    if (!make_room(a, slot, sn, n)) {
        return 0;
    }
    memcpy(slot->data, data, n);
    slot->n = (uint16_t)n;
    slot->frg = frg;
    if (a->budget != NULL) {
        a->held_bytes += charge(n);
        a->budget->used_bytes += charge(n);
    }
    return 1;
}

// Take a data segment; 0 if it was of no use.
int kcp_rcv_push(kcp_arq_t *a, uint32_t sn, uint32_t ts, uint8_t frg, const uint8_t *data, uint32_t n) {
    if (kcp_sn_diff(sn, a->rcv_nxt + (uint32_t)a->rcv_wnd) >= 0) {
        return 0;
    }
    int is_old = kcp_sn_before(sn, a->rcv_nxt);
    int is_there = !is_old && sn - a->rcv_q < a->rx_cap && rx_at(a, sn)->data != NULL;
    if (is_over_budget(a, sn, n) || (!is_old && !is_there && !store(a, sn, frg, data, n))) {
        a->stats->count[KCP_MEMORY_DROPS]++;
        return 1;
    }
    note_ack(a, sn, ts);
    if (!is_old) {
        advance(a);
    }
    return !is_old && !is_there;
}

int32_t kcp_arq_peek_size(const kcp_arq_t *a) {
    uint32_t n_queued = a->rcv_nxt - a->rcv_q;
    if (n_queued == 0) {
        return -1;
    }
    const kcp_rx_t *slot = rx_at(a, a->rcv_q);
    if (slot->frg == 0) {
        return slot->n;
    }
    // kcp-go adds in 8 bits: 255 more fragments count as 0, and what is there is the message
    if (n_queued < ((slot->frg + 1u) & 0xff)) {
        return -1;
    }
    int32_t size = 0;
    for (uint32_t sn = a->rcv_q; sn != a->rcv_nxt; sn++) {
        slot = rx_at(a, sn);
        size += slot->n;
        if (slot->frg == 0) {
            break;
        }
    }
    return size;
}

static void pop(kcp_arq_t *a) {
    kcp_rx_t *slot = rx_at(a, a->rcv_q);
    if (a->budget != NULL) {
        a->held_bytes -= charge(slot->n);
        a->budget->used_bytes -= charge(slot->n);
    }
    give_back(a, slot);
    a->rcv_q++;
    a->rd_off = 0;
}

static int is_full(const kcp_arq_t *a) {
    return (int32_t)(a->rcv_nxt - a->rcv_q) >= a->rcv_wnd;
}

// After a read: move on, and tell the peer if the window had been closed.
static void made_room(kcp_arq_t *a, int was_full) {
    advance(a);
    if (was_full && !is_full(a)) {
        a->probe |= KCP_TELL;
    }
}

int32_t kcp_arq_recv(kcp_arq_t *a, uint8_t *buf, size_t n) {
    int32_t size = kcp_arq_peek_size(a);
    if (size < 0) {
        return -1;
    }
    if ((size_t)size > n) {
        return -2;
    }
    int was_full = is_full(a), is_last = 0;
    int32_t at = 0;
    while (!is_last && a->rcv_q != a->rcv_nxt) {
        const kcp_rx_t *slot = rx_at(a, a->rcv_q);
        memcpy(buf + at, slot->data, slot->n);
        at += slot->n;
        is_last = slot->frg == 0;
        pop(a);
    }
    made_room(a, was_full);
    return at;
}

size_t kcp_arq_read(kcp_arq_t *a, uint8_t *buf, size_t n) {
    int was_full = is_full(a);
    size_t at = 0;
    while (at < n && a->rcv_q != a->rcv_nxt) {
        const kcp_rx_t *slot = rx_at(a, a->rcv_q);
        size_t left = (size_t)(slot->n - a->rd_off);
        size_t take = left < n - at ? left : n - at;
        memcpy(buf + at, slot->data + a->rd_off, take);
        at += take;
        a->rd_off += (int32_t)take;
        if (take == left) {
            pop(a);
        }
    }
    made_room(a, was_full);
    return at;
}

void kcp_arq_tell_window(kcp_arq_t *a) {
    advance(a);
    a->probe |= KCP_TELL;
}

int32_t kcp_arq_readable(const kcp_arq_t *a) {
    for (uint32_t sn = a->rcv_q; sn != a->rcv_nxt; sn++) {
        int32_t n = rx_at(a, sn)->n;
        if (sn == a->rcv_q) {
            n -= a->rd_off;
        }
        if (n) {
            return n;
        }
    }
    return 0;
}

#endif
