// The C encoder and decoder for tests that drive them through ctypes.

#include <stdlib.h>
#include <string.h>

#include "kcp_fec.h"

typedef struct {
    kcp_encoder_t encoder;
    kcp_decoder_t decoder;
    kcp_stats_t stats;
    size_t held_bytes;
} shim_t;

static void *get(void *owner, size_t n_bytes) {
    ((shim_t *)owner)->held_bytes += n_bytes;
    return malloc(n_bytes);
}

static void put(void *owner, void *block, size_t n_bytes) {
    ((shim_t *)owner)->held_bytes -= n_bytes;
    free(block);
}

shim_t *shim_fec_encoder(int data, int parity, uint32_t size, uint32_t seqid) {
    shim_t *s = calloc(1, sizeof(*s));
    kcp_memory_t memory = {s, get, put, 0};
    if (kcp_encoder_init(&s->encoder, memory, data, parity, size, seqid)) {
        free(s);
        return NULL;
    }
    return s;
}

shim_t *shim_fec_decoder(int data, int parity, uint32_t size, uint32_t limit_bytes, int is_sure) {
    shim_t *s = calloc(1, sizeof(*s));
    kcp_memory_t memory = {s, get, put, 0};
    if (kcp_decoder_init(&s->decoder, memory, data, parity, size, limit_bytes, &s->stats, is_sure)) {
        free(s);
        return NULL;
    }
    return s;
}

// Returns the bytes that were not given back: none, if all is well.
size_t shim_fec_free(shim_t *s) {
    if (s->encoder.rows != NULL) {
        kcp_encoder_free(&s->encoder);
    } else {
        kcp_decoder_free(&s->decoder);
    }
    size_t n_bytes = s->held_bytes;
    free(s);
    return n_bytes;
}

// Returns how many parity packets there are to be had now.
int shim_fec_data(shim_t *s, uint8_t *packet, uint32_t n, uint32_t now_ms) {
    kcp_encoder_data(&s->encoder, packet, n, now_ms);
    return s->encoder.n_parity;
}

uint32_t shim_fec_parity(shim_t *s, uint8_t *packet) {
    return kcp_encoder_parity(&s->encoder, packet);
}

int shim_fec_grow(shim_t *s, uint32_t size) {
    return kcp_encoder_grow(&s->encoder, size);
}

void shim_fec_input(shim_t *s, const uint8_t *packet, uint32_t n) {
    kcp_decoder_input(&s->decoder, packet, n);
}

uint32_t shim_fec_repair(shim_t *s, uint8_t *buf) {
    return kcp_decoder_repair(&s->decoder, buf);
}

uint64_t shim_fec_count(const shim_t *s, int i) {
    return s->stats.count[i];
}

// data, parity, is_tuning, doubt, held_bytes
void shim_fec_state(const shim_t *s, int64_t *numbers) {
    const kcp_decoder_t *d = &s->decoder;
    numbers[0] = d->data;
    numbers[1] = d->n - d->data;
    numbers[2] = d->is_tuning;
    numbers[3] = d->doubt;
    numbers[4] = d->held_bytes;
}
