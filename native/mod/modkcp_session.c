// Session: an object over native/core/kcp_session.h, which lib/kcp/_session_native.py derives from.
//
// Its attributes are found by their place in a tuple of names that Python gives, so that one source
// does for a firmware's module and for a dynamic one, whose names are known only when it is loaded.

#include "modkcp.h"

#if KCP_SESSION

#define NONCE_BYTES (16) // the longest: what `fill` is asked for every time

// -- memory ----------------------------------------------------------------------------------------

static void *get_block(kcpmod_session_t *s, size_t n_bytes) {
#ifdef MICROPY_ENABLE_DYNRUNTIME
    void *block = m_realloc_maybe(NULL, n_bytes, false);
#else
    void *block = m_new_maybe(uint8_t, n_bytes);
#endif
    s->is_starved |= block == NULL;
    return block;
}

static void *get(void *owner, size_t n_bytes) {
    kcpmod_session_t *s = owner;
    if (n_bytes != s->session.memory.packet_bytes || s->free == NULL) {
        return get_block(s, n_bytes);
    }
    void *block = s->free;
    s->free = *(void **)block;
    s->n_free--;
    return block;
}

static void put(void *owner, void *block, size_t n_bytes) {
    kcpmod_session_t *s = owner;
    if (n_bytes != s->session.memory.packet_bytes) {
#if !defined(MICROPY_ENABLE_DYNRUNTIME) && MICROPY_MALLOC_USES_ALLOCATED_SIZE
        m_free(block, n_bytes);
#else
        m_free(block);
#endif
        return;
    }
    *(void **)block = s->free;
    s->free = block;
    s->n_free++;
}

void kcpmod_session_reserve(kcpmod_session_t *s) {
    const kcp_arq_t *a = &s->session.arq;
    mp_uint_t n = (mp_uint_t)(a->max_queue + 2 * a->rcv_wnd + (s->session.config.is_auto ? KCP_AUTO_COPIES : 0));
    if (kcp_arq_reserve(&s->session.arq)) {
        n = 0;
    }
    while (n && s->n_free < n) {
        void *block = get_block(s, s->session.memory.packet_bytes);
        if (block == NULL) {
            n = 0;
            break;
        }
        put(s, block, s->session.memory.packet_bytes);
    }
    if (n == 0) {
        m_malloc_fail(s->session.memory.packet_bytes);
    }
}

// -- what the core calls (an exception ends the verb) ------------------------------------------------

static void fill(void *owner, uint8_t *bytes, size_t n) {
    kcpmod_session_t *s = owner;
    mp_call_function_n_kw(s->fill, 1, 0, &s->nonce);
    mp_buffer_info_t nonce = kcpmod_buffer(s->nonce, MP_BUFFER_READ);
    if (nonce.len != NONCE_BYTES) {
        mp_raise_ValueError(MP_ERROR_TEXT("fill() must write over its argument, and leave it as long as it was"));
    }
    memcpy(bytes, nonce.buf, n);
}

static void tell(kcpmod_session_t *s, qstr method, const uint8_t *bytes, size_t n, size_t value) {
    if (s->tracer == mp_const_none) {
        return;
    }
    mp_obj_t args[4] = {mp_obj_new_bytes(bytes, n), MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT(n),
        MP_OBJ_NEW_SMALL_INT(value)};
    mp_call_function_n_kw(mp_load_attr(s->tracer, method), 4, 0, args);
}

static void tap_input(void *owner, const uint8_t *segments, size_t n, int is_regular) {
    tell(owner, MP_QSTR_input, segments, n, (size_t)is_regular);
}

static void tap_output(void *owner, const uint8_t *packet, size_t n, size_t n_wire) {
    tell(owner, MP_QSTR_output, packet, n, n_wire);
}

void kcpmod_session_tap(kcpmod_session_t *s, mp_obj_t tracer) {
    s->tracer = tracer;
    s->tap.owner = s;
    s->tap.input = tap_input;
    s->tap.output = tap_output;
    s->session.tap = tracer == mp_const_none ? NULL : &s->tap;
}

// -- its life --------------------------------------------------------------------------------------

#define N_SETTINGS (22)

// The settings in the order of lib/kcp/_session_native.py.
static void get_settings(mp_obj_t tuple, kcp_session_config_t *config) {
    int32_t *to[N_SETTINGS] = {
        &config->arq.mtu, &config->arq.snd_wnd, &config->arq.rcv_wnd, &config->arq.nodelay,
        &config->arq.interval_ms, &config->arq.resend, &config->arq.stream, &config->arq.ack_nodelay,
        &config->cc, &config->is_paced, &config->payload_pct, &config->is_write_delayed,
        &config->data, &config->parity, &config->is_auto, &config->fec_acks,
        (int32_t *)&config->max_fec_bytes, (int32_t *)&config->dead_ms, (int32_t *)&config->keepalive_ms,
        (int32_t *)&config->idle_ms, (int32_t *)&config->linger_ms, (int32_t *)&config->arq.conv,
    };
    size_t n;
    mp_obj_t *items;
    memset(config, 0, sizeof(*config));
    mp_obj_get_array(tuple, &n, &items);
    if (n != N_SETTINGS) {
        mp_raise_TypeError(MP_ERROR_TEXT("not the settings of a session"));
    }
    for (size_t i = 0; i < N_SETTINGS; i++) {
        *to[i] = (int32_t)mp_obj_get_int_truncated(items[i]);
    }
    config->arq.nc = 1;
}

