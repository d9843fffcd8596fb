"""Pacing: spreads segments out at the rate that the congestion controller gives. Sans-IO.

KCP sends a window at once. A queue on the way that is shorter than the window overflows, and a
long one makes round trips longer than the timeouts that were learned on an empty path: both end in
retransmissions that take the place of data. Here new segments wait until the rate lets them leave.
Retransmissions are not held up, but they count. The peer sees nothing of this.

Which rate, is the controller's matter (`cc`); a rate of 0 holds nothing back.
"""

from ._bucket import Bucket
from ._compat import const

_FIRST_SEGS = const(16)  # what may leave at once while nothing is known of the path
_BURST_SEGS = const(4)  # ... and later
_BURST_MS = const(4)
_NO_LIMIT = const(0x3FFFFFFF)
_MAX_RATE = const(0x3FFFFFFF)
_MOST_OWED = const(0x0FFFFFFF)


def percent(rate, pct):
    """Return pct % of a rate, at most 2**30 - 1 (and up to 2**29 without more on the way)."""
    return min(rate // 100 * pct + rate % 100 * pct // 100, _MAX_RATE)


def per_second(n_bytes, ms):
    """Return n_bytes in ms as bytes per second, likewise."""
    return min(n_bytes // ms * 1000 + n_bytes % ms * 1000 // ms, _MAX_RATE)


class Pacer:
    """Of one sender. mss: payload bytes of a full segment; rate: payload bytes per second."""

    def __init__(self, mss: int, rate: int):
        self.mss = mss
        self.rate = 0
        self._bucket = Bucket(rate or mss, _FIRST_SEGS * mss)
        self.set_rate(rate)

    def set_rate(self, rate: int):
        """Go on at another rate; 0 = nothing is held back."""
        if rate == self.rate:
            return
        if rate and self.rate:
            depth = max(_BURST_SEGS * self.mss, rate // 1000 * _BURST_MS)
            self._bucket.set(rate, depth)
        elif rate:  # the first one
            self._bucket.set(rate, _FIRST_SEGS * self.mss)
        self.rate = rate

    def room_bytes(self, now_ms: int) -> int:
        """Return the bytes that may leave now; 0 or less = none."""
        if not self.rate:
            return _NO_LIMIT
        self._bucket.fill(now_ms)
        return self._bucket.bytes

    def wait_ms(self, now_ms: int) -> int:
        """Return the ms until something may leave; 0 = now."""
        return self._bucket.wait_ms(now_ms) if self.rate else 0

    def take(self, n_bytes: int):
        """So much payload leaves. (What is owed has a limit, or it would grow for as long as
        segments are sent again to a silent peer.)"""
        if self.rate:
            self._bucket.bytes = max(self._bucket.bytes - n_bytes, -_MOST_OWED)
