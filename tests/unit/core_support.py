"""Small helpers of the core's unit tests: segments as tuples, and pairs joined without loss."""

import struct

from kcp._compat import MICROPYTHON
from kcp.arq import Arq
from kcp.config import Config
from kcp.session import Session

PUSH, ACK, WASK, WINS = 81, 82, 83, 84
CONV = 0x80000001


def raises(kind, function, *args, **kwargs):
    """Return the exception of `kind` that the call must raise."""
    try:
        function(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % kind.__name__)


def segment(cmd, sn=0, ts=0, una=0, data=b"", wnd=32, frg=0, conv=CONV):
    """Return one segment's bytes."""
    return struct.pack("<IBBHIIII", conv, cmd, frg, wnd, ts, sn, una, len(data)) + data


def parse(datagram):
    """Return the segments of a datagram's KCP part as (cmd, frg, wnd, ts, sn, una, data)."""
    segments = []
    off = 0
    while off < len(datagram):
        _, cmd, frg, wnd, ts, sn, una, n = struct.unpack("<IBBHIIII", datagram[off : off + 24])
        segments.append((cmd, frg, wnd, ts, sn, una, bytes(datagram[off + 24 : off + 24 + n])))
        off += 24 + n
    return segments


def drain(arq, now_ms):
    """Pull all that is due; return the datagrams."""
    buf = bytearray(arq.buffer_bytes)
    found = []
    while True:
        n = arq.output(buf, 0, now_ms)
        if n == 0:
            return found
        found.append(bytes(buf[:n]))


def sent(arq, now_ms):
    """Pull all that is due; return the segments."""
    return [one for datagram in drain(arq, now_ms) for one in parse(datagram)]


def say(arq, data):
    """Queue data and have it sent at once, as a session does."""
    arq.flush()
    return arq.send(data)


def feed(arq, data, now_ms, regular=True):
    """Input one datagram given as bytes."""
    return arq.input(bytearray(data), 0, len(data), now_ms, regular)


def arq(**settings):
    """Return an Arq with kcp-go's fastest settings unless told otherwise."""
    values = {"nodelay": 1, "interval_ms": 10, "resend": 2, "nc": 1}
    values.update(settings)
    return Arq(CONV, **values)


def fill(view):
    """A source of 'random' bytes that the tests can predict."""
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


def session(now_ms=0, conv=CONV, **options):
    """Return a Session with mode fast3 unless told otherwise."""
    values = {"mode": "fast3", "sndwnd": 32, "rcvwnd": 32}
    values.update(options)
    return Session(conv, Config(**values), fill, now_ms)


# What a session in C shows of its inside on MicroPython; in native/mod/modkcp_session.c, too.
INSIDE = (
    "mtu",
    "snd_wnd",
    "rcv_wnd",
    "max_queue",
    "nodelay",
    "interval_ms",
    "resend",
    "nc",
    "stream",
    "ack_nodelay",
    "rmt_wnd",
    "snd_nxt",
    "behind",
    "_ack_max",
    "data",
    "n_copies",
    "loss",
    "n_parity_used",
)


class Shown:
    """What a session in C shows of its inside, by the names that the one in Python has."""

    def __init__(self, session_):
        self._session = session_

    def __getattr__(self, name):
        if not MICROPYTHON:
            return getattr(self._session, "_" + name)
        from kcp._session_upy import N_GAUGES

        if name not in INSIDE:
            raise AttributeError(name)
        return self._session._gauge(N_GAUGES + INSIDE.index(name))

    def wait_snd(self):
        return self._session.queued_segs

    @property
    def loss_pct(self):
        return self.loss * 100 >> 10


def arq_of(session_):
    """What a test may look at of a session's ARQ."""
    return session_.arq if hasattr(session_, "arq") else Shown(session_)


def encoder_of(session_):
    """What a test may look at of a session's FEC encoder."""
    return session_._encoder if hasattr(session_, "_encoder") else Shown(session_)


def carry(source, target, now_ms, keep=lambda datagram: True):
    """Move what `source` has due to `target`; return the datagrams that were built."""
    buf = bytearray(max(source.buffer_bytes, target.buffer_bytes))
    built = []
    while True:
        n = source.output(buf, now_ms)
        if n == 0:
            assert source.timeout(now_ms) != 0, "nothing to send but due at once"
            return built
        datagram = bytes(buf[:n])
        built.append(datagram)
        if keep(datagram):
            target.input(buf, n, now_ms)


def read_all(session_):
    """Take everything that waits."""
    buf = bytearray(2000)
    data = b""
    while True:
        n = session_.recv_into(buf)
        if n == 0:
            return data
        data += bytes(buf[:n])
