// One peer: lib/kcp/session.py and lib/kcp/_oob.py; kcp_session_end.c has the rest of it.

#include <string.h>

#include "kcp_bytes.h"
#include "kcp_clock.h"
#include "kcp_session.h"

#if KCP_SESSION

#define MIN_PAYLOAD (12) // an empty out-of-band packet with its FEC header
#define CONV_BYTES (4)
#define SURE (3) // datagrams in a row: without a checksum, one may have been damaged

static uint32_t packet_bytes(const kcp_session_t *s) {
    return (uint32_t)s->arq.mtu + 2; // from the size field on
}

// (FEC that is on needs both numbers, which the encoder looks at.)
static int is_config(const kcp_session_config_t *config) {
    return config->arq.mtu > 0 && config->arq.mtu <= KCP_MAX_MTU && config->cc >= KCP_CC_NONE && config->cc <= KCP_CC_RATE
        && (config->data != 0) == (config->parity != 0) && config->dead_ms > 0;
}

int kcp_session_init(kcp_session_t *s, const kcp_session_config_t *config, const void *codec, int kind,
    kcp_memory_t memory, kcp_entropy_t entropy, kcp_stats_t *stats, kcp_budget_t *budget, uint32_t now_ms) {
    memset(s, 0, sizeof(*s));
    if (!is_config(config)) {
        return -1;
    }
    s->config = *config;
    s->codec = codec;
    s->crypt_head = codec == NULL ? 0 : kcp_crypt_head(kind);
    s->crypt_tail = codec == NULL ? 0 : kcp_crypt_tail(kind);
    s->nonce_bytes = s->crypt_tail ? s->crypt_head : s->crypt_head - 4; // (of a frame with a CRC)
    s->head = s->crypt_head + (config->data ? KCP_FEC_HEAD : 0);
    s->memory = memory;
    s->entropy = entropy;
    s->stats = stats;
    s->last_input_ms = s->keeper_heard_ms = s->keeper_since_ms = s->waiting_ms = now_ms;
    s->oob_bytes = -1;
    kcp_arq_config_t arq = config->arq;
    arq.mtu -= s->head + s->crypt_tail;
    arq.nc = 1;
    if (kcp_arq_init(&s->arq, &arq, memory, stats, budget)) {
        return -1;
    }
    kcp_session_fit_cc(s);
    kcp_arq_set_phase(&s->arq, now_ms);
    s->arq.has_doubts = 1;
    if (config->data && kcp_encoder_init(&s->encoder, memory, config->data, config->parity, packet_bytes(s), 0)) {
        kcp_arq_free(&s->arq);
        return -1;
    }
    if (config->data && config->is_auto) {
        kcp_auto_init(&s->auto_fec, &s->encoder, &s->arq);
    }
    return 0;
}

void kcp_session_fit_cc(kcp_session_t *s) {
    kcp_arq_set_cc(&s->arq, s->config.cc, s->config.is_paced, s->config.payload_pct);
}

static void drop_oob(kcp_session_t *s) {
    kcp_oob_t *packet = s->oob_first;
    s->oob_first = packet->next;
    s->n_oob--;
    kcp_put_packet(&s->memory, packet, sizeof(*packet) + packet->n);
}

void kcp_session_free(kcp_session_t *s) {
    while (s->n_oob) {
        drop_oob(s);
    }
    if (s->config.data) {
        kcp_auto_free(&s->auto_fec, &s->encoder);
        kcp_encoder_free(&s->encoder);
    }
    if (s->decoder != NULL) {
        kcp_decoder_free(s->decoder);
        s->memory.put(s->memory.owner, s->scratch, KCP_MAX_MTU);
        s->memory.put(s->memory.owner, s->decoder, sizeof(*s->decoder));
        s->decoder = NULL;
    }
    kcp_arq_free(&s->arq);
}

