// The sending half: queue, window, acknowledgements, loss signs. lib/kcp/_arq_snd.py explains the
// holes, the ghosts among them, and how fast-acks of what is acknowledged are counted.

#include <string.h>

#include "kcp_arq.h"
#include "kcp_clock.h"

#if KCP_ARQ

#define RING_MIN (16)
#define BLOCKED (0xffff) // fast-ack count of a segment that must wait for its timer
#define MAX_FRG (255)

static int tx_ring(kcp_arq_t *a, uint32_t cap) {
    kcp_tx_t *ring = a->memory.get(a->memory.owner, cap * sizeof(*ring));
    if (ring == NULL) {
        return -1;
    }
    memset(ring, 0, cap * sizeof(*ring));
    for (uint32_t sn = a->snd_una; sn != a->snd_end; sn++) {
        ring[sn & (cap - 1)] = *kcp_tx_at(a, sn);
    }
    if (a->tx != NULL) {
        a->memory.put(a->memory.owner, a->tx, a->tx_cap * sizeof(*ring));
    }
    a->tx = ring;
    a->tx_cap = cap;
    return 0;
}

int kcp_snd_init(kcp_arq_t *a, uint32_t sn) {
    a->snd_una = a->snd_nxt = a->snd_end = a->snd_new = sn;
    a->una_ms = -1;
    a->una_new = a->ack_hi = a->dup_first = sn;
    return tx_ring(a, RING_MIN);
}

int kcp_snd_reserve(kcp_arq_t *a) {
    uint32_t cap = kcp_pow2_at_least((uint32_t)a->max_queue);
    return cap > a->tx_cap ? tx_ring(a, cap) : 0;
}

static void give_back(kcp_arq_t *a, kcp_tx_t *t) {
    a->memory.put(a->memory.owner, t->data, t->capacity);
    t->data = NULL;
}

void kcp_snd_free(kcp_arq_t *a) {
    if (a->tx == NULL) {
        return;
    }
    for (uint32_t sn = a->snd_una; sn != a->snd_end; sn++) {
        if (kcp_tx_at(a, sn)->data != NULL) {
            give_back(a, kcp_tx_at(a, sn));
        }
    }
    a->memory.put(a->memory.owner, a->tx, a->tx_cap * sizeof(*a->tx));
    a->tx = NULL;
    a->tx_cap = 0;
}

// -- queueing --------------------------------------------------------------------------------------

// Stream mode: fill up the last queued segment; the bytes used.
static uint32_t extend(kcp_arq_t *a, const uint8_t *data, size_t n) {
    uint32_t last = a->snd_end - 1;
    if (kcp_sn_before(last, a->snd_nxt)) {
        return 0;
    }
    kcp_tx_t *t = kcp_tx_at(a, last);
    int32_t used = t->n - KCP_OVERHEAD, room = a->mss - used;
    if (room <= 0 || n == 0) {
        return 0;
    }
    uint32_t take = n < (size_t)room ? (uint32_t)n : (uint32_t)room;
    if ((uint32_t)used + take > t->capacity) {
        uint8_t *larger = kcp_get_packet(&a->memory, (size_t)a->mss);
        if (larger == NULL) {
            return 0;
        }
        memcpy(larger, t->data, (size_t)used);
        give_back(a, t);
        t->data = larger;
        t->capacity = (uint16_t)kcp_packet_bytes(&a->memory, (size_t)a->mss);
    }
    memcpy(t->data + used, data, take);
    t->n = (uint16_t)(t->n + take);
    a->snd_bytes += (int32_t)take;
    return take;
}

// 0: there is no memory.
static int append(kcp_arq_t *a, const uint8_t *data, uint32_t n, uint32_t frg) {
    uint8_t *copy = kcp_get_packet(&a->memory, n);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, n);
    kcp_tx_t *t = kcp_tx_at(a, a->snd_end++);
    memset(t, 0, sizeof(*t));
    t->data = copy;
    t->capacity = (uint16_t)kcp_packet_bytes(&a->memory, n);
    t->n = (uint16_t)(n + KCP_OVERHEAD);
    t->frg = (uint8_t)frg;
    a->snd_bytes += (int32_t)n;
    return 1;
}

// Take back the n segments queued last: there is no memory for the rest of their message.
static void take_back(kcp_arq_t *a, uint32_t n) {
    while (n--) {
        kcp_tx_t *t = kcp_tx_at(a, --a->snd_end);
        a->snd_bytes -= t->n - KCP_OVERHEAD;
        give_back(a, t);
    }
}

int32_t kcp_arq_send(kcp_arq_t *a, const uint8_t *data, size_t n) {
    if (n == 0) {
        return -1;
    }
    size_t mss = (size_t)a->mss, off = a->stream ? extend(a, data, n) : 0;
    size_t count = (n - off + mss - 1) / mss;
    int32_t room = a->max_queue - (int32_t)(a->snd_end - a->snd_una);
    if (!a->stream) {
        if (count > MAX_FRG) {
            return -2;
        }
        if ((int32_t)count > room) {
            return 0;
        }
    } else if (room < 0 || count > (size_t)room) {
        count = room > 0 ? (size_t)room : 0;
    }
    uint32_t needed = a->snd_end - a->snd_una + (uint32_t)count;
    if (needed > a->tx_cap && tx_ring(a, kcp_pow2_at_least(needed))) {
        return (int32_t)off;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t size = (uint32_t)(n - off < mss ? n - off : mss);
        if (!append(a, data + off, size, a->stream ? 0 : (uint32_t)(count - 1 - i))) {
            if (!a->stream) {
                take_back(a, (uint32_t)i);
                return 0;
            }
            break;
        }
        off += size;
    }
    return (int32_t)off;
}

