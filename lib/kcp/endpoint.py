"""One UDP socket and the sessions behind it: timers, turns, fairness. Common to both runtimes.

An endpoint belongs to a client (one session) or to a server (a `Listener` and any number of them).
It has no task per session and no buffer per session: one receive buffer, one send buffer, one
list of sessions that have work, one heap of sessions that wait for a moment. I/O, clock and event
loop are in a *port* (`_port_cpy.UdpPort`, `_port_upy.UdpPort`, or a test's fake):

    port.send(buf, n, key) -> int   > 0 sent, 0 the socket is full, < 0 refused (counts as a loss)
    port.wake()                     call turn() soon, from the event loop
    port.close()                    stop, and close the socket
    port.report(error, sentence)    (if there) tell about a defect, so that the rest goes on

and the port calls the endpoint:

    input(n, key, now_ms)           a datagram lies in endpoint.rx[0:n]
    turn(now_ms) -> ms              after a batch of datagrams, on wake(), and when its time has
                                    come; what it returns says when the next turn is due
    unblocked()                     the socket can take datagrams again

Fairness: in a turn every session with work sends at most `_QUANTUM` datagrams and then queues up
again; a turn ends after about `_BUDGET`, so that the loop's other tasks get theirs.

Defects: what input() raises costs that datagram (InErrs), what a session's turn raises costs that
session (EIO). The first one of an endpoint is reported, for there may be one with every datagram.
A port without report() gets the exception.

A full socket is back-pressure: the one datagram that is built stays in the send buffer, goes out
first when there is room, and nothing more is built until then. If there is none for its session's
dead_ms (once that is closing: linger_ms), it is lost, and every session has a turn in which all is
lost that it sends: so they notice that their time is up. (It takes a port that goes on asking for
turns: those of carriers do. An operating system's sockets have room again.)

Costs: a ready session O(1) to queue; a timer O(log n) to arm and O(1) to move later (which is what
nearly always happens: the entry is corrected when its old time comes); an idle session is in
neither structure. Nothing here allocates per datagram.
"""

from errno import ECONNABORTED, EIO

from ._clock import ticks_diff
from ._compat import const
from ._timers import Timers
from .session import CLOSED, OPEN
from .stats import ACTIVE, LISTENER, PASSIVE, enter, leave

_QUANTUM = const(16)  # datagrams a session may send before the next one's turn
_BUDGET = const(64)  # datagrams in a turn before the event loop gets to run other tasks
_MAX_DATAGRAM = const(1500)  # kcp-go's limit: what a peer may send, whatever our own mtu
_MAX_SCRATCH = const(65536)
_MIN_SCRATCH = const(2048)
_TICKS_MASK = const(0x3FFFFFFF)


class Link:
    """A session's place in an endpoint. `Stream` is one; the hooks are what it overrides.

    session: the `Session`; key: what the port needs to send to the peer (None: connected socket);
    deadline_ms: when the hooks want to be called at the latest (a `ticks_ms` value), or None.
    """

    advise_at_segs = 0  # look at its settings when it has sent so many; 0: no more

    def __init__(self, endpoint: "Endpoint", session, key=None):
        self.endpoint = endpoint
        self.session = session
        self.key = key
        self.deadline_ms = None
        self.is_gone = False  # has left the endpoint
        self.is_ready = False  # in the endpoint's ready list
        self.next_ready = None
        self.due_ms = None  # when the session wants a turn
        self.heap_ms = 0  # where the heap has it: at or before due_ms
        self.heap_i = -1

    def before_output(self, now_ms: int):
        """Give the session what waits to be sent (called before its datagrams are built)."""

    def after_turn(self, now_ms: int):
        """Look at what has changed (called after its datagrams were built)."""

    def on_closed(self):
        """The session is CLOSED and has left the endpoint."""


