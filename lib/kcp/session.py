"""One peer: ARQ and packet frame behind six verbs. Sans-IO, no clock, no randomness of its own.

    input(buf, n, now_ms)     one received datagram, in a buffer that may be overwritten
    output(buf, now_ms) -> n  the next datagram for the wire, built in the caller's buffer; 0: none
    timeout(now_ms) -> ms     when output may next have something: 0 now, -1 never
    send(data) -> n           queue bytes, as many as fit
    recv_into(buf) -> n       take received bytes
    close(now_ms)             flush, linger until all is acknowledged, then CLOSED

After any verb ask timeout() again. State changes happen inside the verbs that take a time: look at
`state` and `error` afterwards; nothing calls back.

Closing. KCP has no end mark on the wire. close() keeps retransmitting until everything is
acknowledged, at most linger_ms; `lost_bytes` says what was not. A session whose peer was sending
just before goes on answering for a moment (_QUIET_RTOS timeouts without new data), because the
peer's own close waits for the ACK that may have been lost.
"""

from ._backend import NATIVE
from ._compat import const

OPEN = const(0)
CLOSING = const(1)
CLOSED = const(2)
EPIPE = 32  # MicroPython's errno module has no EPIPE

#: Is the session in C?
IN_C = NATIVE and hasattr(__import__("_kcp"), "Session")

if IN_C:
    from ._session_native import Budget, Session
else:
    # From the bottom up: imports nested in each other need more stack than a small chip has.
    for _layer in ("_failing", "_gauges", "_ending"):
        __import__("kcp." + _layer)
    from ._session_py import Budget, Session

__all__ = ("CLOSED", "CLOSING", "EPIPE", "IN_C", "OPEN", "Budget", "Session")