int kcp_session_set_mtu(kcp_session_t *s, int32_t mtu) {
    int32_t more = s->head + s->crypt_tail;
    if (mtu <= KCP_OVERHEAD + more || mtu > KCP_MAX_MTU) {
        return -1;
    }
    mtu -= more;
    if (s->config.data && kcp_encoder_grow(&s->encoder, (uint32_t)mtu + 2)) {
        return -1;
    }
    return kcp_arq_set_mtu(&s->arq, mtu);
}

// -- in --------------------------------------------------------------------------------------------

static int input_kcp(kcp_session_t *s, const uint8_t *data, size_t n, uint32_t now_ms, int is_regular) {
    if (s->tap != NULL) {
        s->tap->input(s->tap->owner, data, n, is_regular);
    }
    if (kcp_arq_input(&s->arq, data, n, now_ms, is_regular) != 0) {
        s->stats->count[KCP_KCP_IN_ERRORS]++;
        return 0;
    }
    s->last_input_ms = now_ms;
    s->has_heard = 1;
    if (!s->arq.behind) {
        s->is_waiting = s->arq.asked = 0;
    } else if (s->arq.behind > SURE) {
        kcp_session_abort(s, KCP_FORGOTTEN);
    }
    return 1;
}

static int make_decoder(kcp_session_t *s) {
    const kcp_session_config_t *config = &s->config;
    kcp_decoder_t *d = s->memory.get(s->memory.owner, sizeof(*d));
    uint8_t *scratch = s->memory.get(s->memory.owner, KCP_MAX_MTU);
    if (d != NULL && scratch != NULL
        && !kcp_decoder_init(d, s->memory, config->data, config->parity, KCP_MAX_MTU, config->max_fec_bytes, s->stats, 0)) {
        s->decoder = d;
        s->scratch = scratch;
        return 1;
    }
    if (d != NULL) {
        s->memory.put(s->memory.owner, d, sizeof(*d));
    }
    if (scratch != NULL) {
        s->memory.put(s->memory.owner, scratch, KCP_MAX_MTU);
    }
    return 0;
}

// A packet with an FEC head: the peer may use it whether we do or not.
static int input_fec(kcp_session_t *s, const uint8_t *packet, size_t n, uint32_t now_ms) {
    int is_good = 0;
    int has_decoder = s->decoder != NULL || make_decoder(s); // (without memory nothing is repaired)
    if (packet[4] == KCP_FEC_DATA) {
        is_good = input_kcp(s, packet + KCP_FEC_HEAD, n - KCP_FEC_HEAD, now_ms, 1);
    }
    if (!has_decoder) {
        return is_good;
    }
    kcp_decoder_input(s->decoder, packet, (uint32_t)n);
    uint32_t end;
    while ((end = kcp_decoder_repair(s->decoder, s->scratch)) != 0) {
        is_good |= input_kcp(s, s->scratch + 2, end - 2, now_ms, 0);
    }
    return is_good;
}

// An out-of-band packet. It answers nothing that was sent.
static int input_oob(kcp_session_t *s, const uint8_t *packet, size_t n, uint32_t now_ms) {
    if (kcp_le32(packet + KCP_FEC_HEAD) != s->arq.conv) { // kcp-go hands these out too
        s->stats->count[KCP_IN_ERRS]++;
        return 0;
    }
    s->stats->count[KCP_OOB_PACKETS]++;
    s->last_input_ms = now_ms;
    s->has_heard = 1;
    if (s->state != KCP_OPEN) {
        return 0;
    }
    s->oob = packet + KCP_FEC_HEAD + CONV_BYTES;
    s->oob_bytes = (int32_t)n - KCP_FEC_HEAD - CONV_BYTES;
    return 1;
}

int kcp_session_input_plain(kcp_session_t *s, uint8_t *buf, size_t off, size_t end, uint32_t now_ms) {
    const uint8_t *packet = buf + off;
    s->oob_bytes = -1;
    if (end < off + MIN_PAYLOAD) {
        s->stats->count[KCP_KCP_IN_ERRORS]++;
        return 0;
    }
    if (s->state == KCP_CLOSED) {
        return 0;
    }
    size_t n = end - off;
    s->stats->count[KCP_IN_PKTS]++;
    s->stats->count[KCP_IN_BYTES] += n;
    switch (packet[5] ? 0 : packet[4]) {
        case KCP_FEC_DATA:
        case KCP_FEC_PARITY:
            return input_fec(s, packet, n, now_ms);
        case KCP_FEC_OOB:
            return input_oob(s, packet, n, now_ms);
        default:
            return input_kcp(s, packet, n, now_ms, 1);
    }
}

