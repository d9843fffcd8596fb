// Fuzz target: two sessions that talk to each other over a link which the input commands. It may do
// what a network and an application do, and what an attacker does who knows the key.
//
// Input: HEAD bytes of settings, then commands of a byte (low half: which; bit 4: whose) and what
// each of them takes. Whatever comes, numbers must stay in range, all memory must come back, and a
// session that says that something is due must have something. While nothing was forged, what is
// received is what was sent, and all of it arrives in the end.

#include "fuzz_session.h"
#include "kcp_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#if !KCP_SESSION
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return 0;
}
#else

#define HEAD (12)
#define MOST_DATAGRAMS (200) // of a command
#define MOST_ROUNDS (20000)
#define NEVER_MS (0x0fffffff)

// -- settings

static void set_fec(kcp_session_config_t *config) {
    static const uint8_t ratios[][2] = {{0, 0}, {0, 0}, {10, 3}, {2, 1}, {1, 1}, {1, 3}, {3, 2}, {120, 136}};
    uint32_t choice = next();
    config->data = ratios[choice & 7][0];
    config->parity = ratios[choice & 7][1];
    config->is_auto = choice >> 3 & 1;
    config->fec_acks = choice >> 4 & 1;
}

static kcp_session_config_t config_of(void) {
    kcp_session_config_t config = {0};
    uint32_t flags = next();
    config.arq.conv = 0x01020304;
    config.arq.mtu = 90 + (int32_t)next() * 1410 / 255;
    config.arq.snd_wnd = (int32_t)ONE_OF(1, 4, 32, 300);
    config.arq.rcv_wnd = (int32_t)ONE_OF(1, 4, 32, 300);
    config.arq.interval_ms = 10;
    config.arq.resend = (int32_t)(flags & 3);
    config.arq.nodelay = flags >> 2 & 1;
    config.arq.ack_nodelay = flags >> 3 & 1;
    config.is_write_delayed = flags >> 4 & 1;
    config.is_paced = flags >> 5 & 1;
    config.cc = (int32_t)(flags >> 6) % 3;
    config.payload_pct = 100;
    set_fec(&config);
    config.max_fec_bytes = 20000;
    config.dead_ms = config.linger_ms = NEVER_MS;
    return config;
}

static void begin(void) {
    static const uint8_t key[64] = {1, 2, 3};
    uint32_t flags = next(), first = ONE_OF(0, 0xffffffe0, 0x7fffffe0);
    fuzz.kind = (int)ONE_OF(0, 0, KCP_CRYPT_NONE, KCP_CRYPT_CHACHA20_POLY1305);
    fuzz.is_whole = (flags & 0x11) == 0x10;
    fuzz.is_lasting = !fuzz.is_whole; // (a message of more segments than a window never comes)
    fuzz.budget.limit_bytes = flags & 2 ? 3000 : 1000000;
    fuzz.now_ms = flags & 4 ? 0x3fffff00 : 5000;
    if (fuzz.kind) {
        CHECK(!kcp_crypt_init(fuzz.codec, sizeof(fuzz.codec), fuzz.kind, key, fuzz.kind == KCP_CRYPT_NONE ? 0 : 32));
    }
    for (int i = 0; i < 2; i++) {
        kcp_session_config_t config = config_of();
        config.arq.stream = flags & 1;
        config.arq.snd_sn = i ? first : 7 * first;
        config.arq.rcv_sn = i ? 7 * first : first;
        if (flags & 8) {
            config.keepalive_ms = 500;
            config.dead_ms = 5000;
            config.idle_ms = 3000;
            fuzz.is_lasting = 0;
        }
        kcp_memory_t memory = {NULL, get, put, flags & 32 ? 1600 : 0};
        kcp_entropy_t entropy = {NULL, fill};
        end_t *end = &fuzz.ends[i];
        CHECK(!kcp_session_init(&end->session, &config, fuzz.kind ? fuzz.codec : NULL, fuzz.kind, memory, entropy,
            &end->stats, &fuzz.budget, fuzz.now_ms));
    }
}

