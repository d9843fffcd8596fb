// Finds a sender's (data, parity) from the order of its packets: lib/kcp/tune.py.

#include <string.h>

#include "kcp_fec.h"

#if KCP_FEC

#define FAR (0x4000000) // (in tune.py's keys, which are doubled, 2**27)

void kcp_tuner_init(kcp_tuner_t *t) {
    memset(t, 0, sizeof(*t));
}

// Samples are compared by (seqid, kind), seqids relative to `base`.
static int is_smaller(const kcp_tuner_t *t, int i, int32_t d, int kind) {
    int32_t e = (int32_t)(t->seqids[i] - t->base);
    return e < d || (e == d && t->kinds[i] < kind);
}

static void insert(kcp_tuner_t *t, int n, int i) {
    int32_t d = (int32_t)(t->seqids[i] - t->base);
    int low = 0, high = n;
    if (n && is_smaller(t, t->order[n - 1], d, t->kinds[i])) {
        low = n; // what nearly always happens
    }
    while (low < high) {
        int middle = (low + high) >> 1;
        if (is_smaller(t, t->order[middle], d, t->kinds[i])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&t->order[low + 1], &t->order[low], (size_t)(n - low) * sizeof(t->order[0]));
    t->order[low] = (uint16_t)i;
}

static void take_out(kcp_tuner_t *t, int i) {
    int at = 0;
    while (t->order[at] != i) {
        at++;
    }
    memmove(&t->order[at], &t->order[at + 1], (size_t)(t->count - 1 - at) * sizeof(t->order[0]));
}

void kcp_tuner_sample(kcp_tuner_t *t, int is_data, uint32_t seqid) {
    int i = t->next, is_full = t->count == KCP_FEC_SAMPLES;
    if (t->has_order) {
        int32_t d = (int32_t)(seqid - t->base);
        // a key of exactly -FAR is too far, too, but an odd one is not
        if (d >= FAR || d < -FAR || (d == -FAR && !is_data)) {
            t->has_order = 0; // to be made again, with another base
        } else if (is_full) {
            take_out(t, i);
        }
    }
    t->seqids[i] = seqid;
    t->kinds[i] = is_data != 0;
    t->next = (uint16_t)(i + 1 < KCP_FEC_SAMPLES ? i + 1 : 0);
    if (t->has_order) {
        insert(t, is_full ? t->count - 1 : t->count, i);
    }
    t->count = (uint16_t)(t->count + !is_full);
}

static void make_order(kcp_tuner_t *t) {
    if (t->has_order) {
        return;
    }
    t->base = t->seqids[0];
    t->has_order = 1;
    for (int i = 0; i < t->count; i++) {
        insert(t, i, i);
    }
}

// The length of the first complete run of `kind`; 0: none before the first gap.
static int32_t run_length(const kcp_tuner_t *t, int kind) {
    int start = -1;
    int last = t->order[0];
    for (int i = 1; i < t->count; i++) {
        int one = t->order[i];
        int64_t step = (int64_t)(int32_t)(t->seqids[one] - t->base) - (int32_t)(t->seqids[last] - t->base);
        if (step != 1) {
            return 0;
        }
        if (start < 0) {
            if (t->kinds[last] != kind && t->kinds[one] == kind) {
                start = i;
            }
        } else if (t->kinds[one] != kind) {
            return i - start;
        }
        last = one;
    }
    return 0;
}

int kcp_tuner_find(kcp_tuner_t *t, int32_t *data, int32_t *parity) {
    if (t->count < 3) {
        return 0;
    }
    make_order(t);
    *data = run_length(t, 1);
    *parity = *data ? run_length(t, 0) : 0;
    if (!*parity || *data + *parity >= 256) {
        return 0;
    }
    t->has_order = 0;
    return 1;
}

int kcp_tuner_alternates(kcp_tuner_t *t, uint32_t paws) {
    if (kcp_tuner_n_until_fit(t, 1, 2, paws)) {
        return 0;
    }
    int has_last = 0;
    uint32_t last = 0;
    make_order(t);
    for (int i = 0; i < t->count; i++) {
        int one = t->order[i];
        if (!t->kinds[one]) {
            if (has_last && t->seqids[one] - last == 2) {
                return 1;
            }
            has_last = 1;
            last = t->seqids[one];
        }
    }
    return 0;
}

int32_t kcp_tuner_n_until_fit(const kcp_tuner_t *t, int32_t data, int32_t n, uint32_t paws) {
    int i = t->next;
    for (int32_t age = 0; age < t->count; age++) {
        i = i ? i - 1 : KCP_FEC_SAMPLES - 1;
        uint32_t seqid = t->seqids[i];
        if (seqid < paws && (seqid % (uint32_t)n < (uint32_t)data) != t->kinds[i]) {
            return KCP_FEC_SAMPLES - age;
        }
    }
    return 0;
}

#endif