// -- acknowledgements ------------------------------------------------------------------------------

static void drop_bytes(kcp_arq_t *a, kcp_tx_t *t) {
    a->snd_bytes -= t->n - KCP_OVERHEAD;
    a->n_flight--;
    give_back(a, t);
}

// Append a hole or ghost to the list; sn is above all that are in it.
static void link(kcp_arq_t *a, uint32_t sn) {
    kcp_tx_t *t = kcp_tx_at(a, sn);
    t->is_linked = 1;
    t->hole_prev = a->hole_last;
    if (a->n_holes++ == 0) {
        a->hole_first = sn;
    } else {
        kcp_tx_at(a, a->hole_last)->hole_next = sn;
    }
    a->hole_last = sn;
}

static void unlink_hole(kcp_arq_t *a, uint32_t sn) {
    kcp_tx_t *t = kcp_tx_at(a, sn);
    int is_first = sn == a->hole_first, is_last = sn == a->hole_last;
    t->is_linked = 0;
    a->n_holes--;
    if (is_first) {
        a->hole_first = t->hole_next;
    } else {
        kcp_tx_at(a, t->hole_prev)->hole_next = t->hole_next;
    }
    if (is_last) {
        a->hole_last = t->hole_prev;
    } else {
        kcp_tx_at(a, t->hole_next)->hole_prev = t->hole_prev;
    }
    if (a->has_cursor && a->cursor == sn) {
        a->cursor = t->hole_next;
        a->has_cursor = !is_last;
    }
}

// Remove everything below una (snd_una < una <= snd_nxt).
void kcp_snd_on_una(kcp_arq_t *a, uint32_t una) {
    for (uint32_t sn = a->snd_una; sn != una; sn++) {
        kcp_tx_t *t = kcp_tx_at(a, sn);
        if (t->data != NULL) {
            drop_bytes(a, t);
        }
        if (t->is_linked) {
            unlink_hole(a, sn);
        }
        if (t->dup && !kcp_sn_before(sn, a->dup_first)) {
            a->dup_total -= t->dup;
        }
    }
    a->snd_una = una;
    if (kcp_sn_before(a->ack_hi, una)) {
        a->ack_hi = una;
    }
    if (kcp_sn_before(a->dup_first, una)) {
        a->dup_first = una;
    }
    if (!kcp_sn_before(una, a->snd_new)) {
        a->snd_new = una;
        a->has_timers = 0; // nothing is in flight
    }
}

// One fast-ack more for each hole and ghost below sn that was sent no later than ts.
static int count_holes(kcp_arq_t *a, uint32_t sn, uint32_t ts) {
    int has_hit = 0;
    uint32_t hole = a->hole_first;
    for (int32_t left = a->n_holes; left > 0 && kcp_sn_before(hole, sn); left--) {
        kcp_tx_t *t = kcp_tx_at(a, hole);
        if (t->fast != BLOCKED && (kcp_is_due(ts, t->ts) || t->xmit == 0)) {
            int32_t count = t->fast + 1;
            if (count < BLOCKED) { // else: a flood of forged ACKs; it stays where it is
                t->fast = (uint16_t)count;
            }
            has_hit |= count >= a->resend;
            if (t->data != NULL) {
                a->fast_pending = 1;
            }
        }
        hole = t->hole_next;
    }
    return has_hit;
}

// The same for all segments sent once.
static int count_prefix(kcp_arq_t *a, uint32_t sn, uint32_t ts) {
    uint32_t first = a->dup_first;
    while (kcp_sn_before(first, sn) && kcp_tx_at(a, first)->xmit != 1) {
        a->dup_total -= kcp_tx_at(a, first)->dup;
        first++;
    }
    a->dup_first = first;
    uint32_t last = sn;
    while (kcp_sn_before(first, last)) {
        kcp_tx_t *t = kcp_tx_at(a, --last);
        if (t->xmit == 1 && kcp_is_due(ts, t->ts)) {
            if (t->dup < 0xffff) {
                t->dup++;
                a->dup_total++;
            }
            return a->dup_total >= a->resend;
        }
    }
    return 0;
}

// ACK of sn (snd_una <= sn < snd_nxt), which echoes our ts. True: a fast-ack count has reached the
// limit, it is time for a full pass.
int kcp_snd_on_ack(kcp_arq_t *a, uint32_t sn, uint32_t ts) {
    kcp_tx_t *t = kcp_tx_at(a, sn);
    int is_single = t->xmit == 1;
    if (!kcp_sn_before(sn, a->ack_hi)) {
        for (uint32_t hole = a->ack_hi; hole != sn; hole++) {
            link(a, hole);
        }
        a->ack_hi = sn + 1;
        drop_bytes(a, t);
        if (!is_single && t->fast != BLOCKED) {
            link(a, sn); // a ghost
        }
    } else if (t->data != NULL) {
        drop_bytes(a, t);
        if (is_single || t->fast == BLOCKED) {
            unlink_hole(a, sn);
        }
    }
    if (sn == a->snd_una) {
        return 0;
    }
    int has_hit = count_holes(a, sn, ts); // both must run: each keeps its own counts
    return count_prefix(a, sn, ts) || has_hit;
}

#endif
