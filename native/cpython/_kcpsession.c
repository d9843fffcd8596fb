// Session: an object over native/core/kcp_session.h, which lib/kcp/_session_native.py derives from.

#include "_kcptypes.h"

#if KCP_SESSION

#define NONCE_BYTES (16) // the longest: what `fill` is asked for every time

// -- what the core calls ---------------------------------------------------------------------------

static void fill(void *owner, uint8_t *bytes, size_t n) {
    session_t *s = owner;
    memset(bytes, 0, n);
    if (PyErr_Occurred()) {
        return; // this datagram will not leave
    }
    if (s->fill == NULL) { // the collector has been here
        PyErr_SetString(PyExc_RuntimeError, "this session is being taken down");
        return;
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
    if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) != N_SETTINGS) {
        PyErr_SetString(PyExc_TypeError, "not the settings of a session");
        return -1;
    }
    for (int i = 0; i < N_SETTINGS; i++) {
        long long value = PyLong_AsLongLong(PyTuple_GetItem(tuple, i));
        if (value < 0 || value > 0xffffffffLL) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_OverflowError, "a setting is out of range");
            }
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
    if (s->is_begun || (keywords != NULL && PyDict_Size(keywords))) {
        PyErr_SetString(PyExc_TypeError, "a session is made once, without keywords");
        return -1;
    }
    s->is_begun = 1;
    if (!PyArg_ParseTuple(args, "O!OOOOk", &PyTuple_Type, &settings, &codec, &stats, &budget, &fill_, &now_ms)
        || get_settings(settings, &config) || take(s, stats, budget, codec, fill_)) {
        return -1;
    }
    kcp_memory_t memory = {&s->is_starved, kcpmod_get, kcpmod_put, 0};
    kcp_entropy_t entropy = {s, fill};
    int kind = s->codec.buf == NULL ? 0 : kcp_crypt_kind(s->codec.buf);
    kcp_budget_t *shared = s->budget == NULL ? NULL : &((budget_t *)s->budget)->budget;
    if (kcp_session_init(&s->session, &config, s->codec.buf, kind, memory, entropy,
            &((counters_t *)stats)->stats, shared, (uint32_t)now_ms & 0x3fffffffu)) {
        if (s->is_starved) {
            PyErr_NoMemory();
        } else {
            PyErr_SetString(PyExc_ValueError, "a setting is out of range");
        }
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
    Py_CLEAR(s->fill);
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
    s->is_starved = 0;
    if (kcp_session_set(&s->session, &config)) {
        if (s->is_starved) {
            return PyErr_NoMemory();
        }
        PyErr_SetString(PyExc_ValueError, "a setting is out of range");
        return NULL;
    }
    Py_RETURN_NONE;
}

// -- the type --------------------------------------------------------------------------------------

static PyType_Slot session_slots[] = {
    {Py_tp_init, session_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_traverse, session_traverse},
    {Py_tp_clear, session_clear},
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_methods, kcpmod_session_methods},
    {Py_tp_getset, kcpmod_session_gauges},
    {Py_tp_members, kcpmod_session_members},
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
