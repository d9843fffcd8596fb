"""KCP: the ARQ state machine, as kcp-go v5.6.72 runs it (specs: kcp-go.md section 4).

Sans-IO: bytes in, bytes out, time as an argument (ms modulo 2**30). What goes out is pulled:

    input(...) / queue(...) / a timer     mark a pass due
    output(buf, off, now)                 builds the pass's next datagram into the caller's buffer

A *pass* is kcp-go's flush, cut into steps. When it begins it latches what kcp-go takes at the
start of flush (advertised window, una, pending ACKs, probes), then walks: ACKs, WASK/WINS, window
moved, segments to send again, new segments; when it ends, the congestion window is settled. Input
during a pass marks another one due and does not disturb this one. Drained at once, a pass emits
exactly what flush emits; the conformance tests hold it to that.

Cost: a pass visits what it sends, the holes if a fast-ack count may have made one due, and the
whole window only when the nearest timer has run out (`_next_rto`, a lower bound that such a walk
makes exact again). Steady state is O(1) amortised per segment and per ACK, timeout() O(1).

Deviations from kcp-go, on purpose:
- `send` refuses what does not fit `max_queue` segments instead of growing without limit;
- pending ACKs are limited (AckDrops); an ACK whose ts is no time of ours gives no RTT sample.
"""

# Bottom up, because five imports nested in each other need more stack than a small chip has.
# ruff: isort: off
from ._kernels import Pool, seg_parse
from ._arq_rcv import pow2_at_least, sdiff
from ._arq_snd import Sender  # noqa: F401
from ._arq_out import Output  # noqa: F401
from ._arq_time import Timing
from ._compat import const
from .cc import make
from .stats import Stats
# ruff: isort: on

_OVERHEAD = const(24)
_PUSH = const(81)
_ACK = const(82)
_WASK = const(83)
_WINS = const(84)

_MAX_QUEUE = const(1 << 20)
_MAX_RESEND = const(0xFFFE)  # counts go no further
_INTERVAL_MS = const(100)
_RTO_MIN = const(100)
_RTO_MIN_NODELAY = const(30)
_TELL = const(2)

# what is due (`_due`)
_ACK_ONLY = const(1)
_FULL = const(2)


