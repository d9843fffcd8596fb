// Session: an object over native/core/kcp_session.h, which lib/kcp/_session_native.py derives from.

#include "_kcptypes.h"

#include <structmember.h>

#if KCP_SESSION

#define NONCE_BYTES (16) // the longest: what `fill` is asked for every time

// -- what the core calls ---------------------------------------------------------------------------

static void fill(void *owner, uint8_t *bytes, size_t n) {
    session_t *s = owner;
    memset(bytes, 0, n);
    if (PyErr_Occurred()) {
        return; // this datagram will not leave
    }
    PyObject *result = PyObject_CallFunctionObjArgs(s->fill, s->nonce, NULL);
    if (result != NULL && PyByteArray_Size(s->nonce) == NONCE_BYTES) {
        memcpy(bytes, PyByteArray_AsString(s->nonce), n < NONCE_BYTES ? n : NONCE_BYTES);
    } else if (result != NULL) {
        PyErr_SetString(PyExc_ValueError, "fill() must write over its argument, and leave it as long as it was");
    }
    Py_XDECREF(result);
}

// Call a method of the tracer, if there is (still) one.
static void tell(session_t *s, const char *method, const uint8_t *bytes, size_t n, Py_ssize_t value) {
    if (s->tracer == NULL || PyErr_Occurred()) {
        return;
    }
    PyObject *tracer = s->tracer;
    Py_INCREF(tracer);
    PyObject *result = PyObject_CallMethod(
        tracer, method, "y#nnn", (const char *)bytes, (Py_ssize_t)n, (Py_ssize_t)0, (Py_ssize_t)n, value);
    Py_XDECREF(result);
    Py_DECREF(tracer);
}

static void tap_input(void *owner, const uint8_t *segments, size_t n, int is_regular) {
    tell(owner, "input", segments, n, is_regular);
}

static void tap_output(void *owner, const uint8_t *packet, size_t n, size_t n_wire) {
    tell(owner, "output", packet, n, (Py_ssize_t)n_wire);
}

// -- its life --------------------------------------------------------------------------------------

#define N_SETTINGS (22)

// The settings in the order of lib/kcp/_session_native.py.
static int get_settings(PyObject *tuple, kcp_session_config_t *config) {
    int32_t *to[N_SETTINGS] = {
        &config->arq.mtu, &config->arq.snd_wnd, &config->arq.rcv_wnd, &config->arq.nodelay,
        &config->arq.interval_ms, &config->arq.resend, &config->arq.stream, &config->arq.ack_nodelay,
        &config->cc, &config->is_paced, &config->payload_pct, &config->is_write_delayed,
        &config->data, &config->parity, &config->is_auto, &config->fec_acks,
        (int32_t *)&config->max_fec_bytes, (int32_t *)&config->dead_ms, (int32_t *)&config->keepalive_ms,
        (int32_t *)&config->idle_ms, (int32_t *)&config->linger_ms, (int32_t *)&config->arq.conv,
    };
    memset(config, 0, sizeof(*config));
    if (PyTuple_Size(tuple) != N_SETTINGS) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "not the settings of a session");
        }
        return -1;
    }
    for (int i = 0; i < N_SETTINGS; i++) {
        unsigned long value = PyLong_AsUnsignedLongMask(PyTuple_GetItem(tuple, i));
        if (value == (unsigned long)-1 && PyErr_Occurred()) {
            return -1;
        }
        *to[i] = (int32_t)(uint32_t)value;
    }
    config->arq.nc = 1;
    return 0;
}

// Take what it is made with; 0, or -1 and an exception.
static int take(session_t *s, PyObject *stats, PyObject *budget, PyObject *codec, PyObject *fill_) {
    if (!PyObject_TypeCheck(stats, kcpmod_counters)
        || (budget != Py_None && !PyObject_TypeCheck(budget, kcpmod_budget))) {
        PyErr_SetString(PyExc_TypeError, "stats must be a Counters, budget a Budget or None");
        return -1;
    }
    if (codec != Py_None) {
        if (kcpmod_get_buffer(codec, &s->codec, 0)) {
            return -1;
        }
        if (!kcp_crypt_is_valid(s->codec.buf, (size_t)s->codec.len)) {
            PyErr_SetString(PyExc_ValueError, "not a codec that crypt_init() has made");
            return -1;
        }
    }
    s->nonce = PyByteArray_FromStringAndSize(NULL, NONCE_BYTES);
    if (s->nonce == NULL) {
        return -1;
    }
    Py_INCREF(stats);
    s->stats = stats;
    Py_INCREF(fill_);
    s->fill = fill_;
    if (budget != Py_None) {
        Py_INCREF(budget);
        s->budget = budget;
    }
    return 0;
}

