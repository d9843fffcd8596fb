"""A client's session goes on from another socket: `rebind` of `Stream` and of `Socket`."""

from ._clock import ticks_diff, ticks_ms
from ._ending import EPIPE
from ._opening import SOCKBUF, check_ms, set_up
from .session import CLOSED

_FIRST_MS = 50  # to the second question; then twice as long each time


def check(link):
    """Raise ValueError if this session has no socket of its own, OSError if it is over."""
    if link.endpoint.listener is not None:
        raise ValueError("rebind() is for clients: a server's sessions follow them (roaming=True)")
    if link.endpoint.port.peer is None:
        raise ValueError("a session on sock= or carrier= cannot be re-bound: its owner is you")
    failure = link.session.failure()
    if failure is not None:
        raise failure
    if link.is_gone:
        raise OSError(EPIPE, "the session is closed")


def use(link, sock, address):
    """Go on with this socket, which is connected to the peer's address. If it will not do, or the
    session is over meanwhile, close it and raise."""
    endpoint = link.endpoint
    try:
        check(link)
        set_up(sock, link.session.config)
        endpoint.port.change(sock, address)
    except BaseException:
        sock.close()
        raise
    if endpoint.is_full:
        endpoint.unblocked()
    link.session.resume(ticks_ms())


class Search:
    """Asks the peer until it is sure that it has found this side at the new address.

    That it is heard of does not say so: a server asks first who is there (`_roaming`), by a data
    segment that counts as a repeated one. Anything else does.
    """

    def __init__(self, link, limit_ms):
        self._link = link
        self._limit_ms = limit_ms
        self._begin_ms = ticks_ms()
        self._wait_ms = _FIRST_MS
        self._n_before = self._n_other()

    def _n_other(self):
        stats = self._link.session.stats
        return stats.InSegs - stats.RepeatSegs

    @property
    def is_found(self) -> bool:
        """Is it sure?"""
        return self._n_other() != self._n_before

    def ask(self) -> int:
        """Ask, and return for how many ms to wait for an answer; 0: it is over."""
        session = self._link.session
        left_ms = self._limit_ms - ticks_diff(ticks_ms(), self._begin_ms)
        if not session.heard:
            self._wait_ms *= 2
        session.heard = False
        session.probe()  # goes out with the answer to a question that has come
        self._link.endpoint.kick(self._link)
        if session.state == CLOSED:
            return 0
        return max(min(self._wait_ms, left_ms), 0)


class _Ear:
    """In the place of `Stream.heard` while rebind() listens: who did before hears as well."""

    def __init__(self, waiter, before):
        self.waiter = waiter
        self.before = before

    def wake(self):
        self.waiter.wake()
        if self.before is not None:
            self.before.wake()


async def of_stream(stream, host, port, local, probe_ms):
    """See `Stream.rebind`."""
    from ._port import Waiter, reopened

    check(stream)
    check_ms("probe_ms", probe_ms)
    if isinstance(stream.heard, _Ear):
        raise RuntimeError("another task is re-binding this stream already")
    ear = stream.heard = _Ear(Waiter(), stream.heard)
    try:
        use(stream, *await reopened(stream.endpoint.port, host, port, local, SOCKBUF))
        search = Search(stream, probe_ms)
        while not search.is_found:
            wait_ms = search.ask()
            if not wait_ms:
                return False
            await ear.waiter.wait_ms(wait_ms)
    finally:
        ear.wake()  # it may have slept while nothing was heard
        if stream.heard is ear:
            stream.heard = ear.before
    return True


def of_socket(link, host, port, local, probe_ms):
    """See `Socket.rebind` (inside the lock)."""
    from ._sync_port import reopened

    check(link)
    check_ms("probe_ms", probe_ms)
    if link.is_probing:
        raise RuntimeError("another thread is re-binding this socket already")
    udp = link.port
    sock, address = reopened(udp, host, port, local, SOCKBUF)
    udp.begin()
    try:
        use(link, sock, address)
    except Exception:
        udp.end()  # it goes on where it was
        raise
    udp.end()
    search = Search(link, probe_ms)
    link.is_probing = True
    try:
        while not search.is_found:
            udp.begin()
            wait_ms = search.ask()
            udp.end()
            if not wait_ms:
                return False
            begin_ms = ticks_ms()
            while wait_ms > 0 and not link.session.heard:
                link.reader.wait(wait_ms)
                wait_ms -= max(ticks_diff(ticks_ms(), begin_ms), 1)
                begin_ms = ticks_ms()
    finally:
        link.is_probing = False
    return True
