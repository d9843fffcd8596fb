"""Round trip times, and when a pass is due (see the top of `arq.py`)."""

from ._arq_out import Output
from ._compat import const

_M30 = const(0x3FFFFFFF)
_HALF30 = const(0x20000000)
_RTO_DEF = const(200)
_RTO_MAX = const(60000)
_PROBE_INIT = const(500)
_PROBE_LIMIT = const(120000)
_ASK = const(1)

_FULL = const(2)


class Timing(Output):
    """Adds the clockwork to `Output`; `Arq` adds input and settings."""

    def _timing_init(self):
        self.rmt_wnd = 32  # until the peer says otherwise, whatever its window is
        self.rx_srtt = self.rx_rttvar = 0
        self.rx_rto = _RTO_DEF
        self._peak_ms = -1  # see _tell_oldest(); -1: not looked at, like kcp-go
        self._updated = False
        self._ts_flush = 0
        self._tick_at = 0
        self._phase_ms = 0
        self.push_ms = -1  # when a data segment last came

    # -- round trips ---------------------------------------------------------------------------

    @staticmethod
    def _rtt_of(now_ms, ts):
        """Return the ms since ts, which a peer has echoed; -1: that was no time of ours."""
        rtt = (now_ms - ts) & _M30
        return -1 if rtt >= _HALF30 or ts > _M30 else rtt

    def _tell_oldest(self, now_ms):
        """Look at how long ago the oldest segment of those just acknowledged was sent.

        Round trips are measured with the newest one, as kcp-go does. The oldest has waited up to a
        tick more for its acknowledgement; a timeout that leaves that out fires too early.
        """
        slot = self.snd_una & self._tx_mask
        if self._xmit[slot] != 1 or self._tx[slot] is None:
            return
        age_ms = (now_ms - self._ts[slot]) & _M30
        if age_ms > 4 * self.rx_srtt + self.interval_ms:  # something was stalled
            return
        if age_ms >= self._peak_ms:
            self._peak_ms = age_ms
        else:
            self._peak_ms -= (self._peak_ms - age_ms + 7) >> 3

    def _sample_rtt(self, rtt):
        """Update srtt, rttvar and rto (RFC 6298 with kcp-go's weights); rtt: ms, -1 = none."""
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
        rto = max(self.rx_srtt, self._peak_ms) + max(self.interval_ms, self.rx_rttvar << 2)
        if self._peak_ms >= 0:
            rto += min(self.rx_srtt >> 2, self.interval_ms)  # what a probe of the controller adds
        self.rx_rto = min(max(self.rx_minrto, rto), _RTO_MAX)

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
        if d > _HALF30:  # (at half a round, tick() does not take it for due)
            return 0
        return d if wait < 0 or d < wait else wait

    def _probe_timer(self, now_ms):
        """While the peer's window is zero, ask for it again and again, ever more rarely."""
        if self.rmt_wnd:
            self._probe_wait = 0
            return
        wait = self._probe_wait
        if wait == 0:
            wait = _PROBE_INIT
        elif (now_ms - self._ts_probe) & _M30 < _HALF30:
            wait = min(wait + wait // 2, _PROBE_LIMIT)
            self.probe |= _ASK
        else:
            return
        self._probe_wait = wait
        self._ts_probe = (now_ms + wait) & _M30
