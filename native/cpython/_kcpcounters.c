// Counters and Budget: what sessions count into and what they share, as Python sees them.

#include "_kcptypes.h"

#if KCP_SESSION

#define COUNTER(name, i) {#name, T_ULONGLONG, offsetof(counters_t, stats.count[i]), 0, NULL}

static PyMemberDef counters_members[] = {
    COUNTER(BytesSent, KCP_BYTES_SENT),
    COUNTER(BytesReceived, KCP_BYTES_RECEIVED),
    COUNTER(MaxConn, KCP_MAX_CONN),
    COUNTER(ActiveOpens, KCP_ACTIVE_OPENS),
    COUNTER(PassiveOpens, KCP_PASSIVE_OPENS),
    COUNTER(CurrEstab, KCP_CURR_ESTAB),
    COUNTER(InErrs, KCP_IN_ERRS),
    COUNTER(InCsumErrors, KCP_IN_CSUM_ERRORS),
    COUNTER(KCPInErrors, KCP_KCP_IN_ERRORS),
    COUNTER(InPkts, KCP_IN_PKTS),
    COUNTER(OutPkts, KCP_OUT_PKTS),
    COUNTER(InSegs, KCP_IN_SEGS),
    COUNTER(OutSegs, KCP_OUT_SEGS),
    COUNTER(InBytes, KCP_IN_BYTES),
    COUNTER(OutBytes, KCP_OUT_BYTES),
    COUNTER(RetransSegs, KCP_RETRANS_SEGS),
    COUNTER(FastRetransSegs, KCP_FAST_RETRANS_SEGS),
    COUNTER(EarlyRetransSegs, KCP_EARLY_RETRANS_SEGS),
    COUNTER(LostSegs, KCP_LOST_SEGS),
    COUNTER(RepeatSegs, KCP_REPEAT_SEGS),
    COUNTER(FECFullShards, KCP_FEC_FULL_SHARDS),
    COUNTER(FECParityShards, KCP_FEC_PARITY_SHARDS),
    COUNTER(FECErrs, KCP_FEC_ERRS),
    COUNTER(FECRecovered, KCP_FEC_RECOVERED),
    COUNTER(FECShardSet, KCP_FEC_SHARD_SET),
    COUNTER(FECShardMin, KCP_FEC_SHARD_MIN),
    COUNTER(RingBufferSndQueue, KCP_RING_BUFFER_SND_QUEUE),
    COUNTER(RingBufferRcvQueue, KCP_RING_BUFFER_RCV_QUEUE),
    COUNTER(RingBufferSndBuffer, KCP_RING_BUFFER_SND_BUFFER),
    COUNTER(OOBPackets, KCP_OOB_PACKETS),
    COUNTER(OutDrops, KCP_OUT_DROPS),
    COUNTER(BacklogDrops, KCP_BACKLOG_DROPS),
    COUNTER(GhostDrops, KCP_GHOST_DROPS),
    COUNTER(RoamMoves, KCP_ROAM_MOVES),
    COUNTER(RoamDrops, KCP_ROAM_DROPS),
    COUNTER(MemoryDrops, KCP_MEMORY_DROPS),
    COUNTER(OOBDrops, KCP_OOB_DROPS),
    COUNTER(AckDrops, KCP_ACK_DROPS),
    {"is_past", T_BOOL, offsetof(counters_t, is_past), 0, "has left total() as a session"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot counters_slots[] = {
    {Py_tp_members, counters_members},
    {Py_tp_doc, "The counters of a session: one attribute for each."},
    {0, NULL},
};

static PyType_Spec counters_spec = {
    "_kcp.Counters",
    sizeof(counters_t),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    counters_slots,
};

static PyMemberDef budget_members[] = {
    {"limit_bytes", T_UINT, offsetof(budget_t, budget.limit_bytes), 0, NULL},
    {"used_bytes", T_UINT, offsetof(budget_t, budget.used_bytes), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot budget_slots[] = {
    {Py_tp_members, budget_members},
    {Py_tp_doc, "Bytes that sessions together may hold."},
    {0, NULL},
};

static PyType_Spec budget_spec = {
    "_kcp.Budget",
    sizeof(budget_t),
    0,
    Py_TPFLAGS_DEFAULT,
    budget_slots,
};

PyTypeObject *kcpmod_counters, *kcpmod_budget;

// The type that is kept, made if there is none yet, as an attribute of the module, too.
static int add(PyObject *module, PyTypeObject **kept, PyType_Spec *spec, const char *name) {
    if (*kept == NULL) {
        *kept = (PyTypeObject *)PyType_FromSpec(spec);
    }
    if (*kept == NULL) {
        return -1;
    }
    PyObject *type = (PyObject *)*kept;
    Py_INCREF(type);
    if (PyModule_AddObject(module, name, type)) {
        Py_DECREF(type);
        return -1;
    }
    return 0;
}

int kcpmod_add_counters(PyObject *module) {
    return add(module, &kcpmod_counters, &counters_spec, "Counters")
            || add(module, &kcpmod_budget, &budget_spec, "Budget")
        ? -1
        : 0;
}

void kcpmod_drop_types(void) {
    Py_CLEAR(kcpmod_counters);
    Py_CLEAR(kcpmod_budget);
}

#endif
