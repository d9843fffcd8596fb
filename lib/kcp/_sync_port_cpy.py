"""CPython: sockets and threads of the blocking API. Twin: `_sync_port_upy`.

One daemon thread per endpoint waits for the socket and for the next deadline, and does what is due
then, whatever the program's own threads do (see `_sync_watch_cpy`). A thread that sends does not
wait for it: it builds and sends its datagrams itself, inside the lock, and wakes the endpoint's
thread only when that would sleep for too long. A thread that receives finds its bytes in the
session.

Interpreter exit: what is still open is closed as by close(), all at the same time, and what was
not acknowledged within linger_ms is told on stderr. Fork: the child's copies are closed and dead
(ECONNABORTED), the parent's go on.
"""

import atexit
import os
import sys
import threading

from ._sync import give_up
from ._sync_wait_cpy import Gate, Pollable, view_of  # noqa: F401
from ._sync_watch_cpy import Watched
from ._udp_cpy import (
    Sender,
    address_for,
    anywhere,
    borrow,
    bound,
    connected,
    look_up,
    printable,  # noqa: F401
)

_MAX_TOLD = 5  # sessions told about at exit, one by one
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


def reopened(udp, host, port, local, sockbuf: int) -> tuple:
    """Return (socket, address) for a client's port that is to go on with another socket."""
    found = [(udp.sock.family, udp.peer)] if host is None else look_up(host, port)
    return connected(found, sockbuf, local)


def open_server(host, port: int, sockbuf: int) -> "SyncPort":
    """Return a port bound to host:port. None, "" and "::" take IPv6 and IPv4."""
    found = look_up(host, port, True) if host else anywhere(port)
    return SyncPort(bound(found, sockbuf), None)


def address_on(sock, host, port: int):
    """Return the address of host:port for a socket of the caller's."""
    return address_for(sock, look_up(host, port))


def adopt(sock, release) -> "SyncPort":
    """Return a port on a socket of the caller's; release(sock) is called instead of closing it."""
    give_back = borrow(sock)

    def let_go(sock):
        give_back()
        release(sock)

    return SyncPort(sock, None, let_go)


def keep(port):
    """A port that has a thread: to be closed at exit."""
    _ports.add(port)


class SyncPort(Sender, Watched):
    """A UDP socket with a thread, for one `Endpoint` (see `endpoint` and `_sync`).

    peer: the address the socket is connected to, or None; give_back(sock): called instead of
    closing it.
    """

    def __init__(self, sock, peer, give_back=None):
        super().__init__(sock)
        self._give_back = give_back
        self.peer = peer
        self.sockname = sock.getsockname()
        self.backlog = None  # a server's `Backlog`

    # what the endpoint calls

    def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        keep(self)
        self._start_thread("kcp %s" % (self.sockname[:2],))

    def close(self):
        """Stop, and close the socket."""
        if self._is_closed:
            return
        self._is_closed = True
        if self.thread is not None:
            self._eye.turn_away()
            self._parking.notify()
            self.ring()
        if self._give_back is None:
            self.sock.close()
        else:
            self._give_back(self.sock)

    def change(self, sock, peer):
        """(A client's.) Go on with another socket, connected to `peer`."""
        old = self.sock
        self._eye.turn_to(sock)
        self.sock, self.peer, self.sockname = sock, peer, sock.getsockname()
        self.ring()
        old.close()

    def wake(self):
        """Have a turn soon: end() sees to it."""
        self._is_soon = True

    # what the program's threads call, inside the lock

    def gate(self) -> Gate:
        """Return a new gate."""
        return Gate(self)

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

    def _ended(self):
        _ports.discard(self)

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
        self._eye.close()
        self.thread = None
        for link in self._endpoint.links.values():
            link.reader, link.writer, link.over = Gate(self), Gate(self), Gate(self)
            _close_copy(link)
        if self.backlog is not None:
            self.backlog.gate = Gate(self)
            _close_copy(self.backlog)
        give_up(self._endpoint, _FORKED)


def _close_copy(ready):
    if ready.signal is not None:  # (writing to it would wake the parent)
        ready.signal.close()
        ready.signal = None


def _at_exit():
    """Close what is still open, and tell what was not acknowledged."""
    lost = []
    for link in [link for port in list(_ports) for link in port.close_all()]:
        with link.port.lock:
            while not link.is_gone:
                link.over.wait(-1)
            if link.lost_bytes:
                lost.append((link.lost_bytes, link.port.peer or link.key))
    text = "kcp: %d bytes to %s were not acknowledged when the program ended"
    for one in lost[:_MAX_TOLD]:
        print(text % one, file=sys.stderr)
    if len(lost) > _MAX_TOLD:
        n_bytes = sum(one[0] for one in lost[_MAX_TOLD:])
        print("kcp: nor %d bytes to %d others" % (n_bytes, len(lost) - _MAX_TOLD), file=sys.stderr)


def _after_fork():
    global _news, _is_news
    _news, _is_news = threading.Condition(), False
    for port in list(_ports):
        port.forked()
    _ports.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
