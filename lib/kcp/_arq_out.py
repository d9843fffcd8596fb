"""The pass: kcp-go's flush, pulled one datagram at a time (see the top of `arq.py`).

`_step` says where the running pass stands. Each `_out_*` writes what fits between off and end and
returns the new offset; it moves `_step` on when it has nothing left, so a step that is still the
same afterwards means: this datagram is full.
"""

from ._arq_rcv import wire
from ._arq_snd import Sender
from ._compat import const
from ._kernels import seg_header, tx_out

_OVERHEAD = const(24)
_ACK = const(82)
_WASK = const(83)
_WINS = const(84)

_M30 = const(0x3FFFFFFF)
_HALF30 = const(0x20000000)
_RTO_CAP = const(0x0FFFFFFF)  # a segment's own backed-off timer stays within the clock's range
_BLOCKED = const(0xFFFF)

_ASK = const(1)

# what is due (`_due`)
_FULL = const(2)

# where the running pass stands (`_step`)
_IDLE = const(0)
_ACKS = const(1)
_PROBES = const(2)
_MOVE = const(3)
_HOLES = const(4)
_TIMERS = const(5)
_NEW = const(6)

# why a segment is sent again
_FAST = const(1)
_EARLY = const(2)
_LOST = const(3)


class Output(Sender):
    """Builds datagrams; `Arq` adds input, round trip times and timers."""

    def _out_init(self):
        self._due = 0
        self._step = _IDLE
        self._probe_wait = self._ts_probe = 0
        self.asked = False  # a WASK went out (whoever looks at it clears it)
        self.has_push = False  # the datagram that output() has built holds data
        self._timers = False  # some segment's timer runs, and
        self._next_rto = 0  # none runs out before this
        self._ticking = False
        # of the running pass
        self._full = False
        self._pass_ms = 0  # when it began
        self._wnd = self._una = self._asks = 0
        self._ack_stop = self._ack_last_sn = self._ack_last_ts = 0
        self.window = self._n_moved = self._n_fast = self._n_early = self._n_lost = 0
        self._check_all = False
        self._nearest = -1
        #: the congestion controller, or None: what both ends' windows allow, at once
        self.cc = None
        self._cc_name, self._kcp_cc = "none", None
        self.payload_pct = 100
        self.pacer = None  # a Pacer, if segments wait until the controller's rate lets them leave
        self._held = False  # and some do
        #: the application had nothing more to send when a pass came to the end of the queue
        self.is_starved = False

    def output(self, buf, off, now_ms) -> int:
        """Build the next datagram's segments at buf[off:]; return its bytes, 0 = nothing due.

        `buf` is a bytearray with at least `buffer_bytes` bytes from `off` on; what lies behind the
        returned length may have been overwritten.
        """
        self.has_push = False
        while True:
            if not self._step:
                if not self._due:
                    return 0
                self._begin(now_ms)
            n = self._build(buf, off, off + self.mtu, now_ms)
            if n == 0 and self._step:  # the next segment is older than the mtu, and larger
                n = self._build(buf, off, off + self._next_bytes(), now_ms)
            if n:
                return n

    def _next_bytes(self):
        """Return the size of the segment at which the pass stands."""
        sn = self._snd_new if self._step == _NEW else self._cursor
        return self._tx_n[sn & self._tx_mask]

    def _build(self, buf, start, end, now_ms):
        off = start
        step = self._step
        if step == _ACKS:
            off = self._out_acks(buf, off, end)
            step = self._step
            if step == _ACKS:
                return off - start
        if step == _PROBES:
            off = self._out_probes(buf, off, end)
            step = self._step
            if step == _PROBES:
                return off - start
        if step == _MOVE:
            self._move(now_ms)
            step = self._step
        if step == _HOLES:
            off = self._out_holes(buf, off, end, now_ms)
            step = self._step
            if step == _HOLES:
                return off - start
        if step == _TIMERS:
            off = self._out_timers(buf, off, end, now_ms)
            step = self._step
            if step == _TIMERS:
                return off - start
        if step == _NEW:
            off = self._out_new(buf, off, end, now_ms)
            if self._step == _NEW:
                return off - start
        self._finish()
        return off - start

    def _begin(self, now_ms):
        """Latch what this pass goes by."""
        self._full = self._due == _FULL
        self._due = 0
        self._pass_ms = now_ms
        if self._full:
            self._ticking = False
        self._wnd = min(self.wnd_unused(), 0xFFFF)
        self._una = self.rcv_nxt
        self._ack_stop = self._ack_tail
        self._ack_last_sn = self._ack_last_ts = 0
        self._n_moved = self._n_fast = self._n_early = self._n_lost = 0
        self._probe_timer(now_ms)
        self._asks = self.probe
        self.probe = 0
        self._step = _ACKS

    def _out_acks(self, buf, off, end):
        head, stop, cap_mask = self._ack_head, self._ack_stop, self._ack_cap - 1
        una = self._una
        while head < stop:
            sn = self._ack_sn[head & cap_mask]
            # what is below una needs no ACK, but the last one carries the time stamp
            if sn >= una or head == stop - 1:
                if off + _OVERHEAD > end:
                    self._ack_head = head
                    return off
                self._ack_last_sn = sn = wire(sn)
                self._ack_last_ts = ts = self._ack_ts[head & cap_mask]
                seg_header(buf, off, self.conv, _ACK, 0, self._wnd, ts, sn, wire(una), 0)
                self.stats.OutSegs += 1
                off += _OVERHEAD
            head += 1
        if head == self._ack_tail:
            head = self._ack_tail = 0
        self._ack_head = head
        self._step = _PROBES if self._asks else _MOVE
        return off

    def _out_probes(self, buf, off, end):
        while self._asks:
            if off + _OVERHEAD > end:
                return off
            ask = self._asks & _ASK
            seg_header(
                buf,
                off,
                self.conv,
                _WASK if ask else _WINS,
                0,
                self._wnd,
                self._ack_last_ts,
                self._ack_last_sn,
                wire(self._una),
                0,
            )
            self._asks = self._asks & ~_ASK if ask else 0
            if ask:
                self.asked = True
            self.stats.OutSegs += 1
            off += _OVERHEAD
        self._step = _MOVE
        return off

    def _move(self, now_ms):
        """Move the window's edge over queued segments, and see what must be walked."""
        edge = self._edge()
        self._held = False
        if edge > self.snd_nxt:
            if self.pacer is not None:
                edge = self._paced(edge, now_ms)
            self._n_moved = edge - self.snd_nxt
            self.n_flight += self._n_moved
            self.snd_nxt = edge
        self.is_starved = edge == self._snd_end
        if not self._full:
            self._step = _IDLE
            return
        self._check_all = self._timers and (now_ms - self._next_rto) & _M30 < _HALF30
        self._nearest = -1
        pending = self._fast_pending
        self._fast_pending = False  # the walk sets it again; without holes there is none
        if (self._check_all or pending) and self._hole_first >= 0:
            self._cursor = self._hole_first
            self._step = _HOLES
        elif self._check_all:
            self._cursor = self._ack_hi
            self._step = _TIMERS
        else:
            self._step = _NEW

    def _edge(self):
        """Return how far the windows let snd_nxt go (lower than it: not now)."""
        window, cc = min(self.snd_wnd, self.rmt_wnd), self.cc
        if cc is None:
            self.window = window
            return min(self.snd_una + window, self._snd_end)
        if cc.is_by_sn:
            self.window = window = min(window, cc.cwnd)
            return min(self.snd_una + window, self._snd_end)
        self.window = window
        edge = min(self.snd_una + window, self._snd_end)
        return min(edge, self.snd_nxt + cc.cwnd - self.n_flight)

    def _paced(self, edge, now_ms):
        """Return how far the edge may move: what is held back waits in the queue."""
        pacer, lens, mask = self.pacer, self._tx_n, self._tx_mask
        room = left = pacer.room_bytes(now_ms)
        sn = self.snd_nxt
        while sn < edge and left > 0:
            left -= lens[sn & mask] - _OVERHEAD
            sn += 1
        pacer.take(room - left)
        self._held = sn < edge
        return sn

    def _why(self, slot, now_ms):
        """Return why the segment must be sent again now, or 0."""
        fast = self._fast[slot]
        if fast and fast != _BLOCKED:
            if self.resend and fast >= self.resend:
                return _FAST
            if self._n_moved == 0 and not self._held:
                return _EARLY
        if (now_ms - self._resend_ts[slot]) & _M30 < _HALF30:
            return _LOST
        return 0

    def _out_holes(self, buf, off, end, now_ms):
        mask, tx = self._tx_mask, self._tx
        sn = self._cursor
        while sn >= 0:
            slot = sn & mask
            if tx[slot] is not None and self._xmit[slot]:
                why = self._why(slot, now_ms)
                if why:
                    if off + self._tx_n[slot] > end:
                        self._cursor = sn
                        return off
                    off = self._send_again(sn, slot, why, buf, off, now_ms)
                elif self._fast[slot] and self._fast[slot] != _BLOCKED:
                    self._fast_pending = True
                self._note_timer(slot, now_ms)
            sn = self._hole_next[slot]
        self._cursor = self._ack_hi
        self._step = _TIMERS if self._check_all else _NEW
        return off

    def _out_timers(self, buf, off, end, now_ms):
        """Look at the timers of all that is neither acknowledged nor a hole."""
        mask = self._tx_mask
        sn = max(self._cursor, self._ack_hi)
        while sn < self._snd_new:
            slot = sn & mask
            if (now_ms - self._resend_ts[slot]) & _M30 < _HALF30:
                if off + self._tx_n[slot] > end:
                    self._cursor = sn
                    return off
                off = self._send_again(sn, slot, _LOST, buf, off, now_ms)
            self._note_timer(slot, now_ms)
            sn += 1
        self._cursor = -1
        self._timers = self._nearest >= 0
        if self._timers:
            self._next_rto = self._nearest
        self._step = _NEW
        return off

    def _note_timer(self, slot, now_ms):
        """Keep the earliest timer: of this walk if it covers all, else lower the known bound."""
        t = self._resend_ts[slot]
        if self._check_all:
            if self._nearest < 0 or (self._nearest - t) & _M30 < _HALF30:
                self._nearest = t
        elif (self._next_rto - t) & _M30 < _HALF30:
            self._next_rto = t

    def _send_again(self, sn, slot, why, buf, off, now_ms):
        rto = self.rx_rto
        if why == _LOST:
            self._n_lost += 1
            self._fast[slot] = 0
            rto = min(self._rto[slot] + (rto // 2 if self.nodelay else rto), _RTO_CAP)
        else:
            if why == _FAST:
                self._n_fast += 1
            else:
                self._n_early += 1
            self._fast[slot] = _BLOCKED
        self._rto[slot] = rto
        self._resend_ts[slot] = (now_ms + rto) & _M30
        self._ts[slot] = now_ms
        self._xmit[slot] = 2
        self.has_push = True
        self.stats.OutSegs += 1
        n = self._tx_n[slot]
        if self.pacer is not None:
            self.pacer.take(n - _OVERHEAD)
        tx_out(self._tx[slot], n, self._wnd, now_ms, wire(sn), wire(self._una), buf, off)
        return off + n

    def _out_new(self, buf, off, end, now_ms):
        tx, lens, mask = self._tx, self._tx_n, self._tx_mask
        sn, stop, rto = self._snd_new, self.snd_nxt, self.rx_rto
        expiry = (now_ms + rto) & _M30
        wnd, una = self._wnd, wire(self._una)
        first, start = sn, off  # (a tuple of four would be an object on MicroPython)
        while sn < stop:
            slot = sn & mask
            chunk = tx[slot]
            if chunk is not None:  # else: acknowledged before it was sent, by a forger
                n = lens[slot]
                if off + n > end:
                    break
                self._rto[slot] = rto
                self._resend_ts[slot] = expiry
                self._ts[slot] = now_ms
                self._xmit[slot] = 1
                tx_out(chunk, n, wnd, now_ms, wire(sn), una, buf, off)
                off += n
                self.stats.OutSegs += 1
            sn += 1
        self._snd_new = sn
        if off > start:
            self.has_push = True
        if sn > first and (not self._timers or (self._next_rto - expiry) & _M30 < _HALF30):
            self._timers = True
            self._next_rto = expiry
        if sn == stop:
            self._step = _IDLE
        return off

    def let_acks_pass(self):
        """Something holds up the new segments: if acknowledgements have come to wait behind them,
        end this pass here and have another one begin, with them first."""
        if self._step == _NEW and self._ack_tail != self._ack_head:
            self._finish()
            self._due = _FULL

    def _finish(self):
        """The pass is over: count, and tell the congestion controller."""
        self._step = _IDLE
        stats = self.stats
        stats.RingBufferSndQueue = self._snd_end - self.snd_nxt
        stats.RingBufferSndBuffer = self.snd_nxt - self.snd_una
        stats.RingBufferRcvQueue = self.rcv_nxt - self._rcv_q
        changed = self._n_fast + self._n_early
        lost = self._n_lost
        if changed or lost:
            stats.LostSegs += lost
            stats.FastRetransSegs += self._n_fast
            stats.EarlyRetransSegs += self._n_early
            stats.RetransSegs += changed + lost
        if self.cc is not None:
            self._tell_controller(changed, lost)

    def _tell_controller(self, n_fast, n_lost):
        cc, now_ms = self.cc, self._pass_ms
        if n_fast:
            cc.on_loss(self, now_ms, n_fast)
        if n_lost:
            cc.on_timeout(self, now_ms, n_lost)
        cc.on_sent(self, now_ms, self._n_moved)
        if self.pacer is not None:
            self.pacer.set_rate(cc.rate)
