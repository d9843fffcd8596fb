// The C ARQ for tests that drive it through ctypes: memory from malloc, numbers by name.

#include <stdlib.h>
#include <string.h>

#include "kcp_arq.h"

typedef struct {
    kcp_arq_t arq;
    kcp_stats_t stats;
    kcp_budget_t budget;
    size_t held_bytes, limit_bytes;
} shim_t;

static void *get(void *owner, size_t n_bytes) {
    shim_t *s = owner;
    if (s->held_bytes + n_bytes > s->limit_bytes) {
        return NULL;
    }
    s->held_bytes += n_bytes;
    return malloc(n_bytes);
}

static void put(void *owner, void *block, size_t n_bytes) {
    ((shim_t *)owner)->held_bytes -= n_bytes;
    free(block);
}

shim_t *shim_new(const kcp_arq_config_t *config, uint32_t budget_bytes, size_t limit_bytes) {
    shim_t *s = calloc(1, sizeof(*s));
    s->limit_bytes = limit_bytes;
    s->budget.limit_bytes = budget_bytes;
    kcp_memory_t memory = {s, get, put, 100}; // (smaller packets are in blocks of 100)
    if (kcp_arq_init(&s->arq, config, memory, &s->stats, budget_bytes ? &s->budget : NULL)) {
        free(s);
        return NULL;
    }
    return s;
}

// Returns the bytes that were not given back: none, if all is well.
size_t shim_free(shim_t *s) {
    kcp_arq_free(&s->arq);
    size_t n_bytes = s->held_bytes;
    free(s);
    return n_bytes;
}

size_t shim_held_bytes(const shim_t *s) {
    return s->held_bytes;
}

uint64_t shim_count(const shim_t *s, int i) {
    return s->stats.count[i];
}

void shim_set_doubts(shim_t *s) {
    s->arq.has_doubts = 1;
}

// Input from a copy of just the right size, so that AddressSanitizer sees what is read behind it.
int shim_input(shim_t *s, const uint8_t *data, size_t n, uint32_t now_ms, int is_regular) {
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, data, n);
    int code = kcp_arq_input(&s->arq, copy, n, now_ms, is_regular);
    free(copy);
    return code;
}

#define NUMBER(name, value) \
    if (!strcmp(what, name)) { \
        return (int64_t)(value); \
    }

int64_t shim_number(const shim_t *s, const char *what) {
    const kcp_arq_t *a = &s->arq;
    NUMBER("snd_una", a->snd_una)
    NUMBER("snd_nxt", a->snd_nxt)
    NUMBER("rcv_nxt", a->rcv_nxt)
    NUMBER("rmt_wnd", a->rmt_wnd)
    NUMBER("rx_srtt", a->rx_srtt)
    NUMBER("rx_rttvar", a->rx_rttvar)
    NUMBER("rx_rto", a->rx_rto)
    NUMBER("probe", a->probe)
    NUMBER("behind", a->behind)
    NUMBER("snd_bytes", a->snd_bytes)
    NUMBER("n_flight", a->n_flight)
    NUMBER("wait_snd", kcp_arq_wait_snd(a))
    NUMBER("rate", a->cc.rate)
    NUMBER("cwnd", a->cc.kind == KCP_CC_KCP ? a->cc.cwnd : a->cc.kcp_cwnd)
    NUMBER("ssthresh", a->cc.has_kcp ? a->cc.kcp.ssthresh : 2)
    NUMBER("incr", a->cc.kcp.incr)
    NUMBER("is_idle", kcp_arq_is_idle(a))
    NUMBER("readable", kcp_arq_readable(a))
    return INT64_MIN;
}
