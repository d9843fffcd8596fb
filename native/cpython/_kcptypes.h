// The objects of the extension that hold parts of a session.
#ifndef KCP_TYPES_H
#define KCP_TYPES_H

#include "_kcpmodule.h"

#include <structmember.h>

#include "kcp_session.h"

typedef struct {
    PyObject_HEAD
    kcp_stats_t stats;
    char is_past;
} counters_t;

typedef struct {
    PyObject_HEAD
    kcp_budget_t budget;
} budget_t;

typedef struct {
    PyObject_HEAD
    kcp_session_t session;
    char is_begun, is_made; // by __init__()
    char is_busy; // in a verb, which may call Python
    char is_starved; // there was no memory for something
    PyObject *stats, *budget, *fill, *nonce, *on_oob, *tracer; // or NULL
    Py_buffer codec;
    kcp_tap_t tap;
    uint64_t acked_sn; // unwrapped
} session_t;

extern PyTypeObject *kcpmod_counters, *kcpmod_budget;

// For the type.
extern PyMethodDef kcpmod_session_methods[];
extern PyGetSetDef kcpmod_session_gauges[];
extern PyMemberDef kcpmod_session_members[];
PyObject *kcpmod_session_set(PyObject *self, PyObject *settings);

#endif