// Raise what is the reason that the core has not taken the settings.
static void refuse(kcpmod_session_t *s) {
    if (s->is_starved) {
        m_malloc_fail(s->session.memory.packet_bytes);
    }
    mp_raise_ValueError(MP_ERROR_TEXT("a setting is out of range"));
}

void kcpmod_session_set(kcpmod_session_t *s, mp_obj_t settings) {
    kcp_session_config_t config;
    get_settings(settings, &config);
    s->is_starved = false;
    if (kcp_session_set(&s->session, &config)) {
        refuse(s);
    }
}

// A block has room for any packet of this size with what the core may put before it.
static size_t packet_bytes(const kcp_session_config_t *config) {
    return ((size_t)config->arq.mtu + sizeof(kcp_oob_t) + 15) & ~(size_t)15;
}

static const void *codec_of(kcpmod_session_t *s) {
    if (s->codec == mp_const_none) {
        return NULL;
    }
    mp_buffer_info_t codec = kcpmod_buffer(s->codec, MP_BUFFER_READ);
    if (!kcp_crypt_is_valid(codec.buf, codec.len)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not a codec that crypt_init() has made"));
    }
    return codec.buf;
}

static void start(kcpmod_session_t *s, const kcp_session_config_t *config, mp_obj_t now_ms) {
    const void *codec = codec_of(s);
    kcp_memory_t memory = {s, get, put, packet_bytes(config)};
    kcp_entropy_t entropy = {s, fill};
    kcp_budget_t *budget = s->budget == mp_const_none ? NULL : &((kcpmod_budget_t *)MP_OBJ_TO_PTR(s->budget))->budget;
    if (kcp_session_init(&s->session, config, codec, codec == NULL ? 0 : kcp_crypt_kind(codec), memory, entropy,
            &((kcpmod_counters_t *)MP_OBJ_TO_PTR(s->stats))->stats, budget,
            (uint32_t)mp_obj_get_int_truncated(now_ms) & 0x3fffffffu)) {
        refuse(s);
    }
}

static bool is_of(mp_obj_t object, kcpmod_type_t *type) {
    return mp_obj_get_type(object) == (const mp_obj_type_t *)type;
}

// Session(owner, names, settings, codec, stats, budget, fill, now_ms)
static mp_obj_t session_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    kcp_session_config_t config;
    mp_arg_check_num(n_args, n_kw, 8, 8, false);
    if (!is_of(args[4], &kcpmod_counters_type) || (args[5] != mp_const_none && !is_of(args[5], &kcpmod_budget_type))) {
        mp_raise_TypeError(MP_ERROR_TEXT("stats must be a Counters, budget a Budget or None"));
    }
    get_settings(args[2], &config);
    kcpmod_session_t *s = mp_obj_malloc(kcpmod_session_t, type);
    memset((char *)s + sizeof(s->base), 0, sizeof(*s) - sizeof(s->base));
    s->owner = args[0];
    s->names = args[1];
    s->codec = args[3];
    s->stats = args[4];
    s->budget = args[5];
    s->fill = args[6];
    s->tracer = mp_const_none;
    s->nonce_bytes = m_new(uint8_t, NONCE_BYTES);
    s->nonce = mp_obj_new_bytearray_by_ref(NONCE_BYTES, s->nonce_bytes);
    start(s, &config, args[7]);
    return MP_OBJ_FROM_PTR(s);
}

// -- gauges ----------------------------------------------------------------------------------------

enum { I32, U32, U8 };
#define GAUGE(kind, field) {kind, offsetof(kcp_session_t, field)}

