"""CPython: waiting for each other and for many, in the blocking API. Part of `_sync_port_cpy`."""

import socket
import threading
import warnings


def view_of(data):
    """Return bytes-like data as a memoryview of bytes."""
    view = memoryview(data)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


class Gate:
    """Where threads sleep until something has happened (see `_sync`)."""

    __slots__ = ("_port", "_waiters", "is_watching")

    def __init__(self, port):
        self._port = port
        self._waiters = []  # locks, which are released to wake who waits for them
        self.is_watching = False  # who waits here watches the socket, see `_sync_watch_cpy`

    @property
    def is_busy(self) -> bool:
        """Does anybody wait here?"""
        return self.is_watching or bool(self._waiters)

    def wait(self, wait_ms: int):
        """Sleep until wake(), or for wait_ms; -1: without end."""
        port = self._port
        if port.thread is threading.current_thread():
            raise RuntimeError("a handler must not wait: its endpoint waits for it meanwhile")
        port.refuse_inside()
        if port.watch(self, wait_ms):
            return
        waiter = threading.Lock()
        waiter.acquire()
        try:
            self._waiters.append(waiter)
            port.outside(waiter.acquire, True, -1 if wait_ms < 0 else wait_ms / 1000)
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def wake(self):
        """Wake all who sleep here."""
        while self._waiters:
            self._waiters.pop().release()
        if self.is_watching:
            self._port.ring()


class Signal:
    """A file descriptor that can be read while a flag is set."""

    def __init__(self, is_set: bool):
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._is_set = False
        self.set(is_set)

    def fileno(self) -> int:
        """Return the descriptor that select() is given."""
        return self._theirs.fileno()

    def set(self, is_set: bool):
        """Make it readable, or not."""
        if is_set != self._is_set:
            self._is_set = is_set
            if is_set:
                self._ours.send(b"\0")
            else:
                self._theirs.recv(1)

    def close(self):
        """Close both ends."""
        self._ours.close()
        self._theirs.close()


class Pollable:
    """What select() and selectors need. `_ready`: the `Ready` behind it; None: closed."""

    _ready = None
    _is_closed = False

    def fileno(self) -> int:
        """Return a file descriptor that can be read exactly while recv() or accept() would not
        block; -1 when closed. It is not the UDP socket: nothing may be read from it, and it says
        nothing about sending."""
        ready = self._ready
        if ready is None:
            return -1
        with ready.port.lock:
            if ready.signal is None:
                ready.signal = Signal(ready.can_read)
            return ready.signal.fileno()

    def __del__(self):
        ready = self._ready
        if ready is None or self._is_closed or ready.is_gone:
            return
        ready.port.abandon(ready)
        warnings.warn("unclosed %r" % self, ResourceWarning, source=self, stacklevel=2)

    def _close_signal(self):
        ready, self._ready = self._ready, None
        if ready is not None and ready.signal is not None:
            signal, ready.signal = ready.signal, None
            signal.close()
