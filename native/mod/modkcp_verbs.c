// The verbs of a Session: native/core's over buffers of the caller's, without a copy where those are
// as long as the core wants them.

#include "modkcp.h"

#if KCP_SESSION

static kcpmod_session_t *of(mp_obj_t self) {
    return MP_OBJ_TO_PTR(self);
}

static uint32_t ms_of(mp_obj_t now_ms) {
    return (uint32_t)mp_obj_get_int_truncated(now_ms) & 0x3fffffffu;
}

// A datagram in a buffer that is too short goes through this one.
static uint8_t *room_of(kcpmod_session_t *s) {
    if (s->room == NULL) {
        s->room = m_new(uint8_t, KCP_BUFFER_BYTES);
    }
    return s->room;
}

// -- datagrams -------------------------------------------------------------------------------------

// What follows input(): was the datagram good? Hand out what is out of band.
static mp_obj_t taken(kcpmod_session_t *s, int is_good) {
    if (s->session.oob_bytes >= 0) {
        mp_obj_t handler = mp_load_attr(s->owner, MP_QSTR_on_oob);
        is_good = handler != mp_const_none;
        if (is_good) {
            mp_obj_t data = mp_obj_new_bytes(s->session.oob, (size_t)s->session.oob_bytes);
            s->session.oob_bytes = -1;
            mp_call_function_n_kw(handler, 1, 0, &data);
        }
    }
    return mp_obj_new_bool(is_good);
}

static void check_range(bool is_within) {
    if (!is_within) {
        mp_raise_ValueError(MP_ERROR_TEXT("the range is not within the buffer"));
    }
}

