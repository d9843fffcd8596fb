"""What the blocking API keeps for a session and for a listener. Common to both runtimes.

The I/O is in a *sync port* (`_sync_port_cpy`: a thread per endpoint; `_sync_port_upy`: whoever
calls does the work), which has, beside what `endpoint` asks of a port:

    port.lock               `with port.lock:` one thread at a time in the endpoint and its sessions
    port.begin(), end()     around every use of them, inside the lock. end() sends what is due. An
                            exception between the two (a signal's: nothing here raises there)
                            leaves the protocol in the middle of something: all of the endpoint's
                            sessions are ended, rather than one going on with wrong bytes
    port.gate()             makes a Gate: wait(ms) sleeps, inside the lock but outside begin/end,
                            until wake() or for ms (-1: without end), or shorter; is_busy: somebody
                            may be asleep there
    port.idle()             a call that may not wait has found nothing
    port.tell()             something has become ready: for service()
    port.later(call, data)  call(data) soon, outside the lock
"""

from errno import ECONNABORTED

from ._clock import ticks_ms
from ._compat import const
from .endpoint import Link
from .session import CLOSED, EPIPE
from .stats import leave

_MAX_CALLS = const(64)


class Ready:
    """What select() looks at: can_read, and on CPython a file descriptor that shows it."""

    def __init__(self, port):
        self.port = port
        self.can_read = False
        self.signal = None  # `_sync_port_cpy.Signal`, once somebody has asked for fileno()

    def mark(self, can_read: bool):
        """Note whether a call would return at once (inside the lock)."""
        if can_read != self.can_read:
            self.can_read = can_read
            if self.signal is not None:
                self.signal.set(can_read)
            if can_read:
                self.port.tell()


