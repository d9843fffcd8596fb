// The verbs of a Session: native/core's over buffers of the caller's, without a copy where those are
// as long as the core wants them.

#include "_kcptypes.h"

#if KCP_SESSION

static session_t *begin(PyObject *self) {
    session_t *s = (session_t *)self;
    if (!s->is_made || s->is_busy) {
        PyErr_SetString(PyExc_RuntimeError,
            s->is_made ? "this session is in a verb already: it is for one thread, and what it calls may not call it"
                       : "this session was not made");
        return NULL;
    }
    return s;
}

// The time of arguments, ms modulo 2**30; -1 and an exception if it is none.
static int64_t get_ms(PyObject *arg) {
    unsigned long now_ms = PyLong_AsUnsignedLongMask(arg);
    return now_ms == (unsigned long)-1 && PyErr_Occurred() ? -1 : (int64_t)(now_ms & 0x3fffffffu);
}

// Hand out the out-of-band packet that has come. Was it one, and did anybody want it?
static int hand_out_oob(session_t *s) {
    int is_wanted = s->on_oob != NULL;
    if (is_wanted) {
        PyObject *handler = s->on_oob;
        Py_INCREF(handler);
        PyObject *result = PyObject_CallFunction(
            handler, "y#", (const char *)s->session.oob, (Py_ssize_t)s->session.oob_bytes);
        Py_DECREF(handler);
        Py_XDECREF(result);
    }
    s->session.oob_bytes = -1;
    return is_wanted;
}

// What follows input(), in which Python may have been called.
static PyObject *taken(session_t *s, int is_good) {
    s->is_busy = 0;
    if (s->session.oob_bytes >= 0 && !PyErr_Occurred()) {
        is_good = hand_out_oob(s);
    }
    return PyErr_Occurred() ? NULL : PyBool_FromLong(is_good);
}

// input() and input_plain(): the datagram buf[off:end], as it came (off 0) or opened.
static PyObject *input(PyObject *self, PyObject *object, const Py_ssize_t *at, int64_t now_ms, int is_open) {
    session_t *s = begin(self);
    uint8_t room[KCP_BUFFER_BYTES];
    Py_buffer buf;
    int is_good = 0;
    if (s == NULL || now_ms < 0 || kcpmod_get_buffer(object, &buf, 1)) {
        return NULL;
    }
    // (An end before the beginning is a datagram too short.)
    if (!kcpmod_is_within(&buf, 0, at[1]) || !kcpmod_is_within(&buf, at[0], 0)) {
        PyBuffer_Release(&buf);
        return NULL;
    }
    uint8_t *datagram = buf.buf;
    size_t off = (size_t)at[0], end = at[1] > at[0] ? (size_t)at[1] : off;
    s->is_busy = 1;
    if (!is_open && buf.len < KCP_BUFFER_BYTES) { // a cipher runs over whole blocks
        memcpy(room, datagram, end);
        datagram = room;
    }
    if (is_open) {
        is_good = kcp_session_input_plain(&s->session, datagram, off, end, (uint32_t)now_ms);
    } else if (end > KCP_CRYPT_MAX_BYTES) {
        s->session.stats->count[KCP_IN_ERRS]++;
    } else {
        is_good = kcp_session_input(&s->session, datagram, end, (uint32_t)now_ms);
    }
    PyObject *result = taken(s, is_good);
    PyBuffer_Release(&buf);
    return result;
}

static PyObject *verb_input(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t at[2] = {0, 0};
    if (!kcpmod_are_args(n_args, 3) || !kcpmod_get_numbers(args + 1, 1, at + 1)) {
        return NULL;
    }
    return input(self, args[0], at, get_ms(args[2]), 0);
}

static PyObject *verb_input_plain(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t at[2];
    if (!kcpmod_are_args(n_args, 4) || !kcpmod_get_numbers(args + 1, 2, at)) {
        return NULL;
    }
    return input(self, args[0], at, get_ms(args[3]), 1);
}