PyDoc_STRVAR(session_doc, "Session(settings, codec, stats, budget, fill, now_ms)");
static int session_init(PyObject *self, PyObject *args, PyObject *keywords) {
    session_t *s = (session_t *)self;
    PyObject *settings, *codec, *stats, *budget, *fill_;
    unsigned long now_ms;
    kcp_session_config_t config;
    if (s->stats != NULL || (keywords != NULL && PyDict_Size(keywords))) {
        PyErr_SetString(PyExc_TypeError, "a session is made once, without keywords");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "O!OOOOk", &PyTuple_Type, &settings, &codec, &stats, &budget, &fill_, &now_ms)
        || get_settings(settings, &config) || take(s, stats, budget, codec, fill_)) {
        return -1;
    }
    kcp_memory_t memory = {NULL, kcpmod_get, kcpmod_put, 0};
    kcp_entropy_t entropy = {s, fill};
    int kind = s->codec.buf == NULL ? 0 : kcp_crypt_kind(s->codec.buf);
    kcp_budget_t *shared = s->budget == NULL ? NULL : &((budget_t *)s->budget)->budget;
    if (kcp_session_init(&s->session, &config, s->codec.buf, kind, memory, entropy,
            &((counters_t *)stats)->stats, shared, (uint32_t)now_ms & 0x3fffffffu)) {
        PyErr_SetString(PyExc_ValueError, "a setting is out of range, or there is no memory");
        return -1;
    }
    s->tap = (kcp_tap_t){s, tap_input, tap_output};
    s->is_made = 1;
    return 0;
}

static int session_traverse(PyObject *self, visitproc visit, void *arg) {
    session_t *s = (session_t *)self;
#if PY_VERSION_HEX >= 0x03090000
    Py_VISIT(Py_TYPE(self));
#endif
    Py_VISIT(s->stats);
    Py_VISIT(s->budget);
    Py_VISIT(s->fill);
    Py_VISIT(s->on_oob);
    Py_VISIT(s->tracer);
    return 0;
}

// (Only what may be part of a cycle and what the core does not need.)
static int session_clear(PyObject *self) {
    session_t *s = (session_t *)self;
    s->session.tap = NULL;
    Py_CLEAR(s->on_oob);
    Py_CLEAR(s->tracer);
    return 0;
}

static void session_dealloc(PyObject *self) {
    session_t *s = (session_t *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    session_clear(self);
    if (s->is_made) {
        kcp_session_free(&s->session);
    }
    if (s->codec.obj != NULL) {
        PyBuffer_Release(&s->codec);
    }
    Py_CLEAR(s->stats);
    Py_CLEAR(s->budget);
    Py_CLEAR(s->fill);
    Py_CLEAR(s->nonce);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

// -- settings --------------------------------------------------------------------------------------

PyObject *kcpmod_session_set(PyObject *self, PyObject *settings) {
    session_t *s = (session_t *)self;
    kcp_session_config_t config;
    if (!s->is_made || s->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "this session is in a verb");
        return NULL;
    }
    if (get_settings(settings, &config)) {
        return NULL;
    }
    if (kcp_session_set(&s->session, &config)) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

// -- gauges ----------------------------------------------------------------------------------------

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

static PyGetSetDef session_gauges[] = {
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

static PyMemberDef session_members[] = {
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

// -- the type --------------------------------------------------------------------------------------

static PyType_Slot session_slots[] = {
    {Py_tp_init, session_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_traverse, session_traverse},
    {Py_tp_clear, session_clear},
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_methods, kcpmod_session_methods},
    {Py_tp_getset, session_gauges},
    {Py_tp_members, session_members},
    {Py_tp_doc, (void *)session_doc},
    {0, NULL},
};

static PyType_Spec session_spec = {
    "_kcp.Session",
    sizeof(session_t),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    session_slots,
};

int kcpmod_add_session(PyObject *module) {
    PyObject *type = PyType_FromSpec(&session_spec);
    if (type == NULL) {
        return -1;
    }
    if (PyModule_AddObject(module, "Session", type)) {
        Py_DECREF(type);
        return -1;
    }
    return PyModule_AddIntConstant(module, "BUFFER_BYTES", KCP_BUFFER_BYTES);
}

#endif