// -- the link

static void enqueue(end_t *to, const uint8_t *bytes, size_t n) {
    if (to->n_queued < MOST_QUEUED) {
        datagram_t *one = &to->queue[to->n_queued++];
        one->bytes = malloc(n);
        one->n = n;
        memcpy(one->bytes, bytes, n);
    }
}

static void drop(end_t *to, int at) {
    free(to->queue[at].bytes);
    to->n_queued--;
    memmove(&to->queue[at], &to->queue[at + 1], (size_t)(to->n_queued - at) * sizeof(datagram_t));
}

// From a copy of its very size, so that the sanitizer sees what is read behind it.
static void take(end_t *to, const uint8_t *bytes, size_t n) {
    uint8_t *copy = malloc(n ? n : 1), oob[KCP_BUFFER_BYTES];
    memcpy(copy, bytes, n);
    kcp_session_input(&to->session, copy, n, fuzz.now_ms);
    if (to->session.oob_bytes > 0) {
        memcpy(oob, to->session.oob, (size_t)to->session.oob_bytes);
    }
    free(copy);
}

static void deliver(end_t *to, int at) {
    take(to, to->queue[at].bytes, to->queue[at].n);
}

// All that is due leaves. What says that something is due, and again has nothing, would keep a CPU
// busy.
static void pull(int i, int is_lossy) {
    end_t *end = &fuzz.ends[i];
    uint8_t buf[KCP_BUFFER_BYTES];
    for (int k = 0, n_none = 0; k < MOST_DATAGRAMS; k++) {
        int32_t n = kcp_session_output(&end->session, buf, fuzz.now_ms);
        CHECK(n >= 0 && n <= KCP_MAX_MTU);
        if (n == 0) {
            if (kcp_session_timeout(&end->session, fuzz.now_ms) != 0) {
                return;
            }
            CHECK(++n_none < 3);
            continue;
        }
        n_none = 0;
        if (!is_lossy) {
            take(&fuzz.ends[1 - i], buf, (size_t)n);
        } else {
            enqueue(&fuzz.ends[1 - i], buf, (size_t)n);
        }
    }
}

// -- forgeries

static uint32_t changed(uint32_t x) {
    uint32_t by = next();
    switch (by >> 5) {
        case 0: return x + (by & 31);
        case 1: return x - (by & 31);
        case 2: return x ^ 1u << (by & 31);
        case 3: return x + 0x7ffffff0 + (by & 31);
        case 4: return x + 300 * (by & 31);
        case 5: return by & 31;
        case 6: return x + 0x3ffffff0 + (by & 31);
        default: return 0xffffffff - (by & 31);
    }
}

// A datagram as one would forge it who knows the key: one of its fields is another.
static void forge(end_t *to, int at) {
    uint8_t buf[KCP_BUFFER_BYTES];
    size_t n = to->queue[at].n;
    memcpy(buf, to->queue[at].bytes, n);
    int off = fuzz.kind ? kcp_crypt_open(fuzz.codec, buf, n) : 0;
    if (off < 0) {
        return;
    }
    size_t end = n - (size_t)to->session.crypt_tail, field = next(), at_byte = (size_t)off;
    fuzz.is_honest = 0;
    if (end > (size_t)off + KCP_FEC_HEAD && (buf[off + 4] & 0xf0) == 0xf0 && field & 0x80) {
        at_byte += KCP_FEC_HEAD;
    }
    at_byte += (size_t[]){0, 4, 6, 8, 12, 16, 20, 24, 2, 5}[field % 10];
    if (field & 0x40 && at_byte < end) {
        buf[at_byte] = (uint8_t)next();
    } else if (at_byte + 4 <= end) {
        kcp_put_le32(buf + at_byte, changed(kcp_le32(buf + at_byte)));
    }
    if (field & 0x20) {
        end -= next() % (end - (size_t)off + 1);
    }
    uint8_t *copy = malloc(end ? end : 1);
    memcpy(copy, buf, end);
    kcp_session_input_plain(&to->session, copy, (size_t)off, end, fuzz.now_ms);
    free(copy);
}

