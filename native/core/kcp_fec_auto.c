// fec="auto": lib/kcp/_fec_auto.py.

#include <string.h>

#include "kcp_clock.h"
#include "kcp_fec_auto.h"

#if KCP_FEC && KCP_ARQ

#define FIRST_LOSS (51) // 5 %, until something is known
#define FEW_LOSSES (3) // below, nothing is done about them
#define MANY_LOSSES (154) // 15 %
#define LOOK_SEGS (128)
#define SHORT_LOOK_SEGS (32)
#define N_SHORT_LOOKS (8)
#define FASTEST (4)
#define SLOWEST (7)
#define CALM_LOOKS (32)
#define TELL_FIRST (2)
#define TELL_GROUPS (16)
#define TELL_RARELY (64)
#define MIN_DELAY_MS (2)
#define MAX_GAP_MS (2000)

static int32_t less(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t more(int32_t a, int32_t b) {
    return a > b ? a : b;
}

void kcp_auto_init(kcp_auto_t *f, const kcp_encoder_t *e, const kcp_arq_t *a) {
    memset(f, 0, sizeof(*f));
    f->loss = FIRST_LOSS;
    f->shift = FASTEST;
    f->n_parity_used = less(2, e->parity);
    f->n_to_tell = TELL_FIRST;
    f->is_sparse = 1;
    f->look_sn = a->snd_una;
    f->look_resent = a->stats->count[KCP_RETRANS_SEGS];
}

// -- the estimate

// How many parity packets a group of `data` needs at this loss, at most `most`.
static int32_t parity_for(int32_t loss, int32_t data, int32_t most) {
    if (loss < FEW_LOSSES) {
        return 0;
    }
    for (int32_t n = 1; n < most; n++) {
        int64_t mean = (int64_t)(data + n) * loss, above = ((int64_t)n << 10) - mean;
        if (above > 0 && above * above >> 10 >= 4 * mean) {
            return n;
        }
    }
    return most;
}

// (seen is below the estimate where it is subtracted, so nothing negative is shifted but in halves.)
static void add_loss(kcp_auto_t *f, int32_t seen, int is_first) {
    if (is_first) {
        int32_t d = seen - f->loss;
        f->loss += d > 0 ? d >> 1 : -((-d + 3) >> 2);
        return;
    }
    if (seen > f->loss) {
        if (seen > f->loss + f->loss / 2 + 10 && f->shift < SLOWEST) {
            f->shift++;
        }
        f->n_calm = 0;
        f->loss += (seen - f->loss + 1) >> 1;
        return;
    }
    f->loss -= (f->loss - seen + (1 << f->shift) - 1) >> f->shift;
    if (++f->n_calm >= CALM_LOOKS) {
        f->n_calm = 0;
        f->shift -= f->shift > FASTEST;
    }
}

// Every so many segments: how many were sent again?
static void look(kcp_auto_t *f, const kcp_encoder_t *e, kcp_arq_t *a) {
    int32_t n_acked = (int32_t)(a->snd_una - f->look_sn);
    int is_first = f->n_looks < N_SHORT_LOOKS;
    if (n_acked < (is_first || f->is_sparse ? SHORT_LOOK_SEGS : LOOK_SEGS)) {
        return;
    }
    f->n_looks += is_first;
    int64_t n_resent = (int64_t)(a->stats->count[KCP_RETRANS_SEGS] - f->look_resent);
    f->look_sn = a->snd_una;
    f->look_resent = a->stats->count[KCP_RETRANS_SEGS];
    if (n_resent < 0) { // the counters were reset
        return;
    }
    add_loss(f, (int32_t)((n_resent << 10) / (n_acked + n_resent)), is_first);
    // not down and up again for nothing
    int32_t most = parity_for(f->loss + (f->loss >> 4), e->data, e->parity);
    int32_t least = parity_for(f->loss, e->data, e->parity);
    f->n_parity_used = more(least, less(most, f->n_parity_used));
    a->payload_pct = 100 * e->data / (e->data + f->n_parity_used);
}

// See how long a group takes now.
static void see_gap(kcp_auto_t *f, const kcp_encoder_t *e, const kcp_arq_t *a, uint32_t now_ms) {
    if (e->last_ms < 0) {
        return;
    }
    uint32_t passed_ms = kcp_since(now_ms, (uint32_t)e->last_ms);
    int32_t gap = (int32_t)(passed_ms < MAX_GAP_MS ? passed_ms : MAX_GAP_MS) << 4;
    if (f->gap) {
        int32_t d = gap - f->gap;
        gap = f->gap + (d >= 0 ? d >> 3 : -((-d + 7) >> 3));
    }
    f->gap = gap;
    int32_t fill_ms = f->gap * e->data >> 4, limit_ms = a->interval_ms + a->rx_srtt;
    if (fill_ms > limit_ms) {
        f->is_sparse = 1;
    } else if (fill_ms < limit_ms - (limit_ms >> 2)) {
        f->is_sparse = 0;
    }
}

// A group begins: how much parity it gets.
static int32_t parity_of_group(kcp_auto_t *f, const kcp_encoder_t *e) {
    int32_t n = f->n_parity_used;
    if (f->is_sparse) {
        return 0;
    }
    if (f->n_to_tell) {
        f->n_to_tell--;
        f->n_groups = 0;
        return e->parity;
    }
    if (++f->n_groups >= (n ? TELL_GROUPS : TELL_RARELY)) {
        f->n_to_tell = 1;
    }
    return n;
}

// -- copies

// How long a copy waits, so that what has hit the first one may be over.
static uint32_t delay_ms(const kcp_arq_t *a) {
    return (uint32_t)more(MIN_DELAY_MS, less(a->interval_ms, a->rx_srtt >> 2));
}

static kcp_copy_t *copy_at(kcp_auto_t *f, int32_t i) {
    return &f->copies[(f->first_copy + i) % KCP_AUTO_COPIES];
}

static void put_copy(kcp_auto_t *f, const kcp_encoder_t *e, const kcp_arq_t *a, const uint8_t *bytes, uint32_t n, uint32_t now_ms) {
    if (f->n_copies == KCP_AUTO_COPIES) {
        return;
    }
    kcp_copy_t *copy = copy_at(f, f->n_copies);
    copy->bytes = kcp_get_packet(&e->memory, n);
    if (copy->bytes == NULL) {
        return;
    }
    memcpy(copy->bytes, bytes, n);
    copy->n = n;
    copy->n_left = f->loss >= MANY_LOSSES ? 2 : 1;
    copy->due_ms = kcp_later(now_ms, delay_ms(a));
    copy->stop_sn = a->snd_new;
    f->n_copies++;
}

static void drop_copy(kcp_auto_t *f, const kcp_encoder_t *e) {
    kcp_copy_t *copy = copy_at(f, 0);
    kcp_put_packet(&e->memory, copy->bytes, copy->n);
    copy->bytes = NULL;
    f->first_copy = (f->first_copy + 1) % KCP_AUTO_COPIES;
    f->n_copies--;
}

void kcp_auto_free(kcp_auto_t *f, const kcp_encoder_t *e) {
    while (f->n_copies) {
        drop_copy(f, e);
    }
}

int32_t kcp_auto_wait_ms(const kcp_auto_t *f, uint32_t now_ms) {
    uint32_t wait_ms = kcp_since(f->copies[f->first_copy].due_ms, now_ms);
    return wait_ms > KCP_CLOCK_MASK >> 1 ? 0 : (int32_t)wait_ms;
}

uint32_t kcp_auto_copy(kcp_auto_t *f, const kcp_encoder_t *e, const kcp_arq_t *a, uint8_t *packet, uint32_t now_ms) {
    while (f->n_copies && kcp_auto_wait_ms(f, now_ms) == 0) {
        kcp_copy_t *copy = copy_at(f, 0);
        uint32_t n = 0;
        if (kcp_sn_before(a->snd_una, copy->stop_sn)) {
            n = copy->n;
            memcpy(packet, copy->bytes, n);
            copy->n_left--;
            copy->due_ms = kcp_later(now_ms, delay_ms(a));
        }
        if (!n || !copy->n_left) {
            drop_copy(f, e);
        }
        if (n) {
            return n;
        }
    }
    return 0;
}

void kcp_auto_data(kcp_auto_t *f, kcp_encoder_t *e, kcp_arq_t *a, uint8_t *packet, uint32_t n, uint32_t now_ms) {
    see_gap(f, e, a, now_ms);
    if (e->n_data == 0) {
        e->n_used = parity_of_group(f, e);
    }
    kcp_encoder_data(e, packet, n, now_ms);
    look(f, e, a);
    if (f->is_sparse && f->loss >= FEW_LOSSES) {
        put_copy(f, e, a, packet + KCP_FEC_HEAD, n - KCP_FEC_HEAD, now_ms);
    }
}

#endif
