"""What a session sends and receives, told event by event: kcp-go's trace log, mask and all.

`session.set_logger(mask, sink)` (kcp-go: SetLogger), `stream.set_logger`, or the setting `trace`.
sink(event, conv, *values) is called for each event that the mask names; `FIELDS` says what the
values of an event are. Without a sink, CPython writes them to `logging`, logger "kcp", level
DEBUG, with the conv in front, and MicroPython prints them.

A session that is not traced pays one comparison per datagram, and this module is not loaded.
Events are read from the datagrams as they pass the session: what goes out comes in the order of
the wire, the segments of a datagram before its "output" (kcp-go: all of a flush before its
outputs). The copies that the setting `dup` makes are not told.
"""

import sys

from ._compat import MICROPYTHON, const
from ._kernels import seg_parse

_OVERHEAD = const(24)
_FEC_HEAD = const(8)
_FEC_DATA = const(0xF1)
_FEC_PARITY = const(0xF2)
_FEC_OOB = const(0xF3)
_PUSH = const(81)
_ACK = const(82)
_WASK = const(83)
_WINS = const(84)

# kcp-go's IKCP_LOG_OUTPUT and so on.
OUTPUT = 1 << 0
INPUT = 1 << 1
SEND = 1 << 2
RECV = 1 << 3
OUT_ACK = 1 << 4
OUT_PUSH = 1 << 5
OUT_WASK = 1 << 6
OUT_WINS = 1 << 7
IN_ACK = 1 << 8
IN_PUSH = 1 << 9
IN_WASK = 1 << 10
IN_WINS = 1 << 11
OUTPUT_ALL = OUTPUT | OUT_ACK | OUT_PUSH | OUT_WASK | OUT_WINS
INPUT_ALL = INPUT | IN_ACK | IN_PUSH | IN_WASK | IN_WINS
ALL = OUTPUT_ALL | INPUT_ALL | SEND | RECV

#: The values that follow event and conv. sn, una, ts: 32-bit numbers as on the wire; *len: bytes.
FIELDS = {
    "output": ("datalen",),  # a datagram is ready for the socket
    # a segment, before it is checked; datalen: what is left of the datagram
    "input": ("cmd", "frg", "wnd", "ts", "sn", "una", "len", "datalen"),
    "send": ("stream", "datalen"),  # send() took bytes
    "recv": ("stream", "datalen"),  # recv_into() handed bytes out
    "out_ack": ("sn", "una", "ts"),
    "out_push": ("sn", "frg", "una", "ts", "xmit", "datalen"),  # xmit: 1 the first time, 2 again
    "out_wask": ("wnd", "ts"),
    "out_wins": ("wnd", "ts"),
    "in_ack": ("sn", "una", "ts", "rto"),  # rto: in ms, before this one is looked at
    "in_push": ("sn", "una", "ts", "packettype", "repeat"),  # packettype: "regular" or "fec"
    "in_wask": ("wnd", "ts"),
    "in_wins": ("wnd", "ts"),
}

_BITS = {
    "output": OUTPUT,
    "input": INPUT,
    "send": SEND,
    "recv": RECV,
    "out_ack": OUT_ACK,
    "out_push": OUT_PUSH,
    "out_wask": OUT_WASK,
    "out_wins": OUT_WINS,
    "in_ack": IN_ACK,
    "in_push": IN_PUSH,
    "in_wask": IN_WASK,
    "in_wins": IN_WINS,
    "output_all": OUTPUT_ALL,
    "input_all": INPUT_ALL,
    "all": ALL,
}
_PREFIX = "ikcp_log_"


def mask_of(events) -> int:
    """Return the mask for `events`: a mask, None (nothing), or names with commas between them.

    Names are those of FIELDS, "output_all", "input_all" and "all", with or without kcp-go's
    "IKCP_LOG_" in front. Raises ValueError on others.
    """
    if events is None:
        return 0
    if isinstance(events, str):
        mask = 0
        for name in events.lower().replace("|", ",").split(","):
            mask |= _bits(name.strip())
    else:
        mask = events
    if not isinstance(mask, int) or not 0 <= mask <= ALL:
        raise ValueError("a trace mask is a number of 0..%d or names, not %r" % (ALL, events))
    return mask


def _bits(name):
    if name[: len(_PREFIX)] == _PREFIX:
        name = name[len(_PREFIX) :]
    if name in _BITS:
        return _BITS[name]
    try:
        return int(name, 0)
    except ValueError:
        pass
    raise ValueError("unknown trace event %r; there are: %s" % (name, ", ".join(sorted(_BITS))))


