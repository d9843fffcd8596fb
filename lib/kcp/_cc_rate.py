"""The controller "rate": finds out what the path carries, from acknowledgements and round trips.

Time is cut into *rounds*: one ends when something that was sent after its beginning is
acknowledged, and _N_SAMPLES round trips were measured. A round tells how many bytes the path
delivered per second, the mean round trip, and which part of the segments was lost. The *base* is
the least mean of the last _BASE_MS, or for a while longer.

- To begin with, the rate is twice what was delivered, at least a segment in _FLOOR_MS, at most a
  window per base.
- A mean that is above the base by a quarter, by _QUEUE_MS and by what the samples of a round
  differ anyway shows a standing queue. What was delivered in that round is the path's *capacity*.
  The rate stays well below it until the queue is gone, then a little below it, and for one round
  in _PROBE a quarter above it. What that brought shows a round later: if more was delivered, the
  next probe comes sooner.
- A queue that stays although we send less than is delivered is not ours: the path is *shared* with
  somebody who fills it. To go on giving way would be to get nothing, so the queue is no sign then.
- Losses while something is queued, beyond what is lost anyway (*ambient*, learned most of all
  while nothing is queued), mean that the queue has run over. Whoever did it, we give way by _CUT,
  and probe later and with less, so that TCP finds room: it needs seconds where we need rounds.
  If the least round trip of the round is near the base, it was not a queue but jitter.
- Losses without a queue are the path's own and change nothing.
- No more is under way than fits in two round trips at that capacity: if the path gets slower of a
  sudden, or falls silent, the damage is bounded, however large the window is.
- Round trips shorter than _NEAR_MS: a local network, where queues hold more than a round trip and
  the clock is too coarse for a rate. There is a window only, as TCP's: doubled in every round
  until a queue has run over; then a little less than what was delivered, and it grows slowly.

Related: the rate estimate, its probing and the limit on what is under way are those of BBR
(Cardwell et al., ACM Queue 14(5)), the queue sign is that of TCP Vegas (Brakmo, Peterson, 1995),
the change of behaviour beside others is Copa's idea (Arun, Balakrishnan, NSDI 2018); all are
simplified to a few integers.
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
_MORE_SEGS = const(8)
_NEAR_SEGS = const(64)
_TOGETHER_SEGS = const(2)
_CALM_MS = const(4)
_OVERFLOW = const(20)  # thousandths lost
_FINE = const(256)
_MAX_SEGS = const(100000)
_MAX_RTT_MS = const(0xFFFFF)  # 17 minutes: more was not measured, but forged
_MAX_RTTS = const(1024)  # of a round: their sum stays below 2**30
_NO_LIMIT = const(0x3FFFFFFF)

# a round's number within a cycle
_DRAIN = const(0)
_CRUISE = const(1)
_PROBE = const(6)
_SOONEST_PROBE = const(2)
_MAX_PROBE = const(60)
_MAX_DRAINS = const(3)
_GIVE_WAY_MS = const(2000)

# per cent of the capacity
_DRAIN_PCT = const(80)
_CRUISE_PCT = const(97)
_PROBE_PCT = const(125)
_GENTLE_PCT = const(112)  # a probe beside others
_CUT = const(85)  # after an overflow
_MOST_CUT = const(60)


class Rate:
    """Of one sender. Rates are payload bytes per second."""

    is_by_sn = False

    def __init__(self, arq):
        self.cwnd = _MAX_CWND
        self._floor = percent(arq.mss * 1000 // _FLOOR_MS, arq.payload_pct)
        self.rate = self._floor
        self.capacity = 0  # of the path; 0 = not known yet
        self.base_ms = -1  # round trip of the empty path; -1 = not known yet
        self.is_shared = False  # others keep a queue filled
        self._next_base_ms = _NO_LIMIT  # the same, since _base_at_ms
        self._base_at_ms = 0
        self._spread_ms = 0  # by how much the least round trip of a round is below its mean
        self._ambient = 0  # thousandths lost anyway, times _FINE
        self._start = self._floor
        self._phase = _CRUISE
        self._probe_at = _PROBE
        self._before = 0  # the capacity when a probe began
        self._is_gentle = False  # probe with less
        self._n_drains = 0
        self.is_near = False  # no rate, and
        self._is_opening = True  # the window is doubled
        self._begin(0)
        self._is_begun = False

    def _begin(self, now_ms):
        """A round begins."""
        self._is_begun = True
        self._begin_ms = now_ms
        self._delivered_bytes = self._n_lost = 0
        self._rtt_sum_ms = self._n_rtts = self._last_rtt_ms = self._rtt_before_ms = 0
        self._least_rtt_ms = _NO_LIMIT
        self._starved = False
        self._is_full = False  # the window held us back: the path may carry more than this

    # -- hooks

    def on_sent(self, arq, now_ms, n_segs):
        if n_segs and arq.is_starved:  # this round does not show what the path carries
            self._starved = True
        if arq.snd_nxt - arq.snd_una >= arq.window:
            self._is_full = True

    def on_loss(self, arq, now_ms, n_segs):
        self._n_lost += n_segs

    def on_timeout(self, arq, now_ms, n_segs):
        self._n_lost += n_segs

    def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
        if not n_bytes:
            return
        self._delivered_bytes = min(self._delivered_bytes + n_bytes, _NO_LIMIT)
        if rtt_ms > _MAX_RTT_MS:
            rtt_ms = -1
        if rtt_ms >= 0:
            self._note(rtt_ms)
        if not self._is_begun:
            self._begin(now_ms)
        elif rtt_ms >= 0 and self._n_rtts >= _N_SAMPLES:
            passed_ms = (now_ms - self._begin_ms) & _M30
            if passed_ms >= _HALF30:  # idle for days
                self._begin(now_ms)
            elif max(rtt_ms, arq.rx_srtt, 1) <= passed_ms:
                self._learn(now_ms, arq, per_second(self._delivered_bytes, passed_ms))
                self._set_rate(arq)
                self._begin(now_ms)

    # -- rounds

    def _note(self, rtt_ms):
        if self._n_rtts < _MAX_RTTS:
            self._rtt_sum_ms += rtt_ms
            self._n_rtts += 1
        self._rtt_before_ms = self._last_rtt_ms
        self._last_rtt_ms = rtt_ms
        if rtt_ms < self._least_rtt_ms:
            self._least_rtt_ms = rtt_ms
        if self.base_ms < 0:
            self._set_near(rtt_ms)

    def _learn(self, now_ms, arq, rate):
        """A round has ended, in which the path delivered `rate`."""
        mean_ms = self._rtt_sum_ms // self._n_rtts
        self._find_base(now_ms, mean_ms)
        self._spread_ms = max(mean_ms - self._least_rtt_ms, self._spread_ms * 7 // 8)
        limit_ms = self._queue_limit(arq.mss)
        is_queued, is_overflow = mean_ms > limit_ms, False
        if self._has_overflowed(mean_ms, arq.mss):
            is_queued = is_overflow = True
        if self.is_near:
            self._fit_near(arq, is_overflow)
        if not is_queued:
            self.is_shared = False
        if not self.capacity:
            # two, because one may be late by itself: repaired by FEC, or sent again
            last_ms = min(self._last_rtt_ms, self._rtt_before_ms)
            self._first_look(rate, is_queued, last_ms > limit_ms)
        elif not is_queued or (self.is_shared and not is_overflow):
            self._go_on(rate)
        elif is_overflow:
            self._overflow(rate, (now_ms - self._begin_ms) & _M30)
        else:
            self._queue(rate)

    def _queue_limit(self, mss):
        """Return the mean round trip above which there is a standing queue."""
        limit_ms = self.base_ms + max(self.base_ms // 4, _QUEUE_MS, self._spread_ms * 3 // 2)
        if self.capacity:  # segments that leave together wait for each other
            limit_ms += _TOGETHER_SEGS * mss * 1000 // self.capacity
        return limit_ms

    def _has_overflowed(self, mean_ms, mss):
        """Was more lost in this round than is lost anyway? Learn what is lost anyway, most of all
        while nothing is queued."""
        n_lost = min(self._n_lost, _MAX_SEGS)
        n_segs = min(self._delivered_bytes // mss, _MAX_SEGS) + n_lost + 1
        lost, usual = n_lost * 1000 // n_segs, self._ambient // _FINE
        little_ms = max(self.base_ms // 8, _CALM_MS)
        is_calm = mean_ms <= self.base_ms + max(little_ms, self._spread_ms)
        least_ms = self.base_ms + max(little_ms, self._spread_ms // 2)
        if not self.is_near and self._least_rtt_ms <= least_ms:
            is_calm = True  # it was empty at times: no queue that runs over, but jitter
        part = 16 if is_calm else 64
        self._ambient += lost * _FINE // part - self._ambient // part
        return not is_calm and lost > 3 * usual + _OVERFLOW

    def _find_base(self, now_ms, mean_ms):
        if self.base_ms < 0:
            mean_ms = self._least_rtt_ms  # the first ones may have made a queue of their own
            self._base_at_ms = now_ms
            self.base_ms = mean_ms
            self._set_near(mean_ms)
        self._next_base_ms = min(self._next_base_ms, mean_ms)
        is_old = (now_ms - self._base_at_ms) & _M30 > _BASE_MS
        if mean_ms <= self.base_ms or is_old:
            self.base_ms = min(self._next_base_ms, mean_ms)
            self._base_at_ms = now_ms
            self._next_base_ms = mean_ms
            self._set_near(self.base_ms)

    def _first_look(self, rate, is_queued, ends_queued):
        """Nothing is known of the capacity: go up until there is a queue, or until what is
        delivered does not follow and a queue is about to stand."""
        if self._starved:
            return
        if is_queued or (ends_queued and rate < percent(self.rate, 80)):
            self.capacity = rate
            if self._start > self._floor:  # not much below the most that was delivered
                self.capacity = max(rate, percent(self._start, 40))
            self._phase, self._n_drains = _DRAIN, 0
        else:
            self._start = max(self._start, percent(rate, 200))

    def _queue(self, rate):
        """There is a queue, which may be ours."""
        if self._phase != _DRAIN:
            self._lower(rate, 100, 75)
            self._phase, self._n_drains = _DRAIN, 0
            self._probe_at = _PROBE
        elif rate < percent(self.rate, 80) and not self._starved:
            # it is: the path carries less than we send even now
            self._lower(rate, 100, 75)
            self._n_drains = 0
        else:
            self._n_drains += 1
            if self._n_drains == _MAX_DRAINS:
                self.is_shared = True
                self._phase = _CRUISE

    def _overflow(self, rate, round_ms):
        """The queue has run over: whoever did it, give way, and leave the others time to grow."""
        if self._phase == _DRAIN:
            self._queue(rate)
            return
        if self._is_gentle and self._phase == _CRUISE:
            self._phase += 1  # that was before we gave way
            return
        self._lower(min(rate, self.capacity), _CUT, _MOST_CUT)
        self._is_gentle = True
        self._probe_at = min(max(_GIVE_WAY_MS // round_ms, _PROBE), _MAX_PROBE)
        self._phase = _CRUISE if self.is_shared else _DRAIN
        self._n_drains = 0

    def _lower(self, rate, pct, least_pct):
        """Set the capacity to pct % of what was delivered, or least_pct % of itself if more."""
        if not self._starved and not self._is_full:
            self.capacity = max(percent(rate, pct), percent(self.capacity, least_pct))

    def _go_on(self, rate):
        """There is no queue, or none that we can help."""
        # (just after an overflow comes what was sent before we gave way)
        if not self._starved and (self._phase > _CRUISE or not self._is_gentle):
            self.capacity = max(rate, self.capacity)
        self._phase += 1
        if self._phase == self._probe_at:
            self._before = self.capacity
        elif self._phase > self._probe_at + 1:  # what the probe has brought came a round later
            if self.capacity > percent(self._before, 105):
                self._probe_at = _SOONEST_PROBE
                self._is_gentle = False
            else:
                self._probe_at = _PROBE
            self._phase = _CRUISE

    def _set_near(self, rtt_ms):
        was_near, self.is_near = self.is_near, rtt_ms < _NEAR_MS
        if self.is_near and not was_near:
            self.rate, self.cwnd = 0, _NEAR_SEGS
            self._is_opening = True

    def _fit_near(self, arq, is_overflow):
        """The window towards a near peer, after a round."""
        if is_overflow:
            n_segs = min(self.cwnd, self._delivered_bytes // arq.mss)
            self.cwnd = max(n_segs * _CUT // 100, _NEAR_SEGS)
            self._is_opening = False
        elif self.cwnd < min(arq.snd_wnd, arq.rmt_wnd):
            self.cwnd += self.cwnd if self._is_opening else 1

    def _set_rate(self, arq):
        if self.is_near:
            return
        window_bytes = min(arq.snd_wnd, arq.rmt_wnd) * arq.mss
        per_ms = min(window_bytes // max(self.base_ms, 1), _MAX_PER_MS)
        rate = max(percent(per_ms * 1000, arq.payload_pct), self._floor)
        if self.capacity:
            rate = min(rate, percent(self.capacity, self._pct()))
            most = self.capacity
        else:
            rate = min(rate, self._start)
            most = self._start
        self.rate = max(rate, arq.mss)  # a segment per second, whatever was seen
        self._set_cwnd(arq, most)

    def _pct(self):
        if self._phase == _DRAIN:
            return _DRAIN_PCT
        if self._phase == self._probe_at:
            return _GENTLE_PCT if self._is_gentle else _PROBE_PCT
        return _CRUISE_PCT

    def _set_cwnd(self, arq, most):
        """Two round trips at the rate `most`."""
        trips_ms = 2 * self.base_ms
        if self.is_shared:  # their queue has to be filled with ours
            trips_ms = self.base_ms + max(arq.rx_srtt, self.base_ms)
        per_ms = most // 1000
        trips_ms = min(trips_ms, _M30 // (per_ms + 1))  # a product below 2**30
        self.cwnd = per_ms * trips_ms // arq.mss + _MORE_SEGS
