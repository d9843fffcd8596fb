"""CPython: who watches an endpoint's socket, in the blocking API. Part of `_sync_port_cpy`.

Somebody must wait for datagrams and deadlines and do what is due then. That is the endpoint's own
thread; but while a thread of the program waits in a call, that one does it, because handing every
batch of datagrams from one thread to another costs two context switches. Meanwhile the endpoint's
thread is *parked*: it looks every `_PARK_MS` whether the program still comes and goes, and takes
over again when it has not come since; while one call waits for long it hardly looks, and is
notified at the end of it. So between two calls of the program nobody may watch for `_PARK_MS`.

Of what is here everything is called inside the lock, unless it says otherwise.
"""

import selectors
import socket
import sys
import threading
from collections import deque

from ._clock import ticks_diff, ticks_ms
from ._sync import give_up
from ._udp_cpy import WOULD_BLOCK

_DRAIN = 64  # datagrams taken from the socket before a turn
_TURNS = 8  # turns in one go of a thread of the program
_PARK_MS = 5
_PARK_LONG_MS = 1000  # (should the notice be lost, by an exception)
_TICKS_MASK = 0x3FFFFFFF
_INTERRUPTED = "an exception (of a signal?) came in the middle of a call on this endpoint"


def _moment(wait_ms):
    """The time in wait_ms from now; None: never (wait_ms < 0)."""
    return None if wait_ms < 0 else (ticks_ms() + wait_ms) & _TICKS_MASK


class Eye:
    """Waits for a socket, or for the bell. Two threads may wait at the same time for a moment."""

    def __init__(self, sock, bell):
        self._sock = sock
        self._bell = bell
        self._events = selectors.EVENT_READ
        self._selector = selectors.DefaultSelector()
        if sock is not None:
            self._selector.register(sock, self._events)
        self._selector.register(bell, selectors.EVENT_READ)

    def look_for(self, is_full: bool):
        """Wait for room in the socket too, or not. (Inside the lock, the rest outside.)"""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if is_full else 0)
        if events != self._events:
            self._selector.modify(self._sock, events)
            self._events = events

    def turn_away(self):
        """The socket is of no interest any more. (Inside the lock.)"""
        try:
            self._selector.unregister(self._sock)
        except (KeyError, ValueError, OSError):  # its owner has closed it
            pass

    def turn_to(self, sock):
        """Look at another socket from now on. (Inside the lock.)"""
        self.turn_away()
        self._sock = sock
        self._selector.register(sock, self._events)

    def wait(self, wait_ms: int) -> bool:
        """Wait for wait_ms at most (-1: without limit). True if the bell has rung."""
        found = self._selector.select(None if wait_ms < 0 else wait_ms / 1000)
        return any(key.fileobj is self._bell for key, _ in found)

    def close(self):
        """Give the selector back."""
        self._selector.close()


