// FEC, what is sent: packets get their place in a group, and groups their parity. lib/kcp/fec.py.

#include <string.h>

#include "kcp_bytes.h"
#include "kcp_clock.h"
#include "kcp_fec.h"
#include "kcp_kernels.h"

#if KCP_FEC

#define LATE_MS (500)

int kcp_fec_is_ratio(int32_t data, int32_t parity) {
    return data >= 1 && parity >= 1 && data <= KCP_RS_MAX_SHARDS && parity <= KCP_RS_MAX_SHARDS - data;
}

uint32_t kcp_fec_paws(int32_t n) {
    return 0xffffffffu / (uint32_t)n * (uint32_t)n;
}

int kcp_encoder_init(kcp_encoder_t *e, kcp_memory_t memory, int32_t data, int32_t parity, uint32_t size, uint32_t seqid) {
    memset(e, 0, sizeof(*e));
    if (!kcp_fec_is_ratio(data, parity)) {
        return -1;
    }
    e->memory = memory;
    e->data = data;
    e->parity = e->n_used = parity;
    e->size = size;
    e->seqid = seqid;
    e->paws = kcp_fec_paws(data + parity);
    e->last_ms = -1;
    e->rows = memory.get(memory.owner, (size_t)(data * parity));
    e->sums = memory.get(memory.owner, (size_t)parity * size);
    if (e->rows == NULL || e->sums == NULL) {
        kcp_encoder_free(e);
        return -1;
    }
    for (int32_t p = 0; p < parity; p++) {
        kcp_rs_row(e->rows + p * data, data, p);
    }
    memset(e->sums, 0, (size_t)parity * size);
    return 0;
}

void kcp_encoder_free(kcp_encoder_t *e) {
    if (e->rows != NULL) {
        e->memory.put(e->memory.owner, e->rows, (size_t)(e->data * e->parity));
    }
    if (e->sums != NULL) {
        e->memory.put(e->memory.owner, e->sums, (size_t)e->parity * e->size);
    }
    e->rows = e->sums = NULL;
}

int kcp_encoder_grow(kcp_encoder_t *e, uint32_t size) {
    if (size <= e->size) {
        return 0;
    }
    uint8_t *sums = e->memory.get(e->memory.owner, (size_t)e->parity * size);
    if (sums == NULL) {
        return -1;
    }
    memset(sums, 0, (size_t)e->parity * size);
    for (int32_t p = 0; p < e->parity; p++) {
        memcpy(sums + (size_t)p * size, e->sums + (size_t)p * e->size, e->size);
    }
    e->memory.put(e->memory.owner, e->sums, (size_t)e->parity * e->size);
    e->sums = sums;
    e->size = size;
    return 0;
}

static void advance(kcp_encoder_t *e) {
    e->seqid++;
    if (e->seqid >= e->paws) {
        e->seqid = 0;
    }
}

static void write_head(kcp_encoder_t *e, uint8_t *packet, uint8_t type) {
    kcp_put_le32(packet, e->seqid);
    packet[4] = type;
    packet[5] = 0;
    advance(e);
}

static void group_is_full(kcp_encoder_t *e, uint32_t now_ms) {
    int is_late = e->last_ms < 0 || kcp_since(now_ms, (uint32_t)e->last_ms) >= LATE_MS;
    e->n_data = 0;
    e->n_parity = is_late ? 0 : e->n_used; // what comes too late does not help
    for (int32_t p = e->n_parity; p < e->parity; p++) {
        advance(e);
    }
}

static uint8_t *sum_at(const kcp_encoder_t *e, int32_t p) {
    return e->sums + (size_t)p * e->size;
}

void kcp_encoder_begin(kcp_encoder_t *e, int32_t n_used) {
    e->n_used = n_used;
    for (int32_t p = 0; p < e->parity; p++) {
        memset(sum_at(e, p), 0, e->longest);
    }
    e->longest = 0;
}

void kcp_encoder_data(kcp_encoder_t *e, uint8_t *packet, uint32_t n, uint32_t now_ms) {
    if (e->n_data == 0) {
        kcp_encoder_begin(e, e->n_used);
    }
    write_head(e, packet, KCP_FEC_DATA);
    n -= KCP_FEC_SIZE_AT;
    packet[6] = (uint8_t)n;
    packet[7] = (uint8_t)(n >> 8);
    for (int32_t p = e->parity - e->n_used; p < e->parity; p++) {
        kcp_gf_add(sum_at(e, p), packet + KCP_FEC_SIZE_AT, n, e->rows[p * e->data + e->n_data]);
    }
    e->longest = n > e->longest ? n : e->longest;
    if (++e->n_data == e->data) {
        group_is_full(e, now_ms);
    }
    e->last_ms = (int32_t)now_ms;
}

uint32_t kcp_encoder_parity(kcp_encoder_t *e, uint8_t *packet) {
    write_head(e, packet, KCP_FEC_PARITY);
    memcpy(packet + KCP_FEC_SIZE_AT, sum_at(e, e->parity - e->n_parity), e->longest);
    e->n_parity--;
    return KCP_FEC_SIZE_AT + e->longest;
}

#endif
