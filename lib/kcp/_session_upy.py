"""What `_session_native` needs on MicroPython, where a class does not tell its base in C what is
stored in an attribute, and where C finds attributes by their place in a tuple of names."""

import _kcp

from .stats import NAMES, Counts

#: The verbs of `_kcp.Session` in the order of native/mod/modkcp_verbs.c, then its gauges in that
#: of modkcp_session.c.
_NAMES = _kcp.names(
    (
        "timeout",
        "output",
        "input",
        "recv_into",
        "send",
        "input_plain",
        "_send_oob",
        "_close",
        "_abort",
        "_set",
        "reserve",
        "leave_budget",
        "ask",
        "resume",
        "held_back",
        "probe",
        "flush",
        "is_repeat",
        "n_sent",
        "_tap",
        "_hear",
        "_gauge",
        # gauges
        "readable",
        "snd_room_bytes",
        "rcv_room",
        "max_oob_bytes",
        "queued_segs",
        "acked_sn",
        "end_sn",
        "fec_ratio",
        "_tracer",
        "state",
        "_heard",
        "reason",
        "lost_bytes",
        "last_input_ms",
        "conv",
        "mss",
        "unacked_bytes",
        "next_sn",
        "rtt_ms",
        "srtt_ms",
        "rttvar_ms",
        "rto_ms",
        "n_parity",
    )
)
#: How many gauges have names; some for tests follow (`Session._gauge`).
N_GAUGES = len(_NAMES) - 1 - _NAMES.index("_gauge")
_COUNTERS = _kcp.names(NAMES)


def NativeStats():
    """Return a `Stats` whose counters a session in C counts."""
    return _kcp.Counters(_COUNTERS, Counts)


def given(session):
    """What C is given before the rest."""
    return session, _NAMES


# Parts of the class `_session_native.Session`.

on_oob = None
heard = property(lambda self: self._heard, lambda self, value: self._hear(value))
tracer = property(lambda self: self._tracer, lambda self, value: self._tap(value))