static void raw(end_t *to) {
    size_t n = next();
    n = n < fuzz.size ? n : fuzz.size;
    fuzz.is_honest = 0;
    take(to, fuzz.data, n);
    fuzz.data += n;
    fuzz.size -= n;
}

// -- the application

static void send(end_t *end) {
    uint8_t buf[6000];
    size_t n = ONE_OF(1, 3, 100, 1000, 6000, 0);
    for (size_t i = 0; i < n; i++) {
        buf[i] = pattern(end->n_sent + (uint32_t)i);
    }
    int32_t taken = kcp_session_send(&end->session, buf, n);
    CHECK(taken <= (int32_t)n && (n || taken < 0));
    end->n_sent += taken > 0 ? (uint32_t)taken : 0;
}

static uint32_t receive(end_t *end, size_t n) {
    static uint8_t buf[255 * KCP_MAX_MTU];
    int32_t taken;
    if (!fuzz.is_whole) {
        taken = (int32_t)kcp_session_recv(&end->session, buf, n);
    } else {
        int32_t size = kcp_arq_peek_size(&end->session.arq);
        CHECK(size >= -1 && (!fuzz.is_honest || size <= (int32_t)sizeof(buf)));
        taken = kcp_arq_recv(&end->session.arq, buf, sizeof(buf));
    }
    for (int32_t i = 0; i < taken; i++) {
        CHECK(!fuzz.is_honest || buf[i] == pattern(end->n_received++));
    }
    return taken > 0 ? (uint32_t)taken : 0;
}

static void change(end_t *end) {
    kcp_session_t *s = &end->session;
    kcp_session_config_t config = s->config;
    switch (next() % 13) {
        case 0: kcp_session_close(s, fuzz.now_ms, ONE_OF(0, 100, 0xffffffff)); break;
        case 1: kcp_session_abort(s, KCP_ABORTED); break;
        case 2: kcp_session_probe(s); return;
        case 3: kcp_session_ask(s, fuzz.now_ms); return;
        case 4: s->config.cc = (int32_t)next() % 3; s->config.is_paced = (int32_t)next() & 1; kcp_session_fit_cc(s); return;
        case 5: kcp_arq_wndsize(&s->arq, (int32_t)ONE_OF(0, 1, 7, 500), (int32_t)ONE_OF(1, 2, 64, 500)); return;
        case 6: kcp_arq_nodelay(&s->arq, (int32_t)next() % 3 - 1, (int32_t)ONE_OF(10, 5000, 0), (int32_t)next() % 4, -1); return;
        case 7: kcp_arq_leave_budget(&s->arq); return;
        case 8: kcp_arq_tell_window(&s->arq); return;
        case 9: kcp_session_held_back(s, fuzz.now_ms); return;
        case 10: kcp_session_resume(s, fuzz.now_ms); return;
        default:
            config.arq.mtu = (int32_t)ONE_OF(25, 90, 1500, 1501);
            config.arq.snd_wnd = (int32_t)ONE_OF(0, 1, 40, 32768);
            config.arq.interval_ms = (int32_t)ONE_OF(10, 0x80000000, 0x7fffffff);
            config.arq.resend = (int32_t)ONE_OF(0, 1, 0x7fffffff);
            config.data = (int32_t)next() % 3;
            kcp_session_set(s, &config);
            return;
    }
    fuzz.is_lasting = 0;
}

static void pass(uint32_t ms) {
    fuzz.now_ms = (fuzz.now_ms + ms) & 0x3fffffff;
}

// -- all together