static PyObject *verb_output(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    session_t *s = begin(self);
    uint8_t room[KCP_BUFFER_BYTES];
    Py_buffer buf;
    if (s == NULL || !kcpmod_are_args(n_args, 2)) {
        return NULL;
    }
    int64_t now_ms = get_ms(args[1]);
    if (now_ms < 0 || kcpmod_get_buffer(args[0], &buf, 1)) {
        return NULL;
    }
    s->is_busy = 1;
    int is_short = buf.len < KCP_BUFFER_BYTES;
    Py_ssize_t n = kcp_session_output(&s->session, is_short ? room : buf.buf, (uint32_t)now_ms);
    s->is_busy = 0;
    if (is_short && n > buf.len) {
        PyErr_SetString(PyExc_ValueError, "the buffer is too short: see buffer_bytes");
    } else if (is_short) {
        memcpy(buf.buf, room, (size_t)n);
    }
    PyBuffer_Release(&buf);
    return PyErr_Occurred() ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *verb_timeout(PyObject *self, PyObject *arg) {
    session_t *s = begin(self);
    int64_t now_ms = s == NULL ? -1 : get_ms(arg);
    return now_ms < 0 ? NULL : PyLong_FromLong(kcp_session_timeout(&s->session, (uint32_t)now_ms));
}

// Tell the tracer that the application has sent or received n bytes, and return n.
static PyObject *told(session_t *s, const char *what, Py_ssize_t n) {
    if (n && s->tracer != NULL) {
        PyObject *tracer = s->tracer;
        Py_INCREF(tracer);
        PyObject *result = PyObject_CallMethod(tracer, what, "n", n);
        Py_DECREF(tracer);
        if (result == NULL) {
            return NULL;
        }
        Py_DECREF(result);
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *refused(PyObject *self, int32_t code, const char *verb) {
    if (code == -1) {
        PyErr_SetString(PyExc_ValueError, "nothing to send: data is empty");
    } else if (code == -2) {
        PyErr_SetString(PyExc_ValueError, "message needs over 255 segments: use stream mode or split it");
    } else {
        return PyObject_CallMethod(self, "_refuse", "s", verb); // which raises
    }
    return NULL;
}

static PyObject *verb_send(PyObject *self, PyObject *data) {
    session_t *s = begin(self);
    Py_buffer buf;
    if (s == NULL || kcpmod_get_buffer(data, &buf, 0)) {
        return NULL;
    }
    s->is_starved = 0;
    int32_t n = kcp_session_send(&s->session, buf.buf, (size_t)buf.len);
    PyBuffer_Release(&buf);
    if (n == 0 && s->is_starved) { // not a full queue, for which its user may wait
        return PyErr_NoMemory();
    }
    return n < 0 ? refused(self, n, "send") : told(s, "sent", n);
}

static PyObject *verb_recv_into(PyObject *self, PyObject *object) {
    session_t *s = begin(self);
    Py_buffer buf;
    if (s == NULL || kcpmod_get_buffer(object, &buf, 1)) {
        return NULL;
    }
    Py_ssize_t n = (Py_ssize_t)kcp_session_recv(&s->session, buf.buf, (size_t)buf.len);
    PyBuffer_Release(&buf);
    if (n && ((counters_t *)s->stats)->is_past) {
        PyObject *result = PyObject_CallMethod(self, "_read_late", "n", n);
        if (result == NULL) {
            return NULL;
        }
        Py_DECREF(result);
    }
    return told(s, "received", n);
}

// 1, 0 or -1 as the core's; what must not be is refused.
static PyObject *verb_send_oob(PyObject *self, PyObject *data) {
    session_t *s = begin(self);
    Py_buffer buf;
    if (s == NULL || kcpmod_get_buffer(data, &buf, 0)) {
        return NULL;
    }
    s->is_starved = 0;
    int code = kcp_session_send_oob(&s->session, buf.buf, (size_t)buf.len);
    PyBuffer_Release(&buf);
    if (code == 0 && s->is_starved) {
        return PyErr_NoMemory();
    }
    return code == -3 ? refused(self, code, "send_oob") : PyLong_FromLong(code);
}

static PyObject *verb_close(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    session_t *s = begin(self);
    if (s == NULL || !kcpmod_are_args(n_args, 2)) {
        return NULL;
    }
    int64_t now_ms = get_ms(args[0]), linger_ms = get_ms(args[1]);
    if (now_ms < 0 || linger_ms < 0) {
        return NULL;
    }
    kcp_session_close(&s->session, (uint32_t)now_ms, (uint32_t)linger_ms);
    Py_RETURN_NONE;
}

// (Also from what a verb calls: it only marks the session.)
static PyObject *verb_abort(PyObject *self, PyObject *ignored) {
    session_t *s = (session_t *)self;
    (void)ignored;
    if (s->is_made) {
        kcp_session_abort(&s->session, KCP_ABORTED);
    }
    Py_RETURN_NONE;
}

typedef void at_ms_t(kcp_session_t *s, uint32_t now_ms);

static PyObject *at_ms(PyObject *self, PyObject *arg, at_ms_t *function) {
    session_t *s = begin(self);
    int64_t now_ms = s == NULL ? -1 : get_ms(arg);
    if (now_ms < 0) {
        return NULL;
    }
    function(&s->session, (uint32_t)now_ms);
    Py_RETURN_NONE;
}

static PyObject *verb_ask(PyObject *self, PyObject *arg) {
    return at_ms(self, arg, kcp_session_ask);
}

static PyObject *verb_resume(PyObject *self, PyObject *arg) {
    return at_ms(self, arg, kcp_session_resume);
}

static PyObject *verb_held_back(PyObject *self, PyObject *arg) {
    return at_ms(self, arg, kcp_session_held_back);
}

static PyObject *verb_probe(PyObject *self, PyObject *ignored) {
    session_t *s = begin(self);
    (void)ignored;
    if (s == NULL) {
        return NULL;
    }
    kcp_session_probe(&s->session);
    Py_RETURN_NONE;
}

static PyObject *verb_flush(PyObject *self, PyObject *ignored) {
    session_t *s = begin(self);
    (void)ignored;
    if (s == NULL) {
        return NULL;
    }
    kcp_arq_flush(&s->session.arq);
    Py_RETURN_NONE;
}

static PyObject *verb_reserve(PyObject *self, PyObject *ignored) {
    session_t *s = begin(self);
    (void)ignored;
    if (s == NULL) {
        return NULL;
    }
    if (kcp_arq_reserve(&s->session.arq)) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

static PyObject *verb_leave_budget(PyObject *self, PyObject *ignored) {
    session_t *s = (session_t *)self;
    (void)ignored;
    if (s->is_made) {
        kcp_arq_leave_budget(&s->session.arq);
    }
    Py_RETURN_NONE;
}

// What a trace asks while the session is in a verb.

static PyObject *verb_is_repeat(PyObject *self, PyObject *arg) {
    session_t *s = (session_t *)self;
    unsigned long sn = PyLong_AsUnsignedLongMask(arg);
    if (PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(s->is_made && kcp_session_is_repeat(&s->session, (uint32_t)sn));
}

static PyObject *verb_n_sent(PyObject *self, PyObject *arg) {
    session_t *s = (session_t *)self;
    unsigned long sn = PyLong_AsUnsignedLongMask(arg);
    if (PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(s->is_made ? kcp_session_n_sent(&s->session, (uint32_t)sn) : 0);
}

#define FAST(name, verb, doc) {name, (PyCFunction)(void (*)(void))verb, METH_FASTCALL, doc}

PyMethodDef kcpmod_session_methods[] = {
    FAST("input", verb_input, "input(buf, n, now_ms) -> False: dropped, counted"),
    FAST("input_plain", verb_input_plain, "input_plain(buf, off, end, now_ms) -> False: dropped, counted"),
    FAST("output", verb_output, "output(buf, now_ms) -> bytes of the next datagram, 0: nothing due"),
    {"timeout", verb_timeout, METH_O, "timeout(now_ms) -> ms until output() may have something, -1: never"},
    {"send", verb_send, METH_O, "send(data) -> bytes taken"},
    {"recv_into", verb_recv_into, METH_O, "recv_into(buf) -> bytes taken"},
    {"_send_oob", verb_send_oob, METH_O, NULL},
    FAST("_close", verb_close, NULL),
    {"_abort", verb_abort, METH_NOARGS, NULL},
    {"_set", kcpmod_session_set, METH_O, NULL},
    {"ask", verb_ask, METH_O, "ask(now_ms): probe(), and take the peer for dead if it does not answer"},
    {"resume", verb_resume, METH_O, "resume(now_ms): the path is another one"},
    {"held_back", verb_held_back, METH_O, NULL},
    {"probe", verb_probe, METH_NOARGS, "probe(): ask the peer for its window"},
    {"flush", verb_flush, METH_NOARGS, "flush(): send what is queued with the next output()"},
    {"reserve", verb_reserve, METH_NOARGS, "reserve(): have all the memory that the windows may need"},
    {"leave_budget", verb_leave_budget, METH_NOARGS, NULL},
    {"is_repeat", verb_is_repeat, METH_O, NULL},
    {"n_sent", verb_n_sent, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

#endif