class Arq(Timing):
    """One direction pair of reliable, ordered bytes or messages.

    conv: conversation number (32 bits); mtu: bytes that output() may use per datagram, so
    mss = mtu - 24; snd_wnd, rcv_wnd: windows in segments; nodelay, interval_ms, resend, nc: as
    kcp-go's NoDelay; stream: bytes instead of messages; ack_nodelay: answer each packet at once;
    stats: a Stats to count into; snd_sn, rcv_sn: first sequence numbers (0 on the wire of kcp-go);
    max_queue: most segments queued + unacknowledged (default 2 * snd_wnd, up to 2**20); budget:
    limit on the bytes that this and other objects hold received (an object with used_bytes,
    limit_bytes).

    Raises ValueError on values out of range.
    """

    def __init__(  # noqa: PLR0913  the settings of a state machine, by keyword only
        self,
        conv,
        *,
        mtu=1400,
        snd_wnd=32,
        rcv_wnd=32,
        nodelay=0,
        interval_ms=100,
        resend=0,
        nc=0,
        stream=False,
        ack_nodelay=False,
        stats=None,
        snd_sn=0,
        rcv_sn=0,
        max_queue=None,
        budget=None,
    ):
        self.check_mtu(mtu)
        self.conv = conv
        self._conv_lo, self._conv_hi = conv & 0xFFFF, conv >> 16
        self.mtu = mtu
        self.mss = mtu - _OVERHEAD
        #: bytes that must be free in output()'s buffer from its offset on: a segment is copied
        #: whole, past its end (see _pure_upy). set_mtu() may raise it.
        self.buffer_bytes = 2 * mtu
        self.stream = stream
        self.ack_nodelay = ack_nodelay
        self.stats = Stats() if stats is None else stats
        self._tx_pool, self._rx_pool = Pool(mtu), Pool(self.mss)
        self._max_acks = mtu // _OVERHEAD
        self._check_windows(snd_wnd, rcv_wnd)
        self._rcv_init(rcv_wnd, rcv_sn, self._ack_room(rcv_wnd), budget)
        max_queue = 2 * snd_wnd if max_queue is None else max_queue
        if not 1 <= max_queue <= _MAX_QUEUE:
            raise ValueError("max_queue must be 1..%d segments, not %r" % (_MAX_QUEUE, max_queue))
        self._snd_init(snd_wnd, snd_sn, max_queue)
        self._out_init()
        self._timing_init()
        self.nodelay, self.interval_ms, self.resend = 0, _INTERVAL_MS, 0
        self.rx_minrto = _RTO_MIN
        self.set_nodelay(nodelay, interval_ms, resend, max(nc, 0))

    @staticmethod
    def check_mtu(mtu):
        """Raise ValueError unless set_mtu() would take it."""
        if not _OVERHEAD < mtu <= 1500:
            raise ValueError("kcp mtu must be 25..1500 bytes, not %r" % mtu)

    def _ack_room(self, rcv_wnd):
        """Return how many acknowledgements may wait."""
        return max(64, 2 * self._max_acks, min(2 * rcv_wnd, 1024))

    @staticmethod
    def _check_windows(snd_wnd, rcv_wnd):
        for name, wnd in (("send", snd_wnd), ("receive", rcv_wnd)):
            if not 1 <= wnd <= 32768:
                raise ValueError("%s window must be 1..32768 segments, not %r" % (name, wnd))

    def set_nodelay(self, nodelay=-1, interval_ms=-1, resend=-1, nc=-1):
        """Change the settings that are >= 0; interval_ms is kept within 10..5000."""
        if nodelay >= 0:
            self.nodelay = nodelay
            self.rx_minrto = _RTO_MIN_NODELAY if nodelay else _RTO_MIN
        if interval_ms >= 0:
            self.interval_ms = min(max(interval_ms, 10), 5000)
            self._ticking = False  # the next tick is planned anew
        if resend >= 0:
            self.resend = min(resend, _MAX_RESEND)
        if nc >= 0:
            self.set_cc("none" if nc else "kcp")

    def set_cc(self, name, pacing: bool = False, payload_pct: int = 100):
        """Choose the congestion controller, as Config's cc, and whether new segments are spread at
        the rate that it gives. payload_pct: how much of what leaves is payload.

        What there was goes on if it is the same. ValueError if a class of the user's makes no
        controller.
        """
        self.payload_pct = payload_pct
        if name != self._cc_name:
            self.cc = self._kcp_cc if name == "kcp" and self._kcp_cc else make(name, self)
            self._cc_name = name
            if name == "kcp":  # which kcp-go does not forget while it is off
                self._kcp_cc = self.cc
                self.cc.resume(self)
        #: as kcp-go's NoDelay has it: 0 if its congestion window is in force
        self.nc = int(name != "kcp")
        if self.cc is None or not pacing:
            self.pacer = None
        elif self.pacer is None:
            from ._pacer import Pacer

            self.pacer = Pacer(self.mss, self.cc.rate)
        is_kcp_go = self.cc is None or (self.pacer is None and self.cc.is_by_sn)
        self._peak_ms = -1 if is_kcp_go else max(self._peak_ms, 0)
        if self._held:
            self._held = False
            self.flush()

    def set_wndsize(self, snd_wnd, rcv_wnd):
        """Change the windows (segments, 1..32768 each); the queue's limit stays."""
        self._check_windows(snd_wnd, rcv_wnd)
        self.snd_wnd = snd_wnd
        self.rcv_wnd = rcv_wnd
        self._ack_max = max(self._ack_max, pow2_at_least(self._ack_room(rcv_wnd)))

    def set_mtu(self, mtu):
        """Change the bytes that output() may use per datagram (25..1500).

        For segments queued from now on; those that were queued before keep their size, as in
        kcp-go, and one that is larger than the new mtu goes alone in its datagram.
        """
        self.check_mtu(mtu)
        self.mtu = mtu
        self.mss = mtu - _OVERHEAD
        if self.pacer is not None:
            self.pacer.mss = self.mss
        self._max_acks = mtu // _OVERHEAD
        self._ack_max = max(self._ack_max, pow2_at_least(self._ack_room(self.rcv_wnd)))
        self.buffer_bytes = max(self.buffer_bytes, 2 * mtu)
        self._tx_pool.grow(mtu)

    def reserve(self):
        """Allocate now all that the windows may ever need (for devices; nothing on CPython).

        That is max_queue segments of mtu bytes and 2 * rcv_wnd segments of mss bytes.
        """
        self._tx_ring(pow2_at_least(self.max_queue))
        self._rx_ring(pow2_at_least(2 * self.rcv_wnd))
        self._ack_ring(self._ack_max)
        self._tx_pool.reserve(self.max_queue)
        self._rx_pool.reserve(2 * self.rcv_wnd)

    # -- in ------------------------------------------------------------------------------------

    def send(self, data) -> int:
        """Queue bytes as `queue` does; the next output() sends them."""
        return self.queue(data)

    def flush(self):
        """Have the next output() begin a full pass."""
        self._due = _FULL

    def window_full(self) -> bool:
        """Are a send window of segments queued or unacknowledged?"""
        return self._snd_end - self.snd_una >= self.snd_wnd

    @property
    def idle(self) -> bool:
        """True if neither a pass runs nor one is due."""
        return not (self._step or self._due)

    def input(self, buf, off, end, now_ms, regular=True) -> int:
        """Take the segments in buf[off:end] (a bytearray); `regular` False: recovered by FEC.

        Return 0, or kcp-go's code for a packet it refuses: -1 too short or another conv, -2 cut
        off, -3 unknown command. Segments before the bad one have had their effect.
        """
        if end - off < _OVERHEAD:
            return -1
        una_before, bytes_before = self.snd_una, self.snd_bytes
        full = acked = strange = False
        latest = n_segs = behind = 0
        while end - off >= _OVERHEAD:
            conv_lo, conv_hi, cmd, frg, wnd, ts, sn, una, n = seg_parse(buf, off)
            off += _OVERHEAD
            if conv_lo != self._conv_lo or conv_hi != self._conv_hi:
                return self._refuse(-1)
            if n > end - off:
                return self._refuse(-2)
            if cmd < _PUSH or cmd > _WINS:
                return self._refuse(-3)
            if regular:
                self.rmt_wnd = wnd
            if una != self.snd_una:
                behind = self._on_new_una(una, now_ms, behind)
            if cmd == _PUSH:
                self.push_ms = now_ms
                if not self._on_push(sn, ts, frg, buf, off, n) and regular:
                    self.stats.RepeatSegs += 1
            elif cmd == _ACK and behind and self._is_strange(sn, ts):
                strange = True
            elif cmd == _ACK:
                sn = self.snd_una + sdiff(sn, self.snd_una)
                latest, acked = ts, True
                if self.snd_una <= sn < self.snd_nxt and self._on_ack(sn, latest):
                    full = True
            elif cmd == _WASK:
                self.probe |= _TELL
            n_segs += 1
            off += n
        self.stats.InSegs += n_segs
        self.behind = behind + strange
        full = full or self.snd_una != una_before
        if acked or full:
            sample = latest if acked and regular else None
            self._acknowledged(now_ms, sample, bytes_before - self.snd_bytes)
        if full:
            self._due = _FULL
        elif not self._due:
            pending = self._ack_tail - self._ack_head
            if pending >= self._max_acks or (self.ack_nodelay and pending):
                self._due = _ACK_ONLY
        if not self._ticking:
            self._arm_tick(now_ms)
        return 0

    def _refuse(self, code):
        """A packet is refused, and its first segments have had their effect. But not on kcp-go's
        congestion window, which only grows by packets that are taken whole."""
        if self.cc is not None and self.cc is self._kcp_cc:
            self.cc.resume(self)
        return code

    def _on_new_una(self, una, now_ms, behind):
        """Take a una that is not snd_una; return 0, or what `behind` is if it is an old one."""
        ahead = sdiff(una, self.snd_una)
        if ahead == 0:  # it is snd_una, which has gone round
            return behind
        if ahead < 0:
            return self.behind or 1
        if self.snd_nxt > self.snd_una:
            if self._peak_ms >= 0:
                self._tell_oldest(now_ms)
            self._on_una(min(self.snd_una + ahead, self.snd_nxt))
            self._una_ms, self._una_new = now_ms, self._snd_new
        return 0

    def _acknowledged(self, now_ms, ts, n_bytes):
        """A packet had acknowledgements; ts: what it echoes of our clock, or None."""
        rtt_ms = -1 if ts is None else self._rtt_of(now_ms, ts)
        self._sample_rtt(rtt_ms)
        if self.cc is not None:
            self.cc.on_ack(self, now_ms, n_bytes, rtt_ms)
            if self.pacer is not None:
                self.pacer.set_rate(self.cc.rate)