def text(event, values) -> str:
    """Return an event as one line: its name, then name=value for each value."""
    pairs = ["%s=%s" % pair for pair in zip(FIELDS[event], values)]
    return " ".join([event] + pairs)


def default_sink():
    """Return the sink that is used when none is given."""
    if MICROPYTHON:
        return _print
    import logging

    logger = logging.getLogger("kcp")

    def log(event, conv, *values):
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%08x %s", conv, text(event, values))

    return log


def _print(event, conv, *values):
    print("%08x %s" % (conv, text(event, values)))


def on_stderr(error, message):
    """Tell about an exception of a sink where there is no event loop to do it."""
    print("kcp: " + message, file=sys.stderr)
    if MICROPYTHON:
        sys.print_exception(error, sys.stderr)
    else:
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)


class Tracer:
    """Tells a sink what passes one session.

    report(error, message): gets what the sink raises; None: it comes out of the session's verb.
    Either way the sink is not called again.
    """

    def __init__(self, session, mask, sink, report):
        if not callable(sink):
            raise ValueError("a trace sink is a function sink(event, conv, *values), or None")
        self._session = session
        self._mask = mask
        self._sink = sink
        self._report = report

    def _say(self, bit, event, *values):
        if not self._mask & bit:
            return
        try:
            self._sink(event, self._session.conv, *values)
        except Exception as error:
            self._mask = 0
            self._session.tracer = None
            if self._report is None:
                raise
            self._report(error, "exception in the sink of a KCP trace, which is off now")

    def sent(self, n):
        """send() took n bytes."""
        self._say(SEND, "send", self._session.config.stream, n)

    def received(self, n):
        """recv_into() handed out n bytes."""
        self._say(RECV, "recv", self._session.config.stream, n)

    def input(self, buf, off, end, is_regular):
        """The ARQ is about to take the segments buf[off:end]: tell what it will read of them."""
        session = self._session
        conv = session.conv
        packet_type = "regular" if is_regular else "fec"
        while end - off >= _OVERHEAD:
            conv_lo, conv_hi, cmd, frg, wnd, ts, sn, una, n = seg_parse(buf, off)
            off += _OVERHEAD
            if conv_lo != conv & 0xFFFF or conv_hi != conv >> 16:
                return
            self._say(INPUT, "input", cmd, frg, wnd, ts, sn, una, n, end - off)
            if n > end - off:
                return
            off += n
            if cmd == _PUSH:
                is_repeat = session.is_repeat(sn)
                self._say(IN_PUSH, "in_push", sn, una, ts, packet_type, is_repeat)
            elif cmd == _ACK:
                self._say(IN_ACK, "in_ack", sn, una, ts, session.rto_ms)
            elif cmd == _WASK:
                self._say(IN_WASK, "in_wask", wnd, ts)
            elif cmd == _WINS:
                self._say(IN_WINS, "in_wins", wnd, ts)
            else:
                return

    def output(self, buf, off, end, n_wire):
        """A datagram is built: buf[off:end], not encrypted yet; on the wire n_wire bytes."""
        if self._mask & OUTPUT_ALL != OUTPUT:
            kind = buf[off + 4] | buf[off + 5] << 8
            if kind == _FEC_DATA:
                off += _FEC_HEAD
            if kind != _FEC_PARITY and kind != _FEC_OOB:
                self._segments(buf, off, end)
        self._say(OUTPUT, "output", n_wire)

    def _segments(self, buf, off, end):
        """Tell about every segment of a datagram that is sent."""
        session = self._session
        while off < end:
            _, _, cmd, frg, wnd, ts, sn, una, n = seg_parse(buf, off)
            off += _OVERHEAD + n
            if cmd == _PUSH:
                self._say(OUT_PUSH, "out_push", sn, frg, una, ts, session.n_sent(sn), n)
            elif cmd == _ACK:
                self._say(OUT_ACK, "out_ack", sn, una, ts)
            elif cmd == _WASK:
                self._say(OUT_WASK, "out_wask", wnd, ts)
            else:
                self._say(OUT_WINS, "out_wins", wnd, ts)


def attach(session, events, sink, report):
    """Have the session traced, or not: see `Session.set_logger`."""
    mask = mask_of(events)
    tracer = Tracer(session, mask, default_sink() if sink is None else sink, report)
    session.tracer = tracer if mask else None
