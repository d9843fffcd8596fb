// What can be asked of a Session, and the attributes that can be set.

#include "_kcptypes.h"

#if KCP_SESSION

#define GAUGE(name, value) \
    static PyObject *gauge_##name(PyObject *self, void *closure) { \
        kcp_session_t *s = &((session_t *)self)->session; \
        (void)closure; \
        return PyLong_FromLongLong(((session_t *)self)->is_made ? (long long)(value) : 0); \
    }

GAUGE(readable, kcp_arq_readable(&s->arq))
GAUGE(rcv_room, kcp_rcv_wnd_unused(&s->arq))
GAUGE(max_oob_bytes, kcp_session_max_oob(s))
GAUGE(snd_room_bytes, s->arq.max_queue > kcp_arq_wait_snd(&s->arq)
    ? (s->arq.max_queue - kcp_arq_wait_snd(&s->arq)) * s->arq.mss : 0)
GAUGE(queued_segs, kcp_arq_wait_snd(&s->arq))

// The number of the oldest segment that is not acknowledged; it does not go round.
static uint64_t acked_sn(session_t *s) {
    s->acked_sn += s->session.arq.snd_una - (uint32_t)s->acked_sn;
    return s->acked_sn;
}

static PyObject *gauge_acked_sn(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(acked_sn((session_t *)self));
}

static PyObject *gauge_end_sn(PyObject *self, void *closure) {
    session_t *s = (session_t *)self;
    (void)closure;
    return PyLong_FromUnsignedLongLong(acked_sn(s) + (uint32_t)kcp_arq_wait_snd(&s->session.arq));
}

static PyObject *gauge_fec_ratio(PyObject *self, void *closure) {
    const kcp_decoder_t *d = ((session_t *)self)->session.decoder;
    (void)closure;
    if (d == NULL || d->is_tuning) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(ii)", (int)d->data, (int)(d->n - d->data));
}

// The same where it may be doubted, too, for tests.
static PyObject *gauge_doubted_ratio(PyObject *self, void *closure) {
    const kcp_decoder_t *d = ((session_t *)self)->session.decoder;
    (void)closure;
    return Py_BuildValue("(ii)", d == NULL ? 0 : (int)d->data, d == NULL ? 0 : (int)(d->n - d->data));
}

static PyObject *gauge_heard(PyObject *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(((session_t *)self)->session.has_heard);
}

static int set_heard(PyObject *self, PyObject *value, void *closure) {
    int is_true = value == NULL ? -1 : PyObject_IsTrue(value);
    (void)closure;
    if (is_true < 0) {
        return -1;
    }
    ((session_t *)self)->session.has_heard = (uint8_t)is_true;
    return 0;
}

static PyObject *or_none(PyObject *object) {
    object = object == NULL ? Py_None : object;
    Py_INCREF(object);
    return object;
}

static void put(PyObject **place, PyObject *value) {
    PyObject *before = *place;
    value = value == Py_None ? NULL : value;
    Py_XINCREF(value);
    *place = value;
    Py_XDECREF(before);
}

static PyObject *get_on_oob(PyObject *self, void *closure) {
    (void)closure;
    return or_none(((session_t *)self)->on_oob);
}

static int set_on_oob(PyObject *self, PyObject *value, void *closure) {
    (void)closure;
    put(&((session_t *)self)->on_oob, value);
    return 0;
}

static PyObject *get_tracer(PyObject *self, void *closure) {
    (void)closure;
    return or_none(((session_t *)self)->tracer);
}

static int set_tracer(PyObject *self, PyObject *value, void *closure) {
    session_t *s = (session_t *)self;
    (void)closure;
    put(&s->tracer, value);
    s->session.tap = s->tracer == NULL ? NULL : &s->tap;
    return 0;
}

#define GET(name) {#name, gauge_##name, NULL, NULL, NULL}

PyGetSetDef kcpmod_session_gauges[] = {
    GET(readable),
    GET(rcv_room),
    GET(max_oob_bytes),
    GET(snd_room_bytes),
    GET(queued_segs),
    GET(acked_sn),
    GET(end_sn),
    GET(fec_ratio),
    {"_doubted_ratio", gauge_doubted_ratio, NULL, NULL, NULL},
    {"heard", gauge_heard, set_heard, NULL, NULL},
    {"on_oob", get_on_oob, set_on_oob, NULL, NULL},
    {"tracer", get_tracer, set_tracer, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define MEMBER(name, type, field) {name, type, offsetof(session_t, session.field), READONLY, NULL}

PyMemberDef kcpmod_session_members[] = {
    MEMBER("state", T_INT, state),
    MEMBER("reason", T_INT, why),
    MEMBER("lost_bytes", T_INT, lost_bytes),
    MEMBER("last_input_ms", T_UINT, last_input_ms),
    MEMBER("conv", T_UINT, arq.conv),
    MEMBER("mss", T_INT, arq.mss),
    MEMBER("unacked_bytes", T_INT, arq.snd_bytes),
    MEMBER("next_sn", T_UINT, arq.rcv_nxt),
    MEMBER("rtt_ms", T_INT, arq.rx_srtt),
    MEMBER("srtt_ms", T_INT, arq.rx_srtt),
    MEMBER("rttvar_ms", T_INT, arq.rx_rttvar),
    MEMBER("rto_ms", T_INT, arq.rx_rto),
    MEMBER("n_parity", T_INT, encoder.n_parity),
    // For tests, which look inside.
    MEMBER("_mtu", T_INT, arq.mtu),
    MEMBER("_snd_wnd", T_INT, arq.snd_wnd),
    MEMBER("_rcv_wnd", T_INT, arq.rcv_wnd),
    MEMBER("_max_queue", T_INT, arq.max_queue),
    MEMBER("_nodelay", T_INT, arq.nodelay),
    MEMBER("_interval_ms", T_INT, arq.interval_ms),
    MEMBER("_resend", T_INT, arq.resend),
    MEMBER("_nc", T_INT, arq.nc),
    MEMBER("_stream", T_UBYTE, arq.stream),
    MEMBER("_ack_nodelay", T_UBYTE, arq.ack_nodelay),
    MEMBER("_rmt_wnd", T_INT, arq.rmt_wnd),
    MEMBER("_snd_nxt", T_UINT, arq.snd_nxt),
    MEMBER("_behind", T_INT, arq.behind),
    MEMBER("__ack_max", T_UINT, arq.ack_max),
    MEMBER("_data", T_INT, encoder.data),
    MEMBER("_n_copies", T_INT, auto_fec.n_copies),
    MEMBER("_loss", T_INT, auto_fec.loss),
    {NULL, 0, 0, 0, NULL},
};

#endif
