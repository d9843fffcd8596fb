"""A token bucket: how many bytes may leave, at so many per second. Sans-IO, integers only."""

from ._compat import const

_M30 = const(0x3FFFFFFF)
_MAX_DATAGRAM = const(1500)
_MAX_WAIT_MS = const(0x10000000)  # three days: half of what the clock can tell


class Bucket:
    """Begins full. A datagram may leave as soon as a byte is in it, and what it is longer by is
    owed: so any time t sees at most depth + rate * t bytes and one datagram.

    rate: bytes per second, 1 to 2**30 - 1; depth: bytes.
    """

    def __init__(self, rate: int, depth: int):
        self.bytes = depth
        self._thousandths = 0  # of a byte, on top of `bytes`
        self._at_ms = -1
        self.set(rate, depth)

    def set(self, rate: int, depth: int):
        """Go on with another rate and depth; what is in it stays, even above the depth."""
        self._rate = rate
        self._per_ms, self._rest = rate // 1000, rate % 1000
        self._depth = depth
        self._fill_ms = (depth + _MAX_DATAGRAM) * 1000 // rate + 1

    def fill(self, now_ms: int):
        """Put in what the time since the last call brings."""
        passed_ms = (now_ms - self._at_ms) & _M30
        if self._at_ms < 0:
            self._at_ms = now_ms
        elif passed_ms:
            self._at_ms = now_ms
            self._pour(passed_ms)

    def wait_ms(self, now_ms: int) -> int:
        """Return the ms until a datagram may leave; 0 = now."""
        self.fill(now_ms)
        if self.bytes > 0:
            return 0
        missing = (1 - self.bytes) * 1000 - self._thousandths
        return min((missing + self._rate - 1) // self._rate, _MAX_WAIT_MS)

    def _pour(self, passed_ms):
        """Fill the bucket with what has come together since the last time."""
        if self.bytes >= self._depth:
            return
        n = self._depth
        if passed_ms < self._fill_ms:  # which also keeps the products below 2**30
            fine = passed_ms * self._rest + self._thousandths
            n = self.bytes + passed_ms * self._per_ms + fine // 1000
            self._thousandths = fine % 1000
        if n >= self._depth:
            n = self._depth
            self._thousandths = 0
        self.bytes = n

    def take(self, n: int):
        """n bytes have left."""
        self.bytes -= n
