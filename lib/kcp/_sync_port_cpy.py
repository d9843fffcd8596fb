"""CPython: sockets and threads of the blocking API. Twin: `_sync_port_upy`.

One daemon thread per endpoint waits for the socket and for the next deadline, and does what is due
then, whatever the program's own threads do. A thread that sends does not wait for it: it builds
and sends its datagrams itself, inside the lock, and wakes the endpoint's thread only when that
would sleep for too long. A thread that receives finds its bytes in the session.

Interpreter exit: what is still open is closed as by close(), all at the same time, and what was
not acknowledged within linger_ms is told on stderr. Fork: the child's copies are closed and dead
(ECONNABORTED), the parent's go on.
"""

import atexit
import os
import selectors
import socket
import sys
import threading
from collections import deque

from ._clock import ticks_diff, ticks_ms
from ._sync import give_up
from ._sync_wait_cpy import Gate, Pollable, view_of  # noqa: F401
from ._udp_cpy import anywhere, bound, connected, look_up, printable  # noqa: F401

_DRAIN = 64  # datagrams taken from the socket before a turn
_TURNS = 8  # turns in one go of a thread of the program
_WOULD_BLOCK = (BlockingIOError, InterruptedError)
_INTERRUPTED = "an exception (of a signal?) came in the middle of a call on this endpoint"
_FORKED = "opened before fork(): only the parent process can use it"

_ports = set()  # that have a thread
_news = threading.Condition()
_is_news = False


def service(ms: float = 0) -> bool:
    """Do what is due in all endpoints, for at most ms milliseconds; for the loop of a program that
    waits in no other call. On CPython the endpoints' threads do the work, and this only waits.

    Returns early, with True, when a socket has something to receive, or a listener a session to
    accept, that had not: or still has, after a part was taken. Else False.
    """
    global _is_news
    with _news:
        if not _is_news:
            _news.wait(ms / 1000)
        is_news, _is_news = _is_news, False
        return is_news


def open_client(host, port: int, sockbuf: int) -> "SyncPort":
    """Return a port whose socket is connected, so that the kernel drops what others send."""
    return SyncPort(*connected(look_up(host, port), sockbuf))


def open_server(host, port: int, sockbuf: int) -> "SyncPort":
    """Return a port bound to host:port. None, "" and "::" take IPv6 and IPv4."""
    found = look_up(host, port, True) if host else anywhere(port)
    return SyncPort(bound(found, sockbuf), None)


