"""What carries datagrams when it is not UDP: the protocol of such an object, and one in memory.

`open_connection`, `start_server`, `blocking.connect` and `blocking.listen` take `carrier=`: any
object that has what `Carrier` has (it need not be derived from it):

    mtu                     bytes of the largest datagram; sessions take it as their mtu
    send(buf, n, key)       send buf[0:n] to `key` (None: there is only one peer). > 0: sent, or
                            lost where nobody can tell; 0: no room now, the same comes again;
                            < 0: refused, counted as a loss. Must neither wait nor keep buf
    recv_into(buf) -> n     put the next datagram into buf (1500 bytes or more); 0: none is here
    key                     who sent what recv_into returned last (hashable); None: the only peer
    poll_on                 what select() or poll() can wait on for reading; None: nothing
    poll_ms                 look with recv_into() every so many ms; 0: never, on_ready() tells
    retry_ms                after send() returned 0: how soon to try again, unless on_ready() comes
    on_ready                None, or a function of the library's: to be called when something has
                            come or there is room again; on CPython from any thread

A carrier belongs to the caller: it carries one session or one server at a time, and is not closed
with them. Nothing that comes out of it can raise: it is dropped and counted, by the carrier or by
the session. What the methods themselves raise is a loss; the first exception is reported, as the
event loop reports those of tasks (CPython's blocking API lets it out).
"""

import io
import select

from ._compat import MICROPYTHON

if MICROPYTHON:
    _scratch = io.BytesIO(1500)

    def copy(dst, src, n: int):
        """dst[:n] = src[:n], without a slice: that would allocate."""
        _scratch.seek(0)
        _scratch.write(src, n)
        _scratch.seek(0)
        _scratch.readinto(dst, n)

else:

    def copy(dst, src, n: int):
        """dst[:n] = src[:n]."""
        dst[:n] = memoryview(src)[:n]


def pollable(stream):
    """Return the stream if select.poll can wait for it, else None."""
    try:
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        poll.unregister(stream)
    except (AttributeError, TypeError, ValueError, OSError):
        return None
    return stream


class Carrier:
    """The defaults of a carrier: one peer, no way to wait, looked at every 5 ms."""

    mtu = 1350
    key = None
    poll_on = None
    poll_ms = 5
    retry_ms = 5
    on_ready = None

    def send(self, buf, n: int, key=None) -> int:
        """Send buf[0:n] (see the module's text)."""
        raise NotImplementedError("a carrier needs send(buf, n, key)")

    def recv_into(self, buf) -> int:
        """Return the length of the next datagram, put into buf (see the module's text)."""
        raise NotImplementedError("a carrier needs recv_into(buf)")


def memory_pair(mtu: int = 1350, limit: int = 32) -> tuple:
    """Return two carriers of which each gets what the other sends, in order and without loss.

    limit: datagrams that wait in each direction before send() says that it is full; the memory for
    them, limit * mtu bytes at most, is taken when it is first used. Both ends may be in one event
    loop, or on CPython in different threads.
    """
    if limit < 1 or not 1 <= mtu <= 1500:
        raise ValueError("limit must be at least 1, and mtu 1..1500 bytes")
    there, back = _Ring(mtu, limit), _Ring(mtu, limit)
    a, b = MemoryCarrier(there, back), MemoryCarrier(back, there)
    a.peer, b.peer = b, a
    return a, b


class _Ring:
    """Datagrams on their way. One puts, one takes: no lock is needed."""

    def __init__(self, mtu, limit):
        self.mtu = mtu
        self.slots = [None] * limit
        self.sizes = [0] * limit
        self.put_at = self.take_at = 0
        self.n_put = self.n_taken = 0

    def put(self, buf, n):
        i = self.put_at
        slot = self.slots[i]
        if slot is None:
            slot = self.slots[i] = bytearray(self.mtu)
        copy(slot, buf, n)
        self.sizes[i] = n
        self.put_at = i + 1 if i + 1 < len(self.slots) else 0
        self.n_put = self.n_put + 1 & 0xFFFFFF

    @property
    def n_waiting(self):
        return self.n_put - self.n_taken & 0xFFFFFF

    def take(self, buf):
        i = self.take_at
        n = self.sizes[i]
        copy(buf, self.slots[i], n)
        self.take_at = i + 1 if i + 1 < len(self.slots) else 0
        self.n_taken = self.n_taken + 1 & 0xFFFFFF
        return n


class MemoryCarrier(Carrier):
    """One end of a `memory_pair`. n_too_long: datagrams refused because they exceed the mtu."""

    poll_ms = 0

    def __init__(self, out, into):
        self.mtu = out.mtu
        self.n_too_long = 0
        self.peer = None
        self._out = out
        self._in = into

    def send(self, buf, n, key=None):
        """Put buf[0:n] into the ring; 0: it is full."""
        ring = self._out
        if n > self.mtu:
            self.n_too_long += 1
            return -1
        if ring.n_waiting == len(ring.slots):
            return 0
        ring.put(buf, n)
        if self.peer.on_ready is not None:
            self.peer.on_ready()
        return n

    def recv_into(self, buf):
        """Take the oldest datagram."""
        ring = self._in
        n_waiting = ring.n_waiting
        if not n_waiting:
            return 0
        n = ring.take(buf)
        if n_waiting == len(ring.slots) and self.peer.on_ready is not None:
            self.peer.on_ready()  # there is room again
        return n