int kcp_session_input(kcp_session_t *s, uint8_t *buf, size_t n, uint32_t now_ms) {
    int off = s->codec == NULL ? 0 : kcp_crypt_open(s->codec, buf, n);
    s->oob_bytes = -1;
    if (off < 0) {
        s->stats->count[off == KCP_CRYPT_BAD_SUM ? KCP_IN_CSUM_ERRORS : KCP_IN_ERRS]++;
        return 0;
    }
    return kcp_session_input_plain(s, buf, (size_t)off, n - (size_t)s->crypt_tail, now_ms);
}

// -- out -------------------------------------------------------------------------------------------

static int32_t sealed(kcp_session_t *s, uint8_t *buf, int32_t end) {
    if (s->tap != NULL) {
        size_t n = (size_t)(end - s->crypt_head);
        s->tap->output(s->tap->owner, buf + s->crypt_head, n, (size_t)(end + s->crypt_tail));
    }
    if (s->codec != NULL) {
        s->entropy.fill(s->entropy.owner, buf, (size_t)s->nonce_bytes);
        end = kcp_crypt_seal(s->codec, buf, KCP_BUFFER_BYTES, (size_t)end);
    }
    s->stats->count[KCP_OUT_PKTS]++;
    s->stats->count[KCP_OUT_BYTES] += (uint64_t)end;
    return end;
}

static int32_t out_oob(kcp_session_t *s, uint8_t *packet) {
    int32_t n = (int32_t)s->oob_first->n;
    memcpy(packet, s->oob_first->bytes, (size_t)n);
    drop_oob(s);
    return n;
}

// A datagram of the FEC layer's or an out-of-band one; its bytes from the crypt head on, 0: none.
static int32_t out_extra(kcp_session_t *s, uint8_t *packet, uint32_t now_ms) {
    if (s->n_oob) {
        return out_oob(s, packet);
    }
    if (s->encoder.n_parity) {
        return (int32_t)kcp_encoder_parity(&s->encoder, packet);
    }
    return (int32_t)kcp_auto_copy(&s->auto_fec, &s->encoder, &s->arq, packet, now_ms);
}

// Put n bytes of segments into their group; the bytes from the crypt head on.
static int32_t grouped(kcp_session_t *s, uint8_t *packet, int32_t n, uint32_t now_ms) {
    if (!s->config.data) {
        return n;
    }
    if (!s->arq.has_push && !s->config.fec_acks) {
        // Later ones tell the same; in a group they would only make parity of it.
        memmove(packet, packet + KCP_FEC_HEAD, (size_t)n);
        return n;
    }
    n += KCP_FEC_HEAD;
    if (s->config.is_auto) {
        kcp_auto_data(&s->auto_fec, &s->encoder, &s->arq, packet, (uint32_t)n, now_ms);
    } else {
        kcp_encoder_data(&s->encoder, packet, (uint32_t)n, now_ms);
    }
    return n;
}

int32_t kcp_session_output(kcp_session_t *s, uint8_t *buf, uint32_t now_ms) {
    kcp_arq_t *a = &s->arq;
    if (s->state == KCP_CLOSED) {
        return 0;
    }
    if (kcp_arq_is_idle(a)) {
        kcp_arq_tick(a, now_ms);
        kcp_session_watch(s, now_ms);
    }
    uint8_t *packet = buf + s->crypt_head;
    int32_t n = out_extra(s, packet, now_ms);
    if (n) {
        return sealed(s, buf, s->crypt_head + n);
    }
    n = kcp_arq_output(a, buf + s->head, now_ms);
    if (n == 0) {
        if (s->state == KCP_CLOSING) {
            kcp_session_watch(s, now_ms);
        }
        return 0;
    }
    if (a->snd_bytes && (a->rmt_wnd || a->asked)) { // a shut peer answers nothing but a window probe
        kcp_session_wait_from(s, now_ms);
    }
    return sealed(s, buf, s->crypt_head + grouped(s, packet, n, now_ms));
}