class SyncLink(Ready, Link):
    """A session of an endpoint, and who waits for it. All methods are called inside the lock.

    It knows nothing of the `Socket` before it, so that a forgotten one can be collected.
    """

    def __init__(self, endpoint, session, key=None):
        Link.__init__(self, endpoint, session, key)
        port = endpoint.port
        Ready.__init__(self, port)
        self.reader = port.gate()
        self.writer = port.gate()
        self.over = port.gate()
        self.backlog = None  # the `Backlog` in which it still is
        self.is_reading = self.is_writing = False  # a call is at it
        self.is_closing = False
        self.is_probing = False
        self.lost_bytes = 0
        self.why = None  # a sentence about an end that has no usual reason
        self.on_oob = None
        self._n_oob = 0
        self._set_marks()

    _marks = ()  # (for `_stream_options.apply`)

    def _set_marks(self):
        """Take what follows from the settings: a sender that had to wait goes on when there is
        room for half a window, not for every segment that is acknowledged."""
        session = self.session
        self._enough_bytes = max(session.config.sndwnd // 2, 1) * session.mss

    # bytes

    def take(self, view) -> int:
        """Move received bytes into a memoryview; return how many (0: none are here)."""
        if self.why is not None:
            self.raise_if_dead()
        port = self.port
        port.begin()
        n = self.session.recv_into(view)
        if n:
            self.endpoint.touch(self, ticks_ms())
        self.update()
        if self.can_read:
            port.tell()
        port.end()
        return n

    def take_bytes(self, n: int) -> bytes:
        """Return at most n received bytes; b"" if none are here."""
        session = self.session
        if not session.readable:
            return b""
        scratch = self.endpoint.scratch(session.config.rcvwnd * session.mss // 4)
        n = self.take(scratch[:n] if n < len(scratch) else scratch)
        return bytes(scratch[:n])

    def give(self, view, off: int) -> int:
        """Queue what fits of a memoryview from off on, and send what is due. Return how many
        bytes were taken. In message mode in pieces of one segment, as kcp-go's Write does."""
        port = self.port
        port.begin()
        session = self.session
        end = len(view)
        start = off
        if session.config.stream:
            off += session.send(view[off:] if off else view)
        else:
            while off < end:
                n = session.send(view[off : off + session.mss])
                if not n:
                    break
                off += n
        if off > start:
            self.endpoint.kick(self)
        port.end()
        return off - start

    def more_may_come(self) -> bool:
        """False at the end of file, which is this side's close(); OSError on a dead session."""
        if self.is_closing:
            return False
        self.raise_if_dead()
        return self.session.state != CLOSED

    def check_writable(self):
        """Raise OSError if nothing can be sent any more."""
        self.raise_if_dead()
        if self.is_closing or self.session.state == CLOSED:
            raise OSError(EPIPE, "the socket is closed")

    def raise_if_dead(self):
        """Raise OSError if the session has ended otherwise than by close()."""
        failure = self.session.failure()
        if failure is not None:
            raise failure

    # closing

    def start_closing(self, linger_ms=None):
        """Send what is queued, for at most linger_ms, then end."""
        if self.is_closing:
            return
        self.port.begin()
        self.is_closing = True
        self.session.close(ticks_ms(), linger_ms)
        self.reader.wake()
        self.writer.wake()
        self.endpoint.kick(self)
        self.update()
        self.port.end()

    # out-of-band packets (see `session`)

    def oob_received(self, data):
        """The session's handler: have the user's called, when the lock is free."""
        if self._n_oob >= _MAX_CALLS:
            self.session.stats.OOBDrops += 1
            return
        self._n_oob += 1
        self.port.later(self._call_oob, data)

    def _call_oob(self, data):
        self._n_oob -= 1
        if self.on_oob is not None:
            self.on_oob(data)

    # hooks of Link

    def after_turn(self, now_ms):
        """Look at what has changed."""
        self.update()
        if self.writer.is_busy and self.session.snd_room_bytes >= self._enough_bytes:
            self.writer.wake()
        if self.is_probing and self.session.heard:
            self.reader.wake()

    def on_closed(self):
        """The session is over."""
        self.lost_bytes = self.session.lost_bytes
        if self.backlog is not None:
            self.backlog.update()
        self.reader.wake()
        self.writer.wake()
        self.over.wake()
        self.update()

    def update(self):
        """See whether recv() would return at once."""
        session = self.session
        can_read = self.is_closing or session.state == CLOSED or session.readable > 0
        if can_read:
            self.reader.wake()
        if can_read != self.can_read:
            self.mark(can_read)


class Backlog(Ready):
    """A listener's sessions that nobody has accepted yet, and who waits for one."""

    def __init__(self, port, listener):
        super().__init__(port)
        self.gate = port.gate()
        self.endpoint = None
        self._listener = listener

    def on_session(self, session, key) -> SyncLink:
        """Called by the endpoint for every new session."""
        link = SyncLink(self.endpoint, session, key)
        link.backlog = self
        self.update()
        self.gate.wake()
        return link

    def take(self):
        """Return the link that has waited for longest, or None."""
        link = None
        while link is None:
            pair = self._listener.accept()
            if pair is None:
                break
            link = self.endpoint.links.get(pair[1])
        if link is not None:
            link.backlog = None
        self.update()
        if self.can_read:
            self.port.tell()
        return link

    def update(self):
        """See whether accept() would return at once."""
        can_read = self.endpoint.is_closing
        for session, _ in self._listener.backlog:
            can_read = can_read or session.state != CLOSED
        self.mark(can_read)

    def start_closing(self):
        """Take no new sessions, and end those that nobody has accepted."""
        while True:
            link = self.take()
            if link is None:
                break
            link.start_closing(0)
        self.port.begin()
        self.endpoint.shutdown()
        self.port.end()
        self.wake()

    @property
    def is_gone(self) -> bool:
        """True when the UDP socket is closed."""
        return self.endpoint.is_closed

    def wake(self):
        """The listener is closed: so is whoever waits."""
        self.gate.wake()
        self.update()


def give_up(endpoint, why: str):
    """End all that is behind an endpoint whose state cannot be trusted, without touching more of
    it than must be, nor allocating: MicroPython's heap may just have been full."""
    endpoint.is_closing = endpoint.is_closed = True
    links = endpoint.links
    for key in links:
        link = links[key]
        link.session.abort(ECONNABORTED, why)
        leave(link.session.stats)
        link.is_gone = True
        link.why = why
        link.on_closed()
    links.clear()
    if endpoint.listener is not None:
        leave(endpoint.listener.stats)
    endpoint.port.close()
    if endpoint.on_closed is not None:
        endpoint.on_closed()
