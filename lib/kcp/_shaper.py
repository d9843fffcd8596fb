"""What stands between a session and the wire when rate_limit or dup is set; sans-IO.

`shape(session)` puts a Shaper's output() and timeout() in front of the session's own, and takes
them away when neither is set any more: a session without them pays nothing.

rate_limit: a token bucket in bytes over whole datagrams, heads and parity and copies included, as
kcp-go's SetRateLimit. It begins full. A datagram may leave as soon as a byte is in it, and what it
is longer by is owed: so any time t sees at most bucket + rate * t bytes and one datagram. The
bucket holds 64 datagrams of 1500 bytes, as kcp-go's, and never less than passes in _MIN_FILL_MS:
a clock of whole milliseconds could not reach high rates else. Nothing sleeps here: output() has
nothing, and timeout() says until when.

dup: every data and out-of-band datagram leaves 1 + dup times, sealed once, before the parity that
may follow it, as kcp-go's SetDUP (which is for testing).
"""

from ._bucket import Bucket
from ._compat import const
from ._kernels import rx_take

_MAX_DATAGRAM = const(1500)
_BUCKET_BYTES = const(96000)  # 64 x 1500
_MIN_FILL_MS = const(4)
_LOOK_MS = const(1000)  # how long a dead peer or an ended linger may go unnoticed while waiting
_CLOSED = const(2)  # session.CLOSED


def limit_bucket(rate: int) -> Bucket:
    """Return the bucket of a rate_limit (bytes per second)."""
    return Bucket(rate, max(_BUCKET_BYTES, rate // 1000 * _MIN_FILL_MS))


class Shaper:
    """Stands in front of one session: its output() and timeout()."""

    def __init__(self, session):
        self._session = session
        self._output, self._timeout = session.output, session.timeout
        self._bucket = None
        self._rate = 0
        self._dup = 0
        self._copy = None  # the datagram that leaves again, and
        self._copy_n = 0  # its bytes, and
        self._n_copies = 0  # how many more times

    def set(self, rate: int, dup: int):
        """Take new settings; a rate that has changed begins with a full bucket."""
        if rate != self._rate:
            self._rate = rate
            self._bucket = limit_bucket(rate) if rate else None
        self._dup = dup
        if dup and self._copy is None:
            self._copy = bytearray(_MAX_DATAGRAM)
        if not dup:
            self._n_copies = 0

    def output(self, buf, now_ms) -> int:
        """Session.output(), as far as the rate allows, and copies."""
        session = self._session
        bucket = self._bucket
        if bucket is not None and bucket.wait_ms(now_ms):
            session.held_back(now_ms)
            return 0
        if self._n_copies:
            n = self._again(buf)
        else:
            n_parity = session.n_parity
            n = self._output(buf, now_ms)
            if n and self._dup and session.n_parity >= n_parity:
                rx_take(buf, 0, self._copy, 0, n)
                self._copy_n = n
                self._n_copies = self._dup
        if bucket is not None:
            bucket.take(n)
        return n

    def _again(self, buf):
        session = self._session
        if session.state == _CLOSED:
            self._n_copies = 0
            return 0
        self._n_copies -= 1
        n = self._copy_n
        rx_take(self._copy, 0, buf, 0, n)
        session.stats.OutPkts += 1
        session.stats.OutBytes += n
        return n

    def timeout(self, now_ms) -> int:
        """Session.timeout(), and never before the rate allows a datagram."""
        wait = self._timeout(now_ms)
        if self._n_copies and wait >= 0:
            wait = 0
        if wait == 0 and self._bucket is not None:
            wait = min(self._bucket.wait_ms(now_ms), _LOOK_MS)
        return wait


def shape(session):
    """Have the session keep to its config's rate_limit and dup."""
    config = session.config
    shaper = session.shaper
    if shaper is not None:
        shaper.set(config.rate_limit, config.dup)
    if (shaper is not None) == bool(config.rate_limit or config.dup):
        return
    if shaper is None:
        session.shaper = shaper = Shaper(session)
        shaper.set(config.rate_limit, config.dup)
        session.output, session.timeout = shaper.output, shaper.timeout
    else:
        session.shaper = None
        del session.output
        del session.timeout
