"""kcp-go's congestion window (nc=0), exactly: slow start, then additive; 1 after a timeout.

It counts from snd_una on, so what was acknowledged out of order still takes up room (`is_by_sn`).
Where it is paced, which kcp-go does not do, the window is spread over the round trip: in slow
start twice as fast, so that it can grow, and later a quarter faster.
"""

from ._compat import const
from ._pacer import per_second, percent

_THRESH_INIT = const(2)
_THRESH_MIN = const(2)
_NEAR_MS = const(8)


class Kcp:
    """Of one sender. cwnd: segments; incr: the same in bytes, with its fraction; ssthresh:
    segments from which on growth is additive."""

    is_by_sn = True

    def __init__(self, arq):
        self.cwnd = 0  # kcp-go's first flush sends nothing
        self.incr = 0
        self.ssthresh = _THRESH_INIT
        self.rate = 0
        self.resume(arq)

    def resume(self, arq):
        """(It is switched on.)"""
        self._una = arq.snd_una

    def on_sent(self, arq, now_ms, n_segs):
        if self.cwnd < 1:
            self.cwnd = 1
            self.incr = arq.mss

    def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
        if arq.snd_una != self._una:
            self._una = arq.snd_una
            if self.cwnd < arq.rmt_wnd:
                self._open(arq.mss, arq.rmt_wnd)
        self._pace(arq)

    def on_loss(self, arq, now_ms, n_segs):
        self.ssthresh = max((arq.snd_nxt - arq.snd_una) // 2, _THRESH_MIN)
        # kcp-go adds 2**32 - 1 when fast resend is off
        self.cwnd = self.ssthresh + (arq.resend or -1)
        self.incr = self.cwnd * arq.mss

    def on_timeout(self, arq, now_ms, n_segs):
        self.ssthresh = max(arq.window // 2, _THRESH_MIN)
        self.cwnd = 0  # 1, when the pass is over

    def _open(self, mss, rmt_wnd):
        if self.cwnd < self.ssthresh:
            self.cwnd += 1
            self.incr += mss
        else:
            self.incr = max(self.incr, mss)
            self.incr += mss * mss // self.incr + mss // 16
            if (self.cwnd + 1) * mss <= self.incr:
                self.cwnd = (self.incr + mss - 1) // mss
        if self.cwnd > rmt_wnd:
            self.cwnd = rmt_wnd
            self.incr = rmt_wnd * mss

    def _pace(self, arq):
        if arq.rx_srtt < _NEAR_MS:
            self.rate = 0
            return
        window = max(min(self.cwnd, arq.snd_wnd), 2)
        pct = 200 if self.cwnd < self.ssthresh else 125
        self.rate = percent(per_second(window * arq.mss, arq.rx_srtt), pct)
