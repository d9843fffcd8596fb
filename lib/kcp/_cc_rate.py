"""The controller that finds out what the path carries, from the round trips alone.

Time is cut into *rounds*: one ends when what was sent last at its beginning is acknowledged, and
_N_SAMPLES round trips were measured. A round tells how many bytes the path delivered per second,
and the mean round trip. The *base* is the least mean of the last _BASE_MS.

- To begin with, the rate is half as much again as was delivered, at least a segment in _FLOOR_MS,
  at most a window per base.
- A mean that is above the base by a quarter, by _QUEUE_MS and by what the samples of a round
  differ anyway shows a standing queue. What was delivered in that round is the path's *capacity*.
  The rate stays well below it until the queue is gone, then a little below it, and a quarter above
  it every _PROBE rounds, or sooner while that goes well. If that brought no queue and more was
  delivered, the capacity is raised and tried again.
- A queue that stays although we hold back is not ours: the base was wrong, or others fill it.
- Round trips shorter than _NEAR_MS: a local network, where queues hold more than a round trip and
  the clock is too coarse. Nothing is held back.

Related: the rate estimate and its probing are those of BBR (Cardwell et al., ACM Queue 14(5)), the
queue sign is that of TCP Vegas (Brakmo, Peterson, 1995); both are simplified to a few integers.
"""

from ._compat import const
from ._pacer import per_second, percent

_M30 = const(0x3FFFFFFF)
_HALF30 = const(0x20000000)
_FLOOR_MS = const(2)
_NEAR_MS = const(8)
_QUEUE_MS = const(5)
_N_SAMPLES = const(5)
_BASE_MS = const(10000)
_MAX_PER_MS = const(1000000)
_MAX_CWND = const(1 << 20)
_NO_LIMIT = const(0x3FFFFFFF)

# a round's number within a cycle
_DRAIN = const(0)
_CRUISE = const(1)
_PROBE = const(6)
_SOONEST_PROBE = const(2)
_MAX_DRAINS = const(3)


class Rate:
    """Of one sender. Rates are payload bytes per second."""

    is_by_sn = False

    def __init__(self, arq):
        self.cwnd = _MAX_CWND
        self._floor = percent(arq.mss * 1000 // _FLOOR_MS, arq.payload_pct)
        self.rate = self._floor
        self.capacity = 0  # of the path; 0 = not known yet
        self.base_ms = -1  # round trip of the empty path; -1 = not known yet
        self._start = self._floor
        self._base_at_ms = 0
        self._phase = _CRUISE
        self._probe_at = _PROBE
        self._n_drains = 0
        self.is_near = False  # nothing is held back
        self._end_sn = -1
        self._begin(0, -1)

    def _begin(self, now_ms, snd_nxt):
        """A round begins."""
        self._end_sn = snd_nxt
        self._begin_ms = now_ms
        self._delivered_bytes = 0
        self._rtt_sum_ms = self._n_rtts = self._last_rtt_ms = self._rtt_before_ms = 0
        self._least_rtt_ms = _NO_LIMIT
        self._starved = False

    # -- hooks

    def on_sent(self, arq, now_ms, n_segs):
        if n_segs and arq.is_starved:  # this round does not show what the path carries
            self._starved = True

    def on_loss(self, arq, now_ms, n_segs):
        pass

    on_timeout = on_loss

    def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
        if not n_bytes:
            return
        self._delivered_bytes += n_bytes
        if rtt_ms >= 0:
            self._rtt_sum_ms += rtt_ms
            self._n_rtts += 1
            self._rtt_before_ms = self._last_rtt_ms
            self._last_rtt_ms = rtt_ms
            if rtt_ms < self._least_rtt_ms:
                self._least_rtt_ms = rtt_ms
            if self.base_ms < 0:
                self._set_near(rtt_ms)
        if self._end_sn < 0:
            self._begin(now_ms, arq.snd_nxt)
        elif arq.snd_una >= self._end_sn and self._n_rtts >= _N_SAMPLES:
            passed_ms = (now_ms - self._begin_ms) & _M30
            if 0 < passed_ms < _HALF30:
                self._learn(now_ms, per_second(self._delivered_bytes, passed_ms))
                self._set_rate(arq)
            self._begin(now_ms, arq.snd_nxt)

    def _learn(self, now_ms, rate):
        """A round has ended, in which the path delivered `rate`."""
        mean_ms = self._rtt_sum_ms // self._n_rtts
        self._find_base(now_ms, mean_ms)
        spread_ms = mean_ms - self._least_rtt_ms
        limit_ms = self.base_ms + max(self.base_ms // 4, _QUEUE_MS, spread_ms * 3 // 2)
        if not self.capacity:
            # two, because one may be late by itself: repaired by FEC, or sent again
            last_ms = min(self._last_rtt_ms, self._rtt_before_ms)
            self._first_look(rate, mean_ms > limit_ms, last_ms > limit_ms)
        elif mean_ms > limit_ms:
            self._queue(now_ms, rate, mean_ms)
        else:
            self._no_queue(rate)

    def _find_base(self, now_ms, mean_ms):
        if self.base_ms < 0:
            mean_ms = self._least_rtt_ms  # the first ones may have made a queue of their own
        is_old = (now_ms - self._base_at_ms) & _M30 > _BASE_MS
        if self.base_ms < 0 or mean_ms <= self.base_ms or is_old:
            self.base_ms = mean_ms
            self._base_at_ms = now_ms
            self._set_near(mean_ms)

    def _first_look(self, rate, is_queued, ends_queued):
        """Nothing is known of the capacity: go up until there is a queue, or until what is
        delivered does not follow and a queue is about to stand."""
        if self._starved:
            return
        if is_queued or (ends_queued and rate < percent(self.rate, 80)):
            self.capacity = rate
            self._phase, self._n_drains = _DRAIN, 0
        else:
            self._start = max(self._start, percent(rate, 150))

    def _queue(self, now_ms, rate, mean_ms):
        if self._phase != _DRAIN:
            if not self._starved:
                self.capacity = max(rate, percent(self.capacity, 75))
            self._phase, self._n_drains = _DRAIN, 0
            self._probe_at = _PROBE
            return
        self.capacity = max(rate, self.capacity)
        self._n_drains += 1
        if self._n_drains == _MAX_DRAINS:
            self.base_ms, self._base_at_ms = mean_ms, now_ms
            self._phase = self._probe_at

    def _no_queue(self, rate):
        has_grown = rate > percent(self.capacity, 110)
        if not self._starved:
            self.capacity = max(rate, self.capacity)
        if self._phase < self._probe_at:
            self._phase += 1
        elif not has_grown:
            self._phase = _CRUISE
            self._probe_at = max(self._probe_at // 2, _SOONEST_PROBE)

    def _set_near(self, rtt_ms):
        self.is_near = rtt_ms < _NEAR_MS
        if self.is_near:
            self.rate = 0

    def _set_rate(self, arq):
        if self.is_near:
            return
        window_bytes = min(arq.snd_wnd, arq.rmt_wnd) * arq.mss
        per_ms = min(window_bytes // max(self.base_ms, 1), _MAX_PER_MS)
        rate = max(percent(per_ms * 1000, arq.payload_pct), self._floor)
        if self.capacity:
            pct = 80 if self._phase == _DRAIN else 125 if self._phase >= self._probe_at else 97
            rate = min(rate, percent(self.capacity, pct))
        else:
            rate = min(rate, self._start)
        self.rate = max(rate, arq.mss)  # a segment per second, whatever was seen