class SyncPort:
    """A UDP socket with a thread, for one `Endpoint` (see `endpoint` and `_sync`).

    peer: the address the socket is connected to, or None for a server's socket.
    """

    def __init__(self, sock, peer):
        self.sock = sock
        self.peer = peer
        self.sockname = sock.getsockname()
        self.lock = threading.RLock()
        self.thread = None
        self.backlog = None  # a server's `Backlog`
        self._endpoint = None
        self._is_closed = False
        self._is_inside = False  # between begin() and end(), or interrupted there
        self._is_refused = False  # the exception that passes is refuse_inside()'s
        self._is_soon = False
        self._is_asleep = False
        self._until_ms = None  # when the sleeping thread wakes by itself; None: never
        self._is_roused = False
        self._calls = deque()
        self._abandoned = deque()
        self._view = memoryview(b"")
        self._view_of = None
        self._selector = self._bell = self._ringer = None

    # what the endpoint calls

    def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._selector.register(self.sock, selectors.EVENT_READ)
        name = "kcp %s" % (self.sockname[:2],)
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        _ports.add(self)
        self.thread.start()

    def close(self):
        """Stop, and close the socket."""
        self._is_closed = True
        self.sock.close()
        if self.thread is not None:
            self._ring()

    def wake(self):
        """Have a turn soon: end() sees to it."""
        self._is_soon = True

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the connected peer)."""
        if buf is not self._view_of or n != len(self._view):
            self._view = memoryview(buf)[:n]
            self._view_of = buf
        try:
            if key is None:
                self.sock.send(self._view)
            else:
                self.sock.sendto(self._view, key)
        except _WOULD_BLOCK:
            return 0
        except OSError:
            return -1
        return 1

    # what the program's threads call, inside the lock

    def gate(self) -> Gate:
        """Return a new gate."""
        return Gate(self)

    def if_inside(self):
        """An exception may be passing: if it came from the middle of our work, that is the end."""
        if self._is_inside and not self._is_refused:
            self._end_interrupted()
        self._is_refused = False

    def _end_interrupted(self):
        self._is_inside = False
        give_up(self._endpoint, _INTERRUPTED)

    def refuse_inside(self):
        """Raise RuntimeError between begin() and end()."""
        if self._is_inside:
            self._is_refused = True
            self._ring()  # if nobody noticed that a call was interrupted, the thread cleans up
            raise RuntimeError("a call came in the middle of another: from a signal handler?")

    def begin(self):
        """The endpoint and its sessions are used from here on."""
        self.refuse_inside()
        self._is_inside = True

    def end(self):
        """... until here. Send what is due."""
        if self._is_soon and not self._is_closed:
            self._turn()
        self._is_inside = False

    def idle(self):
        """Nothing to do: the thread takes what comes."""

    def tell(self):
        """Something has become ready."""
        global _is_news
        if not _is_news:
            with _news:
                _is_news = True
                _news.notify_all()

    def later(self, call, data):
        """Have the thread call(data) when the lock is free."""
        self._calls.append((call, data))

    def abandon(self, ready):
        """Close a link or a backlog soon. Needs no lock: for __del__."""
        self._abandoned.append(ready)
        self._ring()

    def _turn(self):
        self._is_soon = False
        endpoint = self._endpoint
        for _ in range(_TURNS):
            now_ms = ticks_ms()
            wait_ms = endpoint.turn(now_ms)
            if wait_ms:
                break
        if not self._is_asleep or self._is_roused:
            return
        if wait_ms < 0:
            is_early = endpoint.is_full or bool(self._calls)
        else:
            is_early = self._until_ms is None or ticks_diff(self._until_ms, now_ms) > wait_ms
        if is_early:
            self._is_roused = True
            self._ring()

    def _ring(self):
        try:
            self._ringer.send(b"\0")
        except OSError:  # full: it rings already; closed: the thread has ended
            pass

    # the thread

    def _run(self):
        try:
            while True:
                with self.lock:
                    wait_ms = self._try_to_serve()
                self._call()
                if self._is_closed:
                    return
                self._sleep(wait_ms)
        finally:
            _ports.discard(self)
            self._selector.close()
            self._bell.close()
            self._ringer.close()

    def _try_to_serve(self):
        """Do what is due; return how many ms to sleep (-1: until something comes)."""
        self._is_asleep = self._is_roused = False
        if self._is_inside:
            self._end_interrupted()
        try:
            return self._serve()
        except BaseException:  # a defect, or a random source that has failed: let nobody wait
            self._is_inside = False
            give_up(self._endpoint, "the endpoint's thread has failed")
            raise

    def _serve(self):
        endpoint = self._endpoint
        if self._is_closed:
            return 0
        while self._abandoned:
            self._abandoned.popleft().start_closing()
        if self._is_closed:
            return 0
        self._is_inside = True
        if endpoint.is_full:
            endpoint.unblocked()
        self._drain()
        self._is_soon = False
        now_ms = ticks_ms()
        wait_ms = endpoint.turn(now_ms)
        self._is_inside = False
        self._is_asleep = True
        self._until_ms = None if wait_ms < 0 else (now_ms + wait_ms) & 0x3FFFFFFF
        return wait_ms

    def _drain(self):
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
            except _WOULD_BLOCK:
                break
            except OSError:  # ICMP: an earlier datagram of ours found nobody
                continue
            take(n, address, now_ms)

    def _call(self):
        """Call the handlers that are waiting."""
        while self._calls:
            call, data = self._calls.popleft()
            try:
                call(data)
            except Exception:
                _report()

    def _sleep(self, wait_ms):
        try:
            events = selectors.EVENT_READ
            if self._endpoint.is_full:
                events |= selectors.EVENT_WRITE
            if self._selector.get_key(self.sock).events != events:
                self._selector.modify(self.sock, events)
            for key, _ in self._selector.select(None if wait_ms < 0 else wait_ms / 1000):
                if key.fileobj is self._bell:
                    self._bell.recv(4096)
        except (OSError, KeyError, ValueError):
            if not self._is_closed:
                raise

    # the end of the process, and its copies

    def close_all(self):
        """Close every session, each with its linger, and take no new ones. Return the links."""
        with self.lock:
            links = list(self._endpoint.links.values())
            if not self._is_inside and not self._is_closed:
                for link in links:
                    link.start_closing()
                self._endpoint.shutdown()
        return links

    def forked(self):
        """This is the child's copy: the thread, and perhaps the lock's owner, are not here."""
        self.lock = threading.RLock()
        self._is_inside = False
        self._bell.close()
        self._ringer.close()
        self._selector.close()
        self.thread = None
        for link in self._endpoint.links.values():
            link.reader, link.writer, link.over = Gate(self), Gate(self), Gate(self)
            _close_copy(link)
        if self.backlog is not None:
            self.backlog.gate = Gate(self)
            _close_copy(self.backlog)
        give_up(self._endpoint, _FORKED)


def _report():
    """Tell about an exception that has nobody to be raised to."""
    arguments = (*sys.exc_info(), threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(arguments))


def _close_copy(ready):
    if ready.signal is not None:  # (writing to it would wake the parent)
        ready.signal.close()
        ready.signal = None


def _at_exit():
    text = "kcp: %d bytes to %s were not acknowledged when the program ended"
    for link in [link for port in list(_ports) for link in port.close_all()]:
        with link.port.lock:
            while not link.is_gone:
                link.over.wait(-1)
            if link.lost_bytes:
                print(text % (link.lost_bytes, link.port.peer or link.key), file=sys.stderr)


def _after_fork():
    global _news, _is_news
    _news, _is_news = threading.Condition(), False
    for port in list(_ports):
        port.forked()
    _ports.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
