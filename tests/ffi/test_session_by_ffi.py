# upy: heapsize=8m
"""The C session in a shared library beside the Python session: every datagram must be the same.

For interpreters that load libraries (MIPS routers): `make test-targets`. KCP_LIBRARY names
libkcp.so; libkcp_session.so beside it has what a session is driven by (session_shim.c).
"""

from array import array
from os import getenv

import ffi

import kcp
import kcp.arq  # first: from further down it would be too deep for the stack of a 32-bit build
from kcp.config import Config
from kcp.session import Session
from kcp.stats import NAMES

KEY = bytes(range(40, 72))
KINDS = {"null": 0, "aes-128-gcm": 7, "chacha20-poly1305": 10}
CONTROLLERS = ("none", "kcp", "rate")
N_BYTES = 12_000
DELAY_MS = 30
LOSE_PERCENT = 12

_func = ffi.open(getenv("KCP_LIBRARY").replace("libkcp.so", "libkcp_session.so")).func
_new = _func("L", "shim_session_new", "PiPLLI")
_free = _func("L", "shim_session_free", "L")
_count = _func("Q", "shim_session_count", "Li")
_input = _func("i", "kcp_session_input", "LpLI")
_output = _func("i", "kcp_session_output", "LpI")
_timeout = _func("i", "kcp_session_timeout", "LI")
_send = _func("i", "kcp_session_send", "LPL")
_recv = _func("L", "kcp_session_recv", "LpL")
_close = _func("v", "kcp_session_close", "LII")


def filler():
    """The nonces of the C shim."""
    n_fills = [0]

    def fill(view):
        for i in range(len(view)):
            view[i] = (7 * n_fills[0] + 13 * i) & 0xFF
        n_fills[0] += 1

    return fill


def fields(c, conv):
    """A Config as the C struct of it, whose members have 32 bits each."""
    arq = [conv, c.mtu, c.sndwnd, c.rcvwnd, c.nodelay, c.interval, c.resend, 1]
    arq += [c.stream, c.acknodelay, 0, 0, 0]
    rest = [
        CONTROLLERS.index(c.cc),
        c.pacing,
        c.payload_pct,
        c.write_delay,
        c.datashard,
        c.parityshard,
    ]
    rest += [c.fec == "auto", c.fec_acks, c.max_fec_bytes]
    rest += [c.dead_ms, c.keepalive_ms, c.idle_ms, c.linger_ms]
    return array("I", [int(value) & 0xFFFFFFFF for value in arq + rest])


class End:
    """Both twins of one end."""

    def __init__(self, config, conv):
        self.python = Session(conv, config, filler(), 0)
        kind = KINDS[config.crypt]
        key = KEY[:16] if kind == 7 else KEY
        self.native = _new(fields(config, conv), kind, key, len(key), 1 << 24, 0)
        assert self.native
        self.buf, self.room = bytearray(1600), bytearray(1600)

    def output(self, now_ms):
        n = self.python.output(self.buf, now_ms)
        assert n == _output(self.native, self.room, now_ms)
        assert self.buf[:n] == self.room[:n]
        return bytes(self.buf[:n])

    def input(self, datagram, now_ms):
        n = len(datagram)
        self.buf[:n] = self.room[:n] = datagram
        taken = bool(self.python.input(self.buf, n, now_ms))
        assert taken == bool(_input(self.native, self.room, n, now_ms))

    def timeout(self, now_ms):
        wait_ms = self.python.timeout(now_ms)
        assert wait_ms == _timeout(self.native, now_ms), (wait_ms, now_ms)
        return wait_ms

    def send(self, data):
        n = self.python.send(data)
        assert n == max(_send(self.native, data, len(data)), 0)
        return n

    def recv(self):
        """All that has come; the Python one hands out a segment at a time, the C one what fits."""
        python = native = b""
        while True:
            n = self.python.recv_into(self.buf)
            python += self.buf[:n]
            native += self.room[: _recv(self.native, self.room, len(self.room))]
            if n == 0:
                assert python == native
                return python

    def close(self, now_ms):
        self.python.close(now_ms, 500)
        _close(self.native, now_ms, 500)

    def compare_counters(self):
        for i, name in enumerate(NAMES):
            assert getattr(self.python.stats, name) == _count(self.native, i), name


class Line:
    """Datagrams on their way to an end; which ones are lost hangs on the seed alone."""

    def __init__(self, end, seed):
        self._end, self._seed = end, seed
        self._queue = []

    def send(self, datagram, now_ms):
        self._seed = (self._seed * 75 + 74) % 65537
        if self._seed % 100 >= LOSE_PERCENT:
            self._queue.append((now_ms + DELAY_MS, datagram))

    def deliver(self, now_ms):
        while self._queue and self._queue[0][0] <= now_ms:
            self._end.input(self._queue.pop(0)[1], now_ms)

    def wait_ms(self, now_ms):
        return self._queue[0][0] - now_ms if self._queue else -1


def pump(ends, lines, now_ms):
    """Deliver and build what is due; when the next thing is."""
    for line in lines:
        line.deliver(now_ms)
    for end, line in zip(ends, reversed(lines)):
        while True:
            datagram = end.output(now_ms)
            if not datagram:
                break
            line.send(datagram, now_ms)
    waits = [one.timeout(now_ms) for one in ends] + [line.wait_ms(now_ms) for line in lines]
    waits = [wait_ms for wait_ms in waits if wait_ms >= 0]
    return now_ms + max(min(waits, default=1), 1)


def converse(crypt, **options):
    """One end sends, the other one answers with the same; both twins of both."""
    config = Config(crypt=crypt, key=KEY, sndwnd=16, rcvwnd=16, mtu=600, **options)
    ends = End(config, 0x80000001), End(config, 0x80000001)
    lines = Line(ends[0], 17), Line(ends[1], 42)
    data = bytes([(i * 7 + (i >> 8)) & 0xFF for i in range(N_BYTES)])
    there, back = b"", b""
    n_sent = n_echoed = now_ms = 0
    while len(back) < N_BYTES:
        if n_sent < N_BYTES:
            n_sent += ends[0].send(data[n_sent : n_sent + 500])
        there += ends[1].recv()
        if n_echoed < len(there):
            n_echoed += ends[1].send(there[n_echoed : n_echoed + 500])
        back += ends[0].recv()
        now_ms = pump(ends, lines, now_ms)
        assert now_ms < 200_000, (n_sent, n_echoed, len(back))
    assert back == data
    end_them(ends, lines, now_ms)


def end_them(ends, lines, now_ms):
    """Close both ends; compare what they counted, and see that nothing of the memory is lost."""
    for end in ends:
        end.close(now_ms)
    for _ in range(60):
        now_ms = pump(ends, lines, now_ms)
    for end in ends:
        assert end.python.state == 2
        assert end.python.stats.RetransSegs > 0
        end.compare_counters()
        assert _free(end.native) == 0


def test_without_encryption():
    assert kcp.backend() == "python"  # the other side of the comparison is plain Python
    converse("null", mode="fast3")


def test_aes_gcm():
    converse("aes-128-gcm", mode="normal")


def test_chacha_and_fec():
    converse("chacha20-poly1305", mode="fast2", fec=(5, 2))
