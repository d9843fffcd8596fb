"""A simulated peer that is a bare kcp.arq.Arq, driven exactly as kcp-go's KCP object is by the Go
twin.

update() runs on a fixed grid (every interval_ms from phase_ms on), as kcp-go's Update() does;
whatever has become due is pulled until nothing is left after every input and update, so each pass
is what kcp-go's flush is. A write only queues (the exported KCP has no flush either), at most `2 *
snd_wnd` segments: that is always a window ahead, so it equals a sender that has queued everything
at the start.

Clocks. The simulator's time is t; this peer's clock shows clock_ms + t modulo 2**32. Arq works
modulo 2**30, so where clock_ms is 2**30 or more this class plays a peer with a 32-bit clock: it
writes the full 32-bit ts into the PUSH segments that leave, and cuts what comes back in ACKs.
Nothing else on the wire is the peer's own clock.
"""

import struct

from kcp.arq import Arq
from kcp_sim import diff32

_CLOCK_MASK = 0x3FFFFFFF
_M32 = 0xFFFFFFFF
_CMD_PUSH = 81
_CMD_ACK = 82


class ArqPeer:
    """`options`: snd_wnd, rcv_wnd, mode [nodelay, interval, resend, nc], mtu (kcp mtu), stream,
    conv, clock_ms, phase_ms, snd_sn, rcv_sn, ack_nodelay; all but the first four may be missing.
    """

    def __init__(self, net, side, options, stats):
        nodelay, interval_ms, resend, nc = options["mode"]
        self.net = net
        self.side = side
        self.arq = arq = Arq(
            options.get("conv", 1),
            mtu=options["mtu"],
            snd_wnd=options["snd_wnd"],
            rcv_wnd=options["rcv_wnd"],
            nodelay=nodelay,
            interval_ms=interval_ms,
            resend=resend,
            nc=nc,
            stream=bool(options.get("stream", False)),
            ack_nodelay=bool(options.get("ack_nodelay", False)),
            stats=stats,
            snd_sn=options.get("snd_sn", 0),
            rcv_sn=options.get("rcv_sn", 0),
            max_queue=3 * options["snd_wnd"] + 256,
        )
        self.interval_ms = interval_ms
        self.chunk_bytes = options["mtu"] - 24
        self._depth = 2 * options["snd_wnd"]
        self._clock_ms = options.get("clock_ms", 0)
        self._wide = self._clock_ms >= 0x3F000000  # near or past what Arq's own clock can hold
        self._next_update_ms = options.get("phase_ms", 0)
        self._buf = bytearray(arq.buffer_bytes)
        self._seen_nxt = arq.snd_nxt
        self.input_errors = 0
        self.max_in_flight = 0

    def _now(self, t_ms):
        return (self._clock_ms + t_ms) & _CLOCK_MASK

    def input(self, data, t_ms):
        if self._wide:
            data = self._narrow(data)
        if self.arq.input(data, 0, len(data), self._now(t_ms)) != 0:
            self.input_errors += 1
        self._pull(t_ms)

    def timer(self, t_ms):
        """Nothing: update() has the last word in a moment."""

    settle = timer  # nothing, either: every input has been answered by itself

    def tick(self, t_ms):
        if t_ms >= self._next_update_ms:
            self._next_update_ms += self.interval_ms
            self.arq.update(self._now(t_ms))
            self._pull(t_ms)

    def next_ms(self, t_ms):
        return self._next_update_ms

    def idle(self):
        return self.arq.wait_snd() == 0

    def write(self, data):
        if self.arq.wait_snd() >= self._depth:
            return 0
        return self.arq.send(data)

    def read_into(self, buf):
        n_bytes = self.arq.recv_into(buf)
        return n_bytes if n_bytes > 0 else 0

    def _pull(self, t_ms):
        now_ms = self._now(t_ms)
        buf = self._buf
        n_bytes = self.arq.output(buf, 0, now_ms)
        while n_bytes:
            if self._wide:
                self._widen(n_bytes, t_ms)
            self.net.send(self.side, bytes(buf[:n_bytes]))
            n_bytes = self.arq.output(buf, 0, now_ms)
        self.check()

    def _segments(self, buf, n_bytes, cmd):
        """Offsets of the segments of one kind in a datagram."""
        offset = 0
        while offset + 24 <= n_bytes:
            if buf[offset + 4] == cmd:
                yield offset
            offset += 24 + struct.unpack("<I", buf[offset + 20 : offset + 24])[0]

    def _widen(self, n_bytes, t_ms):
        ts = (self._clock_ms + t_ms) & _M32
        for offset in self._segments(self._buf, n_bytes, _CMD_PUSH):
            self._buf[offset + 8 : offset + 12] = struct.pack("<I", ts)

    def _narrow(self, data):
        data = bytearray(data)
        for offset in self._segments(data, len(data), _CMD_ACK):
            data[offset + 11] &= 0x3F
        return data

    def check(self):
        """The invariants that hold whenever output() has nothing more."""
        arq = self.arq
        in_flight = diff32(arq.snd_nxt, arq.snd_una)
        if not 0 <= in_flight <= arq.snd_wnd:
            raise AssertionError("%d segments in flight, window %d" % (in_flight, arq.snd_wnd))
        if arq.snd_nxt != self._seen_nxt:
            self._seen_nxt = arq.snd_nxt
            if in_flight > arq.rmt_wnd:
                raise AssertionError(
                    "sent %d segments to a window of %d" % (in_flight, arq.rmt_wnd)
                )
            if in_flight > self.max_in_flight:
                self.max_in_flight = in_flight
