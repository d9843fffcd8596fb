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
from ._arq_out import Output
from ._compat import const
from .stats import Stats
# ruff: isort: on

_OVERHEAD = const(24)
_PUSH = const(81)
_ACK = const(82)
_WASK = const(83)
_WINS = const(84)

_M30 = const(0x3FFFFFFF)
_HALF30 = const(0x20000000)
_RTO_DEF = const(200)
_RTO_MIN = const(100)
_RTO_MIN_NODELAY = const(30)
_RTO_MAX = const(60000)
_THRESH_INIT = const(2)
_TELL = const(2)

# what is due (`_due`)
_ACK_ONLY = const(1)
_FULL = const(2)


class Arq(Output):
    """One direction pair of reliable, ordered bytes or messages.

    conv: conversation number (32 bits); mtu: bytes that output() may use per datagram, so
    mss = mtu - 24; snd_wnd, rcv_wnd: windows in segments; nodelay, interval_ms, resend, nc: as
    kcp-go's NoDelay; stream: bytes instead of messages; ack_nodelay: answer each packet at once;
    stats: a Stats to count into; snd_sn, rcv_sn: first sequence numbers (0 on the wire of kcp-go);
    max_queue: most segments queued + unacknowledged (default 2 * snd_wnd); budget: limit on the
    bytes that this and other objects hold received (an object with used_bytes, limit_bytes).

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
        self._snd_init(snd_wnd, snd_sn, 2 * snd_wnd if max_queue is None else max_queue)
        self._out_init()
        self._timing_init()
        self.set_nodelay(nodelay, interval_ms, resend, nc)

    def _timing_init(self):
        self.rmt_wnd = 32  # until the peer says otherwise, whatever its window is
        self.cwnd = 0
        self.incr = 0
        self.ssthresh = _THRESH_INIT
        self.rx_srtt = self.rx_rttvar = 0
        self.rx_rto = _RTO_DEF
        self._updated = False
        self._ts_flush = 0
        self._tick_at = 0
        self._phase_ms = 0
        self.push_ms = -1  # when a data segment last came

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
            self.resend = resend
        if nc >= 0:
            self.nc = nc

    def set_pacing(self, pacing: bool, share_pct: int = 100):
        """Spread new segments over the round trip, or no longer. share_pct: see _pacer.Pacer."""
        if not pacing:
            if self._held:
                self.flush()
            self.pacer, self._held = None, False
        elif self.pacer is None:
            from ._pacer import Pacer

            self.pacer = Pacer(self.mss, share_pct)

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
                return -1
            if n > end - off:
                return -2
            if cmd < _PUSH or cmd > _WINS:
                return -3
            if regular:
                self.rmt_wnd = wnd
            if una != self.snd_una:
                behind = self._on_new_una(una, now_ms)
            if cmd == _PUSH:
                self.push_ms = now_ms
                if not self._on_push(sn, ts, frg, buf, off, n) and regular:
                    self.stats.RepeatSegs += 1
            elif cmd == _ACK and behind and self._is_strange(ts):
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
            self._acknowledged(now_ms, sample, una_before, bytes_before)
        if full:
            self._due = _FULL
        elif not self._due:
            pending = self._ack_tail - self._ack_head
            if pending >= self._max_acks or (self.ack_nodelay and pending):
                self._due = _ACK_ONLY
        if not self._ticking:
            self._arm_tick(now_ms)
        return 0

    def _on_new_una(self, una, now_ms):
        """Take a una that is not snd_una; return 0, or what `behind` is if it is an old one."""
        ahead = sdiff(una, self.snd_una)
        if ahead < 0:
            return self.behind or 1
        if self.snd_nxt > self.snd_una:
            if self.pacer is not None:
                self._tell_oldest(now_ms)
            self._on_una(min(self.snd_una + ahead, self.snd_nxt))
            self._una_ms = now_ms
        return 0

    def _acknowledged(self, now_ms, ts, una_before, bytes_before):
        """A packet had acknowledgements; ts: what it echoes of our clock, or None."""
        if ts is not None:
            self._sample_rtt(now_ms, ts)
        if not self.nc and self.snd_una > una_before:
            self._open_cwnd()
        if self.pacer is not None and self.snd_bytes < bytes_before:
            rtt_ms = -1 if ts is None else self._rtt_of(now_ms, ts)
            self.pacer.on_ack(now_ms, bytes_before - self.snd_bytes, rtt_ms, self)

    @staticmethod
    def _rtt_of(now_ms, ts):
        """Return the ms since ts, which a peer has echoed; -1: that was no time of ours."""
        rtt = (now_ms - ts) & _M30
        return -1 if rtt >= _HALF30 or ts > _M30 else rtt

    def _tell_oldest(self, now_ms):
        slot = self.snd_una & self._tx_mask
        if self._xmit[slot] == 1 and self._tx[slot] is not None:
            age_ms = (now_ms - self._ts[slot]) & _M30
            if age_ms <= 4 * self.rx_srtt + self.interval_ms:  # else something was stalled
                self.pacer.on_oldest(age_ms)

    def _sample_rtt(self, now_ms, ts):
        """Update srtt, rttvar and rto (RFC 6298 with kcp-go's weights) from an echoed ts."""
        rtt = self._rtt_of(now_ms, ts)
        if rtt < 0:
            return
        if self.rx_srtt == 0:
            self.rx_srtt = rtt
            self.rx_rttvar = rtt >> 1
        else:
            delta = rtt - self.rx_srtt
            self.rx_srtt += delta >> 3
            if delta < 0:
                delta = -delta
            shift = 5 if rtt < self.rx_srtt - self.rx_rttvar else 2
            self.rx_rttvar += (delta - self.rx_rttvar) >> shift
        rto = self.rx_srtt
        if self.pacer is not None:
            rto = max(rto, self.pacer.peak_ms)
        rto += max(self.interval_ms, self.rx_rttvar << 2)
        self.rx_rto = min(max(self.rx_minrto, rto), _RTO_MAX)

    def _open_cwnd(self):
        """Grow the congestion window: slow start, then additive."""
        if self.cwnd >= self.rmt_wnd:
            return
        mss = self.mss
        if self.cwnd < self.ssthresh:
            self.cwnd += 1
            self.incr += mss
        else:
            self.incr = max(self.incr, mss)
            self.incr += mss * mss // self.incr + mss // 16
            if (self.cwnd + 1) * mss <= self.incr:
                self.cwnd = (self.incr + mss - 1) // mss
        if self.cwnd > self.rmt_wnd:
            self.cwnd = self.rmt_wnd
            self.incr = self.rmt_wnd * mss

    # -- when ----------------------------------------------------------------------------------

    def update(self, now_ms):
        """kcp-go's (deprecated) Update: a full pass on a fixed grid from the first call on.

        For callers that poll. A Session uses tick() and timeout() instead.
        """
        if not self._updated:
            self._updated = True
            self._ts_flush = now_ms
        slap = (now_ms - self._ts_flush) & _M30
        if slap >= _HALF30:
            slap -= _M30 + 1
        if slap >= 10000 or slap < -10000:
            self._ts_flush = now_ms
            slap = 0
        if slap >= 0:
            self._ts_flush = (self._ts_flush + self.interval_ms) & _M30
            if (now_ms - self._ts_flush) & _M30 < _HALF30:
                self._ts_flush = (now_ms + self.interval_ms) & _M30
            self._due = _FULL

    def set_phase(self, now_ms):
        """Let the grid of ticks start here."""
        self._phase_ms = now_ms

    def _wants_tick(self) -> bool:
        """Is there anything that waits for the next tick of the grid?"""
        if self._ack_tail != self._ack_head or self.probe or self._fast_pending:
            return True
        if self._snd_new != self.snd_nxt or (self.rmt_wnd == 0) != (self._probe_wait != 0):
            return True
        if self._snd_end == self.snd_nxt:
            return False
        return self.snd_nxt < self.snd_una + min(self.snd_wnd, self.rmt_wnd)

    def _arm_tick(self, now_ms):
        if not self._wants_tick():
            self._ticking = False
        elif not self._ticking:
            self._ticking = True
            since = (now_ms - self._phase_ms) & _M30
            self._tick_at = (now_ms + self.interval_ms - since % self.interval_ms) & _M30

    def tick(self, now_ms):
        """Mark a pass due if a deadline has come."""
        self._arm_tick(now_ms)
        if (
            (self._ticking and (now_ms - self._tick_at) & _M30 < _HALF30)
            or (self._timers and (now_ms - self._next_rto) & _M30 < _HALF30)
            or (self._probe_wait and (now_ms - self._ts_probe) & _M30 < _HALF30)
            or (self._held and self.pacer.wait_ms(now_ms) == 0)
        ):
            self._due = _FULL

    def timeout(self, now_ms) -> int:
        """Return ms until output() (after tick()) may have something: 0 now, -1 never."""
        if self._step or self._due:
            return 0
        self._arm_tick(now_ms)
        wait = self.pacer.wait_ms(now_ms) if self._held else -1
        if self._ticking:
            wait = self._until(self._tick_at, now_ms, wait)
        if self._timers:
            wait = self._until(self._next_rto, now_ms, wait)
        if self._probe_wait:
            wait = self._until(self._ts_probe, now_ms, wait)
        return wait

    @staticmethod
    def _until(deadline_ms, now_ms, wait):
        d = (deadline_ms - now_ms) & _M30
        if d >= _HALF30:
            return 0
        return d if wait < 0 or d < wait else wait
