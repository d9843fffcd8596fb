"""Deadlines of a stream's reads and writes, as kcp-go's SetReadDeadline and SetWriteDeadline.

A deadline is a moment, not a span: it ends every wait from then on, until another one is set.
It cannot lose bytes, because it ends the waiting inside of read(), which then has taken nothing.
asyncio.wait_for() is not as careful on MicroPython: there it runs read() as a task, and if that
ends at the very moment at which the time is up, the bytes that it has returned are lost.
"""

from ._clock import ticks_diff, ticks_ms
from ._compat import const
from ._port import TimeoutError

_TICKS_MASK = const(0x3FFFFFFF)
_MAX_MS = const(0x1FFFFFFF)
_PASSED = const(-1)


def moment(n_ms):
    """Return the `ticks_ms` value n_ms from now; None for None. ValueError beyond six days."""
    if n_ms is None:
        return None
    if not isinstance(n_ms, int) or not 0 <= n_ms < _MAX_MS:
        raise ValueError("a deadline is 0..%d ms from now, or None" % (_MAX_MS - 1))
    return (ticks_ms() + n_ms) & _TICKS_MASK


class Deadlines:
    """The two deadlines of one stream: `ticks_ms` values, None or _PASSED."""

    def __init__(self, stream):
        self._stream = stream
        self.read_ms = self.write_ms = None

    def look(self, now_ms):
        """See what has passed, wake who waited for it, and say when to look again."""
        stream = self._stream
        read_ms, write_ms = self.read_ms, self.write_ms
        if _has_passed(read_ms, now_ms):
            self.read_ms = read_ms = _PASSED
            stream._reader.wake()
        if _has_passed(write_ms, now_ms):
            self.write_ms = write_ms = _PASSED
            stream._writer.wake()
        stream.deadline_ms = _sooner(read_ms, write_ms)

    def check_read(self):
        """Raise TimeoutError if reads have to wait no longer."""
        if self.read_ms == _PASSED:
            raise TimeoutError("the read deadline has passed")

    def check_write(self):
        """The same for writes."""
        if self.write_ms == _PASSED:
            raise TimeoutError("the write deadline has passed")


def _sooner(one_ms, other_ms):
    """Return the deadline that comes first, None if there is none to come."""
    if one_ms is None or one_ms == _PASSED:
        return None if other_ms == _PASSED else other_ms
    if other_ms is None or other_ms == _PASSED or ticks_diff(one_ms, other_ms) < 0:
        return one_ms
    return other_ms


def _has_passed(at_ms, now_ms):
    return at_ms is not None and at_ms != _PASSED and ticks_diff(at_ms, now_ms) <= 0


def set_deadlines(stream, reads, writes, n_ms):
    """Set the deadline of the stream's reads, of its writes, or both, n_ms from now."""
    at_ms = moment(n_ms)
    if stream.is_closing():
        return
    deadlines = stream._deadlines
    if deadlines is None:
        deadlines = stream._deadlines = Deadlines(stream)
    if reads:
        deadlines.read_ms = at_ms
    if writes:
        deadlines.write_ms = at_ms
    deadlines.look(ticks_ms())
    stream.endpoint.kick(stream)
