// The C session for tests that drive it through ctypes: memory from malloc, predictable nonces.

#include <stdlib.h>
#include <string.h>

#include "kcp_session.h"

typedef struct {
    kcp_session_t session;
    kcp_stats_t stats;
    void *codec;
    size_t held_bytes, limit_bytes;
    uint32_t n_fills;
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

static void fill(void *owner, uint8_t *bytes, size_t n) {
    uint32_t k = ((shim_t *)owner)->n_fills++;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(7 * k + 13 * i);
    }
}

shim_t *shim_session_new(const kcp_session_config_t *config, int kind, const uint8_t *key, size_t n_key, size_t limit_bytes, uint32_t now_ms) {
    shim_t *s = calloc(1, sizeof(*s));
    s->limit_bytes = limit_bytes;
    if (kind) {
        s->codec = malloc(kcp_crypt_bytes(kind));
        if (kcp_crypt_init(s->codec, kcp_crypt_bytes(kind), kind, key, n_key)) {
            abort();
        }
    }
    kcp_memory_t memory = {s, get, put, 100}; // (smaller packets are in blocks of 100)
    kcp_entropy_t entropy = {s, fill};
    if (kcp_session_init(&s->session, config, s->codec, kind, memory, entropy, &s->stats, NULL, now_ms)) {
        free(s->codec);
        free(s);
        return NULL;
    }
    return s;
}

// Returns the bytes that were not given back: none, if all is well.
size_t shim_session_free(shim_t *s) {
    kcp_session_free(&s->session);
    size_t n_bytes = s->held_bytes;
    free(s->codec);
    free(s);
    return n_bytes;
}

uint64_t shim_session_count(const shim_t *s, int i) {
    return s->stats.count[i];
}

// state, why, lost_bytes, has_heard, unacked bytes, srtt, behind, oob_bytes, parity in use,
// bytes that the pacer lets through
void shim_session_state(const shim_t *s, int64_t *numbers) {
    const kcp_session_t *k = &s->session;
    numbers[0] = k->state;
    numbers[1] = k->why;
    numbers[2] = k->lost_bytes;
    numbers[3] = k->has_heard;
    numbers[4] = k->arq.snd_bytes;
    numbers[5] = k->arq.rx_srtt;
    numbers[6] = k->arq.behind;
    numbers[7] = k->oob_bytes;
    numbers[8] = k->auto_fec.n_parity_used;
    numbers[9] = k->arq.is_paced ? k->arq.pacer.bucket.bytes : 0;
}

void shim_session_oob(const shim_t *s, uint8_t *buf) {
    memcpy(buf, s->session.oob, (size_t)s->session.oob_bytes);
}

void shim_session_change(shim_t *s, uint32_t dead_ms, uint32_t keepalive_ms, uint32_t idle_ms) {
    s->session.config.dead_ms = dead_ms;
    s->session.config.keepalive_ms = keepalive_ms;
    s->session.config.idle_ms = idle_ms;
}