int32_t kcp_session_timeout(kcp_session_t *s, uint32_t now_ms) {
    const kcp_session_config_t *config = &s->config;
    if (s->state == KCP_CLOSED) {
        return -1;
    }
    int32_t wait_ms = kcp_arq_timeout(&s->arq, now_ms);
    if (wait_ms == 0 || s->encoder.n_parity || s->n_oob) {
        return 0;
    }
    if (s->auto_fec.n_copies) {
        wait_ms = kcp_sooner(wait_ms, kcp_auto_wait_ms(&s->auto_fec, now_ms));
    }
    if (s->is_waiting) {
        wait_ms = kcp_sooner(wait_ms, kcp_left(s->waiting_ms, config->dead_ms, now_ms));
    }
    if (s->state == KCP_CLOSING) {
        wait_ms = kcp_sooner(wait_ms, kcp_left(s->close_ms, s->linger_ms, now_ms));
        return s->arq.snd_bytes ? wait_ms : kcp_sooner(wait_ms, kcp_session_quiet_left(s, now_ms));
    }
    if (config->keepalive_ms) {
        wait_ms = kcp_sooner(wait_ms, kcp_session_ask_left(s, now_ms));
    }
    if (config->idle_ms) {
        wait_ms = kcp_sooner(wait_ms, kcp_left(s->last_input_ms, config->idle_ms, now_ms));
    }
    return wait_ms;
}

// -- bytes -----------------------------------------------------------------------------------------

int32_t kcp_session_send(kcp_session_t *s, const uint8_t *data, size_t n) {
    if (s->state != KCP_OPEN) {
        return -3;
    }
    int32_t taken = kcp_arq_send(&s->arq, data, n);
    if (taken > 0) {
        s->stats->count[KCP_BYTES_SENT] += (uint64_t)taken;
        if (!s->config.is_write_delayed || kcp_arq_is_window_full(&s->arq)) {
            kcp_arq_flush(&s->arq);
        }
    }
    return taken;
}

size_t kcp_session_recv(kcp_session_t *s, uint8_t *buf, size_t n) {
    size_t taken = kcp_arq_read(&s->arq, buf, n);
    s->stats->count[KCP_BYTES_RECEIVED] += taken;
    return taken;
}

int32_t kcp_session_max_oob(const kcp_session_t *s) {
    return s->config.data ? s->arq.mtu - CONV_BYTES : 0;
}

int kcp_session_send_oob(kcp_session_t *s, const uint8_t *data, size_t n) {
    if (s->state != KCP_OPEN) {
        return -3;
    }
    if (!s->config.data || n > (size_t)kcp_session_max_oob(s)) {
        return -1;
    }
    kcp_oob_t *packet = NULL;
    uint32_t size = KCP_FEC_HEAD + CONV_BYTES + (uint32_t)n;
    if (s->n_oob < s->config.arq.snd_wnd) {
        packet = kcp_get_packet(&s->memory, sizeof(*packet) + size);
    }
    if (packet == NULL) {
        s->stats->count[KCP_OOB_DROPS]++;
        return 0;
    }
    uint8_t *p = packet->bytes;
    packet->next = NULL;
    packet->n = size;
    kcp_put_le32(p, 0xffffffffu);
    p[4] = KCP_FEC_OOB;
    p[5] = 0;
    p[6] = (uint8_t)(n + CONV_BYTES + 2);
    p[7] = (uint8_t)((n + CONV_BYTES + 2) >> 8);
    kcp_put_le32(p + KCP_FEC_HEAD, s->arq.conv);
    memcpy(p + KCP_FEC_HEAD + CONV_BYTES, data, n);
    if (s->n_oob++) {
        s->oob_last->next = packet;
    } else {
        s->oob_first = packet;
    }
    s->oob_last = packet;
    return 1;
}

#endif