class Watched:
    """The endpoint's thread, and the program's in its place. `SyncPort` is one."""

    def __init__(self, sock):
        self.sock = sock
        self.lock = threading.RLock()
        self.thread = None
        self._endpoint = None
        self._is_closed = False
        self._is_inside = False  # between begin() and end(), or interrupted there
        self._is_soon = False  # a turn is wanted
        self._due_ms = None  # when the endpoint wants its next turn; None: when something happens
        # until when they sleep at most, None: without limit
        self._thread_until_ms = self._watcher_until_ms = None
        self._is_watched = False  # a thread of the program watches
        self._is_rung = False
        self._n_watches = self._n_seen = 0
        self._parking = threading.Condition(self.lock)
        self._is_parked = self._is_parked_long = False
        self._has_heard = False  # the thread, the bell
        self._is_over = False  # the thread has ended
        self._calls = deque()
        self._abandoned = deque()
        self._bell = self._ringer = self._eye = None

    def _start_thread(self, name):
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._eye = self._open_eye()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _open_eye(self):
        return Eye(self.sock, self._bell)

    # the work, whoever does it

    def _work(self):
        """Take what has come, and send what is due."""
        while self._abandoned and not self._is_closed:
            self._abandoned.popleft().start_closing()
        if self._is_closed:
            return
        self._is_inside = True
        if self._endpoint.is_full:
            self._endpoint.unblocked()
        self._drain()
        self._is_soon = False
        self._set_due(self._endpoint.turn(ticks_ms()))
        self._is_inside = False

    def _drain(self):
        """Hand what has come to the endpoint."""
        endpoint = self._endpoint
        take = endpoint.input
        rx = endpoint.rx
        sock = self.sock
        now_ms = ticks_ms()
        address = None
        is_client = self.peer is not None
        for _ in range(_DRAIN):
            try:
                if is_client:
                    n = sock.recv_into(rx)
                else:
                    n, address = sock.recvfrom_into(rx)
            except WOULD_BLOCK:
                break
            except OSError:  # ICMP: an earlier datagram of ours found nobody
                continue
            take(n, address, now_ms)

    def _turn(self):
        """Send what a call has made due; see that somebody wakes in time for the rest."""
        self._is_soon = False
        for _ in range(_TURNS):
            wait_ms = self._endpoint.turn(ticks_ms())
            if wait_ms:
                break
        self._set_due(wait_ms)
        if self._is_early():
            self._rouse()

    def _set_due(self, wait_ms):
        self._due_ms = _moment(wait_ms)

    def _left_ms(self, limit_ms):
        """Return how long to sleep: until the next turn is due, for limit_ms at most."""
        if self._due_ms is None:
            return limit_ms
        left_ms = max(ticks_diff(self._due_ms, ticks_ms()), 0)
        return left_ms if limit_ms < 0 or left_ms < limit_ms else limit_ms

    def _is_early(self):
        """Is something to be done before the one who is responsible would wake?"""
        if self._is_rung:
            return False
        if self._due_ms is None:
            return self._endpoint.is_full
        until_ms = self._watcher_until_ms if self._is_watched else self._thread_until_ms
        return until_ms is None or ticks_diff(until_ms, self._due_ms) > 0

    # waking

    def _rouse(self):
        """Wake whoever is responsible."""
        self._is_rung = True
        if self._is_parked and not self._is_watched:
            self._parking.notify()
        else:
            self.ring()

    def ring(self):
        """Wake who looks out, if anybody does; needs no lock."""
        try:
            self._ringer.send(b"\0")
        except OSError:  # full: it rings already; closed: the thread has ended
            pass

    def _hush(self):
        try:
            self._bell.recv(4096)
        except OSError:
            pass

    # a thread of the program watches

    def outside(self, wait, *arguments):
        """Return wait(*arguments), called without the lock. Whenever an exception comes, of a
        signal, the lock is taken again: it can come just after it was released, too."""
        state = None
        try:
            state = self.lock._release_save()  # (as threading.Condition does)
            return wait(*arguments)
        finally:
            if state is not None:
                self.lock._acquire_restore(state)  # (cannot be interrupted, nor what led here)
            elif not self.lock._is_owned():
                self.lock._acquire_restore((1, threading.get_ident()))

    def watch(self, gate, wait_ms: int) -> bool:
        """Watch in the thread's place, for wait_ms at most (-1: without limit), until something
        has come or gate.wake(); do what is due. False: somebody else of the program watches."""
        if self._is_watched or self._is_closed or self.thread is None:
            return False
        wait_ms = self._left_ms(wait_ms)
        self._eye.look_for(self._endpoint.is_full)
        try:
            self._is_watched = gate.is_watching = True
            self._n_watches += 1
            self._watcher_until_ms = _moment(wait_ms)
            has_rung = self.outside(self._eye.wait, wait_ms)
        finally:
            self._is_watched = gate.is_watching = False
            if self._is_parked_long:
                self._parking.notify()
            if self._is_over:
                self._close_eye()
        if has_rung:
            self._hush()
        self._is_rung = False
        self._work()
        return True

    # the endpoint's thread

    def _run(self):
        """(Without the lock.)"""
        try:
            while True:
                with self.lock:
                    wait_ms = self._try_to_serve()
                self._call()
                if self._is_closed:
                    return
                if wait_ms is not None:
                    self._look_out(wait_ms)
        finally:
            self._ended()
            with self.lock:
                self._is_over = True
                if self._is_watched:  # closed meanwhile, it would show nothing any more
                    self.ring()
                else:
                    self._close_eye()

    def _close_eye(self):
        """Nobody looks any more: neither the thread nor who watches."""
        self._eye.close()
        self._bell.close()
        self._ringer.close()

    def _try_to_serve(self):
        """Do what is due, and park if need be. Return how many ms to look out; -1: without limit,
        None: not at all."""
        if self._has_heard and not self._is_watched:
            self._hush()  # (else it may be for the thread that watches)
        self._is_rung = self._has_heard = False
        if self._is_inside:
            self._end_interrupted()
        try:
            if not self._is_watched:
                self._work()
        except BaseException:  # a defect, or a random source that has failed: let nobody wait
            self._is_inside = False
            give_up(self._endpoint, "the endpoint's thread has failed")
            raise
        if self._is_closed or self._calls:
            return None
        if self._is_watched or self._n_watches != self._n_seen:
            self._park()
            return None
        wait_ms = self._left_ms(-1)
        self._thread_until_ms = _moment(wait_ms)
        self._eye.look_for(self._endpoint.is_full)
        return wait_ms

    def _park(self):
        is_long = self._is_watched and self._n_watches == self._n_seen
        self._n_seen = self._n_watches
        wait_ms = _PARK_MS if self._is_watched else self._left_ms(_PARK_MS)
        if is_long:
            wait_ms = _PARK_LONG_MS
        self._thread_until_ms = _moment(wait_ms)
        self._is_parked, self._is_parked_long = True, is_long
        self._parking.wait(wait_ms / 1000)
        self._is_parked = self._is_parked_long = False

    def _look_out(self, wait_ms):
        """(Without the lock.)"""
        try:
            self._has_heard = self._eye.wait(wait_ms)
        except OSError:  # where a closed socket cannot be selected
            if not self._is_closed:
                raise

    def _call(self):
        """Call the handlers that are waiting. (Without the lock.)"""
        while self._calls:
            call, data = self._calls.popleft()
            try:
                call(data)
            except Exception:
                _report()

    def later(self, call, data):
        """Have the thread call(data) when the lock is free."""
        self._calls.append((call, data))
        if self._is_parked:
            self._parking.notify()

    def abandon(self, ready):
        """Close a link or a backlog soon. Needs no lock: for __del__."""
        self._abandoned.append(ready)
        self.ring()

    # what has been interrupted

    def if_inside(self):
        """An exception may be passing: if it came from the middle of our work, that is the end."""
        if self._is_inside and not self._is_refused:
            self._end_interrupted()
        self._is_refused = False

    def refuse_inside(self):
        """Raise RuntimeError between begin() and end()."""
        if self._is_inside:
            self._is_refused = True
            self._rouse()  # if nobody noticed that a call was interrupted, the thread cleans up
            raise RuntimeError("a call came in the middle of another: from a signal handler?")

    _is_refused = False  # the exception that passes is refuse_inside()'s

    def _end_interrupted(self):
        self._is_inside = False
        give_up(self._endpoint, _INTERRUPTED)


def _report():
    """Tell about an exception that has nobody to be raised to."""
    arguments = (*sys.exc_info(), threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(arguments))