class Endpoint:
    """One socket and its sessions (see the module's text).

    port: the socket and event loop. A client gives its one link to `attach`; a server gives a
    `Listener` and `on_session(session, key) -> Link`, called for every new session.
    buffer_bytes: what the sessions say they need (`Session.buffer_bytes`).
    takes_all: every session counts as accepted at once; False: whoever gave the listener takes
    them out of its backlog (they are served meanwhile).
    """

    def __init__(
        self, port, buffer_bytes: int, listener=None, on_session=None, takes_all: bool = True
    ):
        if buffer_bytes < _MAX_DATAGRAM:
            buffer_bytes = _MAX_DATAGRAM
        self.rx = bytearray(buffer_bytes)
        self._tx = bytearray(buffer_bytes)
        self.port = port
        self.listener = listener
        self._on_session = on_session
        self._takes_all = takes_all
        self.links = {}  # key -> Link
        self._only = None  # a client's link
        self._timers = Timers()
        self._head = self._tail = None  # ready list, linked through Link.next_ready
        self._held_bytes = 0  # length of the datagram in _tx that the full socket refused
        self._held_link = None
        self._held_ms = 0  # since when
        self._is_refusing = False  # what is sent in this turn is lost
        self.is_closing = False
        self.is_closed = False
        self._scratch = None
        self.on_closed = None  # called when the socket is closed
        self._is_reported = False  # a defect
        self.is_advised = False  # of settings
        self.input = self._input_client if listener is None else self._input_server
        if listener is not None:
            enter(listener.stats, LISTENER)

    # sessions

    def attach(self, link: Link):
        """Add a link (a client's only one)."""
        self.links[link.key] = self._only = link
        self.watch(link)
        enter(link.session.stats, ACTIVE)
        self.kick(link)

    def watch(self, link: Link):
        """The link's session is new, or has new settings: see whether they do harm (`_advice`)."""
        if link.session.config.cc == "none" and not self.is_advised:
            from ._advice import MIN_SEGS  # only who uses it pays for it

            link.advise_at_segs = MIN_SEGS

    def kick(self, link: Link):
        """Something was done to the link's session: give it a turn soon."""
        if not link.is_gone:
            if not link.is_ready:
                self._ready(link)
            self.port.wake()

    def touch(self, link: Link, now_ms: int):
        """Something was read from the link's session: give it a turn if that makes one due sooner
        (a window that was full and has opened), which is rare."""
        wait_ms = link.session.timeout(now_ms)
        if wait_ms >= 0 and (link.due_ms is None or ticks_diff(link.due_ms, now_ms) > wait_ms):
            self.kick(link)

    def shutdown(self):
        """Take no new sessions; close the socket when the last one is gone."""
        self.is_closing = True
        if self.listener is not None:
            self.listener.takes_new = False
        if not self.links:
            self.close()

    def close(self):
        """Close the socket now. Sessions that are still open are aborted (ECONNABORTED)."""
        if self.is_closed:
            return
        self.is_closing = self.is_closed = True
        self.port.close()
        for link in list(self.links.values()):
            link.session.abort(ECONNABORTED, "the UDP socket was closed")
            self._drop(link)
        if self.listener is not None:
            leave(self.listener.stats)
        if self.on_closed is not None:
            self.on_closed()

    def fit(self, buffer_bytes: int):
        """A session's mtu has been raised: have room for its datagrams (it says how much)."""
        if buffer_bytes > len(self._tx):
            tx = bytearray(buffer_bytes)
            tx[: len(self._tx)] = self._tx  # it may hold a datagram that waits for the socket
            self._tx = tx

    def scratch(self, limit_bytes: int):
        """Return a buffer that readers may use between two awaits (made at the first call)."""
        if self._scratch is None:
            n = min(max(limit_bytes, _MIN_SCRATCH), _MAX_SCRATCH)
            self._scratch = memoryview(bytearray(n))
        return self._scratch

    # what the port calls

    def _input_client(self, n, key, now_ms):
        link = self._only
        if key != link.key:  # not from the peer: only a socket that is not connected lets it in
            link.session.stats.InErrs += 1
            return
        try:
            link.session.input(self.rx, n, now_ms)
        except Exception as error:
            self._defect(error, link.session.stats)
        if not link.is_ready:
            self._ready(link)

    def _input_server(self, n, key, now_ms):
        try:
            self._hand_over(n, key, now_ms)
        except Exception as error:
            self._defect(error, self.listener.stats)

    def _hand_over(self, n, key, now_ms):
        links = self.links
        link = links.get(key)
        session = self.listener.input(self.rx, n, key, now_ms)
        if session is None:
            roamer = self.listener.roamer
            if roamer is not None and roamer.question_bytes:
                self.port.send(roamer.buf, roamer.question_bytes, roamer.question_key)
                roamer.question_bytes = 0  # a full socket is a loss: it will be asked again
            return
        if link is None or link.session is not session:
            link = self._arrive(link, session, key)
        if not link.is_ready:
            self._ready(link)

    def _arrive(self, link, session, key):
        """A session is new at this address, where `link` was; return its link."""
        links = self.links
        roamer = self.listener.roamer
        if roamer is not None and roamer.moved_from is not None:
            link = links[key] = links.pop(roamer.moved_from)
            link.key = key
            roamer.moved_from = None
            return link
        if link is not None:  # a restarted peer: the old session is CLOSED
            self.listener.aborted.clear()
            if not link.is_ready:
                self._ready(link)
        if self._takes_all:
            self.listener.accept()
        links[key] = link = self._on_session(session, key)
        self.watch(link)
        enter(session.stats, PASSIVE)
        return link

    def turn(self, now_ms: int) -> int:
        """Serve what is due. Return the ms until the next turn: 0 = at once, there is more to do;
        -1 = when something happens (`input`, `kick`, `unblocked`)."""
        if self._held_link is not None and not self._is_stuck(now_ms):
            return -1
        timers = self._timers
        while True:
            link = timers.pop(now_ms)
            if link is None:
                break
            if not link.is_ready:
                self._ready(link)
        budget = _BUDGET
        while budget > 0:
            link = self._head
            if link is None:
                break
            self._head = link.next_ready
            link.next_ready = None
            link.is_ready = False
            budget -= self._try_serve(link, now_ms) + 1
            if self._held_link is not None:
                return -1
        if self._head is not None:
            return 0
        self._is_refusing = False
        return timers.wait_ms(now_ms)

    def unblocked(self):
        """The socket has room again: send the datagram that was refused. turn() comes next."""
        link = self._held_link
        if link is not None:
            sent = self.port.send(self._tx, self._held_bytes, link.key)
            if sent:
                self._held_link = None
                if sent < 0:
                    link.session.stats.OutDrops += 1

    @property
    def is_full(self) -> bool:
        """True while a datagram waits for room in the socket."""
        return self._held_link is not None

    # inside a turn

    def _is_stuck(self, now_ms):
        """Has the socket been full for too long? Then begin the turn in which all is lost."""
        session = self._held_link.session
        limit_ms = session.config.dead_ms
        if session.state != OPEN:
            limit_ms = min(limit_ms, session.config.linger_ms)
        if ticks_diff(now_ms, self._held_ms) < limit_ms:
            return False
        session.stats.OutDrops += 1
        self._held_link = None
        self._is_refusing = True
        return True

    def _ready(self, link):
        link.is_ready = True
        link.next_ready = None
        if self._head is None:
            self._head = self._tail = link
        else:
            self._tail.next_ready = link
            self._tail = link

    def _try_serve(self, link, now_ms):
        """_serve(), which must not take the other sessions with it."""
        try:
            return self._serve(link, now_ms)
        except Exception as error:
            session = link.session
            self._defect(error, session.stats)
            kind = type(error).__name__
            session.abort(EIO, "a defect: %s in the session's turn: %s" % (kind, error))
            self._drop(link, now_ms)
            return 1

    def _defect(self, error, stats):
        """(In an except clause.) Count what was raised, and report it if it is the first."""
        report = getattr(self.port, "report", None)
        if report is None:
            raise error
        stats.InErrs += 1
        if not self._is_reported:
            self._is_reported = True
            report(error, "a defect in KCP; more of them are only counted (InErrs)")

    def _serve(self, link, now_ms):
        """Send a quantum of the link's datagrams; return how many were built."""
        link.before_output(now_ms)
        session = link.session
        port = self.port
        tx = self._tx
        key = link.key
        n_built = 0
        while n_built < _QUANTUM:  # (methods are not bound to names: that allocates)
            n = session.output(tx, now_ms)
            if not n:
                break
            n_built += 1
            sent = -1 if self._is_refusing else port.send(tx, n, key)
            if sent <= 0:
                if sent < 0:
                    session.stats.OutDrops += 1
                    continue
                self._held_link = link
                self._held_bytes = n
                self._held_ms = now_ms
                break
        if link.advise_at_segs and session.stats.OutSegs >= link.advise_at_segs:
            from ._advice import look  # only who needs it pays for it

            look(self, link)
        wait_ms = session.timeout(now_ms)
        if session.state == CLOSED:
            self._drop(link, now_ms)
            return n_built
        link.after_turn(now_ms)
        if wait_ms == 0:
            if n_built == _QUANTUM or self._held_link is link:
                if not link.is_ready:
                    self._ready(link)
                return n_built
            wait_ms = 1  # output had nothing although it was due: never spin
        self._arm(link, wait_ms, now_ms)
        return n_built

    def _arm(self, link, wait_ms, now_ms):
        if link.deadline_ms is not None:
            left_ms = max(ticks_diff(link.deadline_ms, now_ms), 0)
            if wait_ms < 0 or left_ms < wait_ms:
                wait_ms = left_ms
        if wait_ms >= 0:
            self._timers.arm(link, (now_ms + wait_ms) & _TICKS_MASK)
        else:
            link.due_ms = None

    def _drop(self, link, now_ms=-1):
        """Forget a link whose session is CLOSED."""
        if link.is_gone:
            return
        link.is_gone = True
        leave(link.session.stats)
        self._timers.remove(link)
        key = link.key
        if self.links.get(key) is link:  # else a new session has taken its place
            del self.links[key]
        if self.listener is not None:
            self.listener.remove(key, link.session, now_ms)
        link.on_closed()
        if not self.links and (self.listener is None or self.is_closing):
            self.close()