// Those that are fields, in the order of lib/kcp/_session_upy.py.
static const struct {
    uint16_t kind, offset;
} gauges[] = {
    GAUGE(I32, state),
    GAUGE(U8, has_heard),
    GAUGE(I32, why),
    GAUGE(I32, lost_bytes),
    GAUGE(U32, last_input_ms),
    GAUGE(U32, arq.conv),
    GAUGE(I32, arq.mss),
    GAUGE(I32, arq.snd_bytes),
    GAUGE(U32, arq.rcv_nxt),
    GAUGE(I32, arq.rx_srtt),
    GAUGE(I32, arq.rx_srtt),
    GAUGE(I32, arq.rx_rttvar),
    GAUGE(I32, arq.rx_rto),
    GAUGE(I32, encoder.n_parity),
    // For tests, which look inside (tests/unit/core_support.py).
    GAUGE(I32, arq.mtu),
    GAUGE(I32, arq.snd_wnd),
    GAUGE(I32, arq.rcv_wnd),
    GAUGE(I32, arq.max_queue),
    GAUGE(I32, arq.nodelay),
    GAUGE(I32, arq.interval_ms),
    GAUGE(I32, arq.resend),
    GAUGE(I32, arq.nc),
    GAUGE(U8, arq.stream),
    GAUGE(U8, arq.ack_nodelay),
    GAUGE(I32, arq.rmt_wnd),
    GAUGE(U32, arq.snd_nxt),
    GAUGE(I32, arq.behind),
    GAUGE(U32, arq.ack_max),
    GAUGE(I32, encoder.data),
    GAUGE(I32, auto_fec.n_copies),
    GAUGE(I32, auto_fec.loss),
    GAUGE(I32, auto_fec.n_parity_used),
};

// Those that are worked out, before them.
enum { READABLE, SND_ROOM, RCV_ROOM, MAX_OOB, QUEUED, ACKED, END, RATIO, TRACER, N_WORKED };

static mp_obj_t fec_ratio(const kcp_decoder_t *d) {
    if (d == NULL || d->is_tuning) {
        return mp_const_none;
    }
    mp_obj_t pair[2] = {MP_OBJ_NEW_SMALL_INT(d->data), MP_OBJ_NEW_SMALL_INT(d->n - d->data)};
    return mp_obj_new_tuple(2, pair);
}

static uint64_t acked_sn(kcpmod_session_t *s) {
    s->acked_sn += (uint32_t)(s->session.arq.snd_una - (uint32_t)s->acked_sn);
    return s->acked_sn;
}

static int32_t snd_room_bytes(const kcp_arq_t *a) {
    int32_t room = a->max_queue - kcp_arq_wait_snd(a);
    return room > 0 ? room * a->mss : 0;
}

static mp_obj_t worked_out(kcpmod_session_t *s, int i) {
    kcp_arq_t *a = &s->session.arq;
    switch (i) {
        case READABLE:
            return mp_obj_new_int(kcp_arq_readable(a));
        case SND_ROOM:
            return mp_obj_new_int(snd_room_bytes(a));
        case RCV_ROOM:
            return mp_obj_new_int(kcp_rcv_wnd_unused(a));
        case MAX_OOB:
            return mp_obj_new_int(kcp_session_max_oob(&s->session));
        case QUEUED:
            return mp_obj_new_int(kcp_arq_wait_snd(a));
        case ACKED:
            return kcpmod_from_u64(acked_sn(s));
        case END:
            return kcpmod_from_u64(acked_sn(s) + (uint32_t)kcp_arq_wait_snd(a));
        case RATIO:
            return fec_ratio(s->session.decoder);
        default:
            return s->tracer;
    }
}

mp_obj_t kcpmod_session_gauge(kcpmod_session_t *s, int i) {
    if (i < N_WORKED) {
        return worked_out(s, i);
    }
    i -= N_WORKED;
    if (i >= (int)MP_ARRAY_SIZE(gauges)) {
        mp_raise_ValueError(MP_ERROR_TEXT("no such gauge"));
    }
    const char *field = (const char *)&s->session + gauges[i].offset;
    switch (gauges[i].kind) {
        case I32:
            return mp_obj_new_int(*(const int32_t *)field);
        case U32:
            return mp_obj_new_int_from_uint(*(const uint32_t *)field);
        default:
            return mp_obj_new_bool(*field);
    }
}

// -- the type --------------------------------------------------------------------------------------

static void session_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    kcpmod_session_t *s = MP_OBJ_TO_PTR(self);
    int i = dest[0] == MP_OBJ_NULL ? kcpmod_find(s->names, name) : -1;
    if (i >= KCPMOD_N_VERBS) {
        dest[0] = kcpmod_session_gauge(s, i - KCPMOD_N_VERBS);
    } else if (i >= 0) {
        dest[0] = MP_OBJ_FROM_PTR(kcpmod_verbs[i]);
        dest[1] = self;
    }
}

#ifdef MICROPY_ENABLE_DYNRUNTIME

kcpmod_type_t kcpmod_session_type;

void kcpmod_make_session_type(void) {
    kcpmod_make_type(&kcpmod_session_type, MP_QSTR_Session, session_make_new, session_attr);
}

#else

MP_DEFINE_CONST_OBJ_TYPE(kcpmod_session_type, MP_QSTR_Session, MP_TYPE_FLAG_NONE, make_new, session_make_new, attr, session_attr);

#endif

#endif