static void check(const end_t *end) {
    const kcp_arq_t *a = &end->session.arq;
    CHECK(a->snd_bytes >= 0 && a->n_flight >= 0 && a->n_holes >= 0 && a->dup_total >= 0);
    CHECK(a->rx_srtt >= 0 && a->rx_rttvar >= 0 && a->rx_rto >= 0 && a->rx_rto <= 60000);
    CHECK(a->cc.rate >= 0 && a->cc.cwnd >= 0 && a->cc.found.capacity >= 0);
    CHECK(kcp_arq_wait_snd(a) >= 0 && a->rcv_nxt - a->rcv_q <= a->rx_cap);
    CHECK(end->session.n_oob >= 0 && end->session.encoder.n_parity >= 0);
    CHECK(end->session.decoder == NULL || end->session.decoder->held_bytes <= 20000);
}

static void step(void) {
    uint32_t command = next();
    int i = (int)command >> 4 & 1;
    end_t *end = &fuzz.ends[i];
    int at = end->n_queued ? (int)(command >> 5) % end->n_queued : -1;
    switch (command & 15) {
        case 0: case 1: send(end); break;
        case 2: receive(end, ONE_OF(1, 100, 100000)); break;
        case 3: case 4: pull(i, 1); break;
        case 5: case 6: if (at >= 0) { deliver(end, at); drop(end, at); } break;
        case 7: if (at >= 0) { deliver(end, at); } break;
        case 8: if (at >= 0) { drop(end, at); } break;
        case 9: if (at >= 0) { forge(end, at); } break;
        case 10: raw(end); break;
        case 11: pass(ONE_OF(0, 1, 7, 20, 100, 600, 5000, 70000, 0x1ffffff0, 0x3fffffff)); break;
        case 12: kcp_session_set_mtu(&end->session, (int32_t)ONE_OF(0, 25, 60, 100, 333, 1400, 1500, 1501, 0x80000000, 0x7fffffff)); break;
        case 13: { uint8_t buf[256] = {0}; kcp_session_send_oob(&end->session, buf, next()); break; }
        case 14: if (command & 0x20) { change(end); } else { fuzz.refused_at = fuzz.n_gets + next() % 16; fuzz.refused_for = next() % 32; } break;
        default: {
            int32_t wait_ms = kcp_session_timeout(&end->session, fuzz.now_ms);
            CHECK(wait_ms >= -1 && wait_ms <= 0x20000000);
            pass(wait_ms > 0 ? (uint32_t)wait_ms : 0);
        }
    }
    check(end);
}

static int has_all(const end_t *ends) {
    return ends[0].n_sent == ends[1].n_received && ends[1].n_sent == ends[0].n_received;
}

// Let what was sent arrive: nothing is lost any more.
static void settle(void) {
    end_t *ends = fuzz.ends;
    fuzz.refused_for = 0;
    for (int round = 0; !has_all(ends); round++) {
        CHECK(round < MOST_ROUNDS);
        int32_t wait_ms = -1;
        for (int i = 0; i < 2; i++) {
            pull(i, 0);
            while (receive(&ends[0], 100000) + receive(&ends[1], 100000)) {
            }
            int32_t other_ms = kcp_session_timeout(&ends[i].session, fuzz.now_ms);
            wait_ms = other_ms < 0 ? wait_ms : wait_ms < 0 || other_ms < wait_ms ? other_ms : wait_ms;
            if (ends[i].session.state != KCP_OPEN) {
                return;
            }
        }
        CHECK(wait_ms >= 0 || has_all(ends));
        pass(wait_ms < 0 ? 0 : (uint32_t)wait_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) {
        return 0;
    }
    memset(&fuzz, 0, sizeof(fuzz));
    fuzz.data = data;
    fuzz.size = size;
    fuzz.is_honest = 1;
    begin();
    while (fuzz.size) {
        step();
    }
    if (fuzz.is_honest && fuzz.is_lasting) {
        settle();
    }
    for (int i = 0; i < 2; i++) {
        while (fuzz.ends[i].n_queued) {
            drop(&fuzz.ends[i], 0);
        }
        kcp_session_free(&fuzz.ends[i].session);
    }
    CHECK(fuzz.held_bytes == 0 && fuzz.budget.used_bytes == 0);
    return 0;
}

#endif