// input(buf, n, now_ms) -> False: dropped, counted
static mp_obj_t verb_input(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    kcpmod_session_t *s = of(args[0]);
    mp_buffer_info_t buf = kcpmod_buffer(args[1], MP_BUFFER_WRITE);
    size_t n = (size_t)mp_obj_get_int(args[2]);
    uint32_t now_ms = ms_of(args[3]);
    uint8_t *datagram = buf.buf;
    check_range(n <= buf.len);
    if (n > KCP_CRYPT_MAX_BYTES) {
        s->session.stats->count[KCP_IN_ERRS]++;
        return mp_const_false;
    }
    if (s->codec != mp_const_none && buf.len < KCP_BUFFER_BYTES) { // a cipher runs over whole blocks
        datagram = room_of(s);
        memcpy(datagram, buf.buf, n);
    }
    return taken(s, kcp_session_input(&s->session, datagram, n, now_ms));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(verb_input_obj, 4, 4, verb_input);

// input_plain(buf, off, end, now_ms) -> False: dropped, counted
static mp_obj_t verb_input_plain(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    kcpmod_session_t *s = of(args[0]);
    mp_buffer_info_t buf = kcpmod_buffer(args[1], MP_BUFFER_WRITE);
    size_t off = (size_t)mp_obj_get_int(args[2]), end = (size_t)mp_obj_get_int(args[3]);
    check_range(off <= buf.len && end <= buf.len);
    end = end > off ? end : off; // an end before the beginning is a datagram too short
    return taken(s, kcp_session_input_plain(&s->session, buf.buf, off, end, ms_of(args[4])));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(verb_input_plain_obj, 5, 5, verb_input_plain);

// output(buf, now_ms) -> bytes of the next datagram, 0: nothing due
static mp_obj_t verb_output(mp_obj_t self, mp_obj_t object, mp_obj_t now_ms) {
    kcpmod_session_t *s = of(self);
    mp_buffer_info_t buf = kcpmod_buffer(object, MP_BUFFER_WRITE);
    bool is_short = buf.len < KCP_BUFFER_BYTES;
    size_t n = (size_t)kcp_session_output(&s->session, is_short ? room_of(s) : buf.buf, ms_of(now_ms));
    if (is_short) {
        if (n > buf.len) {
            mp_raise_ValueError(MP_ERROR_TEXT("the buffer is too short: see buffer_bytes"));
        }
        memcpy(buf.buf, s->room, n);
    }
    return MP_OBJ_NEW_SMALL_INT(n);
}
static MP_DEFINE_CONST_FUN_OBJ_3(verb_output_obj, verb_output);

// timeout(now_ms) -> ms until output() may have something, -1: never
static mp_obj_t verb_timeout(mp_obj_t self, mp_obj_t now_ms) {
    return mp_obj_new_int(kcp_session_timeout(&of(self)->session, ms_of(now_ms)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_timeout_obj, verb_timeout);

// -- bytes -----------------------------------------------------------------------------------------

// Tell the tracer that the application has sent or received n bytes, and return n.
static mp_obj_t told(kcpmod_session_t *s, qstr what, size_t n) {
    mp_obj_t number = MP_OBJ_NEW_SMALL_INT(n);
    if (n && s->tracer != mp_const_none) {
        mp_call_function_n_kw(mp_load_attr(s->tracer, what), 1, 0, &number);
    }
    return number;
}

static void refuse(kcpmod_session_t *s, int32_t code, qstr verb) {
    if (code == -1) {
        mp_raise_ValueError(MP_ERROR_TEXT("nothing to send: data is empty"));
    }
    if (code == -2) {
        mp_raise_ValueError(MP_ERROR_TEXT("message needs over 255 segments: use stream mode or split it"));
    }
    mp_obj_t name = MP_OBJ_NEW_QSTR(verb);
    mp_call_function_n_kw(mp_load_attr(s->owner, MP_QSTR__refuse), 1, 0, &name); // which raises
}

// Nothing was taken because there was no memory: not a full queue, for which the caller may wait.
static void check_memory(kcpmod_session_t *s, int32_t n) {
    if (n == 0 && s->is_starved) {
        m_malloc_fail(s->session.memory.packet_bytes);
    }
}

static mp_buffer_info_t bytes_of(mp_obj_t data) {
    if (mp_obj_get_type(data) == &mp_type_str) {
        mp_raise_TypeError(MP_ERROR_TEXT("bytes are sent, not str"));
    }
    return kcpmod_buffer(data, MP_BUFFER_READ);
}

// send(data) -> bytes taken
static mp_obj_t verb_send(mp_obj_t self, mp_obj_t data) {
    kcpmod_session_t *s = of(self);
    mp_buffer_info_t buf = bytes_of(data);
    s->is_starved = false;
    int32_t n = kcp_session_send(&s->session, buf.buf, buf.len);
    check_memory(s, n);
    if (n < 0) {
        refuse(s, n, MP_QSTR_send);
    }
    return told(s, MP_QSTR_sent, (size_t)n);
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_send_obj, verb_send);

// recv_into(buf) -> bytes taken
static mp_obj_t verb_recv_into(mp_obj_t self, mp_obj_t object) {
    kcpmod_session_t *s = of(self);
    mp_buffer_info_t buf = kcpmod_buffer(object, MP_BUFFER_WRITE);
    size_t n = kcp_session_recv(&s->session, buf.buf, buf.len);
    if (n && ((kcpmod_counters_t *)MP_OBJ_TO_PTR(s->stats))->is_past) {
        mp_obj_t number = MP_OBJ_NEW_SMALL_INT(n);
        mp_call_function_n_kw(mp_load_attr(s->owner, MP_QSTR__read_late), 1, 0, &number);
    }
    return told(s, MP_QSTR_received, n);
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_recv_into_obj, verb_recv_into);

// _send_oob(data) -> 1, 0 or -1 as the core's; what must not be is refused
static mp_obj_t verb_send_oob(mp_obj_t self, mp_obj_t data) {
    kcpmod_session_t *s = of(self);
    mp_buffer_info_t buf = bytes_of(data);
    s->is_starved = false;
    int code = kcp_session_send_oob(&s->session, buf.buf, buf.len);
    check_memory(s, code);
    if (code == -3) {
        refuse(s, code, MP_QSTR_send_oob);
    }
    return MP_OBJ_NEW_SMALL_INT(code);
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_send_oob_obj, verb_send_oob);

// -- its life --------------------------------------------------------------------------------------

// _close(now_ms, linger_ms)
static mp_obj_t verb_close(mp_obj_t self, mp_obj_t now_ms, mp_obj_t linger_ms) {
    kcp_session_close(&of(self)->session, ms_of(now_ms), ms_of(linger_ms));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(verb_close_obj, verb_close);

static mp_obj_t verb_abort(mp_obj_t self) {
    kcp_session_abort(&of(self)->session, KCP_ABORTED);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(verb_abort_obj, verb_abort);

static mp_obj_t verb_set(mp_obj_t self, mp_obj_t settings) {
    kcpmod_session_set(of(self), settings);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_set_obj, verb_set);

static mp_obj_t verb_reserve(mp_obj_t self) {
    kcpmod_session_reserve(of(self));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(verb_reserve_obj, verb_reserve);

static mp_obj_t verb_leave_budget(mp_obj_t self) {
    kcp_arq_leave_budget(&of(self)->session.arq);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(verb_leave_budget_obj, verb_leave_budget);

static mp_obj_t verb_ask(mp_obj_t self, mp_obj_t now_ms) {
    kcp_session_ask(&of(self)->session, ms_of(now_ms));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_ask_obj, verb_ask);

static mp_obj_t verb_resume(mp_obj_t self, mp_obj_t now_ms) {
    kcp_session_resume(&of(self)->session, ms_of(now_ms));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_resume_obj, verb_resume);

static mp_obj_t verb_held_back(mp_obj_t self, mp_obj_t now_ms) {
    kcp_session_held_back(&of(self)->session, ms_of(now_ms));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_held_back_obj, verb_held_back);

static mp_obj_t verb_probe(mp_obj_t self) {
    kcp_session_probe(&of(self)->session);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(verb_probe_obj, verb_probe);

static mp_obj_t verb_flush(mp_obj_t self) {
    kcp_arq_flush(&of(self)->session.arq);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(verb_flush_obj, verb_flush);

// -- what is asked of it ---------------------------------------------------------------------------

static mp_obj_t verb_is_repeat(mp_obj_t self, mp_obj_t sn) {
    return mp_obj_new_bool(kcp_session_is_repeat(&of(self)->session, (uint32_t)mp_obj_get_int_truncated(sn)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_is_repeat_obj, verb_is_repeat);

static mp_obj_t verb_n_sent(mp_obj_t self, mp_obj_t sn) {
    return MP_OBJ_NEW_SMALL_INT(kcp_session_n_sent(&of(self)->session, (uint32_t)mp_obj_get_int_truncated(sn)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_n_sent_obj, verb_n_sent);

// _tap(tracer): None: no longer
static mp_obj_t verb_tap(mp_obj_t self, mp_obj_t tracer) {
    kcpmod_session_tap(of(self), tracer);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_tap_obj, verb_tap);

// _hear(heard): what the attribute of that name is from now on
static mp_obj_t verb_hear(mp_obj_t self, mp_obj_t heard) {
    of(self)->session.has_heard = mp_obj_is_true(heard);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_hear_obj, verb_hear);

// _gauge(i) -> the gauge at this place, for tests
static mp_obj_t verb_gauge(mp_obj_t self, mp_obj_t i) {
    return kcpmod_session_gauge(of(self), (int)mp_obj_get_int(i));
}
static MP_DEFINE_CONST_FUN_OBJ_2(verb_gauge_obj, verb_gauge);

const void *const kcpmod_verbs[KCPMOD_N_VERBS] = {
    &verb_timeout_obj,
    &verb_output_obj,
    &verb_input_obj,
    &verb_recv_into_obj,
    &verb_send_obj,
    &verb_input_plain_obj,
    &verb_send_oob_obj,
    &verb_close_obj,
    &verb_abort_obj,
    &verb_set_obj,
    &verb_reserve_obj,
    &verb_leave_budget_obj,
    &verb_ask_obj,
    &verb_resume_obj,
    &verb_held_back_obj,
    &verb_probe_obj,
    &verb_flush_obj,
    &verb_is_repeat_obj,
    &verb_n_sent_obj,
    &verb_tap_obj,
    &verb_hear_obj,
    &verb_gauge_obj,
};

#endif
