"""A simulated peer that is a kcp.session.Session, driven through its six verbs as an I/O layer
does.

What has arrived is taken in one batch, as an endpoint drains its socket; after the batch and after
every other verb output() is pulled until it has nothing, and timeout() is asked when to come
again. The simulator's time is t; this peer's clock shows clock_ms + t modulo 2**30.

Scenario options as for ArqPeer, without snd_sn, rcv_sn and stream; `crypt` ("null" or "none") adds
its header on top of the kcp mtu, so a full datagram of the scenario always carries the same bytes
of data.
"""

from kcp.config import Config
from kcp.session import CLOSED, OPEN, Session

from . import diff32
from .rng import Rng

CRYPT_BYTES = {"null": 0, "none": 20}
_CLOCK_MASK = 0x3FFFFFFF
_MAX_DATAGRAM = 1500


def make_config(options, crypt, more):
    """A Config for a scenario's peer options; `more`: a dict of further Config options."""
    nodelay, interval_ms, resend, nc = options["mode"]
    settings = {
        "crypt": crypt,
        "mtu": options["mtu"] + CRYPT_BYTES[crypt],
        "sndwnd": options["snd_wnd"],
        "rcvwnd": options["rcv_wnd"],
        "nodelay": nodelay,
        "interval": interval_ms,
        "resend": resend,
        "nc": nc,
        "stream": False,
        "pacing": False,  # as kcp-go's sessions, which they are compared with
    }
    settings.update(more)
    return Config(**settings)


class SessionPeer:
    """`stats`: a Stats to count into; `config`: see make_config."""

    def __init__(self, net, side, options, stats, config):
        self.net = net
        self.side = side
        self._clock_ms = options.get("clock_ms", 0)
        self._phase_ms = options.get("phase_ms", 0)
        self._rng = Rng(side, 15)
        self.session = Session(
            options.get("conv", 1), config, self._fill, self._now(self._phase_ms), stats=stats
        )
        self.chunk_bytes = self.session.mss
        self._in_buf = bytearray(max(self.session.buffer_bytes, _MAX_DATAGRAM))
        self._out_buf = bytearray(self.session.buffer_bytes)
        self._seen_nxt = self.session.arq.snd_nxt
        self.input_errors = 0
        self.max_in_flight = 0
        self.max_unacked_bytes = 0

    def _fill(self, buf):
        for i in range(len(buf)):
            buf[i] = self._rng.below(256)

    def _now(self, t_ms):
        return (self._clock_ms + t_ms) & _CLOCK_MASK

    def input(self, data, t_ms):
        n_bytes = len(data)
        self._in_buf[:n_bytes] = data
        if not self.session.input(self._in_buf, n_bytes, self._now(t_ms)):
            self.input_errors += 1

    def tick(self, t_ms):
        self._pull(t_ms)

    timer = settle = tick

    def next_ms(self, t_ms):
        wait_ms = self.session.timeout(self._now(t_ms))
        if wait_ms == 0:
            raise AssertionError("timeout() is 0 after output() had nothing, at %d ms" % t_ms)
        return t_ms + wait_ms if wait_ms > 0 else -1

    def idle(self):
        return self.session.unacked_bytes == 0

    def write(self, data):
        if self.session.state != OPEN:
            return 0
        n_taken = self.session.send(data)
        self._pull(self.net.now_ms)
        return n_taken

    def read_into(self, buf):
        n_bytes = self.session.recv_into(buf)
        if n_bytes:
            self._pull(self.net.now_ms)
        return n_bytes

    def close(self, t_ms, linger_ms=None):
        self.session.close(self._now(t_ms), linger_ms)
        self._pull(t_ms)

    def _pull(self, t_ms):
        now_ms = self._now(t_ms)
        buf, session = self._out_buf, self.session
        n_bytes = session.output(buf, now_ms)
        while n_bytes:
            self.net.send(self.side, bytes(memoryview(buf)[:n_bytes]))
            n_bytes = session.output(buf, now_ms)
        self.check()

    def closed(self):
        return self.session.state == CLOSED

    def check(self):
        """The invariants that hold whenever output() has nothing more."""
        session = self.session
        arq = session.arq
        in_flight = diff32(arq.snd_nxt, arq.snd_una)
        if not 0 <= in_flight <= arq.snd_wnd:
            raise AssertionError("%d segments in flight, window %d" % (in_flight, arq.snd_wnd))
        if arq.snd_nxt != self._seen_nxt:
            self._seen_nxt = arq.snd_nxt
            if in_flight > arq.rmt_wnd:
                raise AssertionError(
                    "sent %d segments to a window of %d" % (in_flight, arq.rmt_wnd)
                )
            self.max_in_flight = max(self.max_in_flight, in_flight)
        if arq.wait_snd() > 2 * arq.snd_wnd:
            raise AssertionError("%d segments queued, window %d" % (arq.wait_snd(), arq.snd_wnd))
        self.max_unacked_bytes = max(self.max_unacked_bytes, session.unacked_bytes)
