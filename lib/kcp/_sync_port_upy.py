"""MicroPython: sockets of the blocking API. Twin: `_sync_port_cpy`.

There is no thread: whoever calls does what is due, for all endpoints. A call that has to wait
waits in `step`, for all their sockets at once; one that has not does a step now and then.
Nothing here allocates per datagram, but for the socket's own recv; the C module has another for
connected ones.

Signals and Ctrl-C: an exception in the middle of an endpoint's work ends that endpoint
(ECONNABORTED). While a call waits, which is nearly always, it does no harm.
"""

import io
import select
import sys
from errno import EAGAIN

from ._clock import ticks_diff, ticks_ms
from ._compat import const
from ._sync import give_up
from ._udp_upy import (
    MAX_DATAGRAM,
    addr_key,
    bound,
    connected,
    family_of,
    look_up,
    printable,
    recv_into,
)

_BATCH = const(32)  # datagrams taken from the sockets before a turn
_BREATH_MS = const(2)  # a call that need not wait does a step if the last one is so long ago
_EINVAL = const(22)
_IOCTL_POLL = const(3)
_IOCTL_CLOSE = const(4)
_INTERRUPTED = "an exception (Ctrl-C?) came in the middle of a call on this endpoint"

_poller = select.poll()
_ports = []
_by_sock = {}
_calls = []  # (function, argument): handlers to be called
_is_news = False
_is_woken = False  # something has changed in this step that a waiting call may want
_is_stepping = False
_is_calling = False
_last_ms = 0  # when the last step was


def service(ms: int = 0) -> bool:
    """Do what is due in all endpoints, for at most ms milliseconds; for the loop of a program that
    waits in no other call. On CPython the endpoints' threads do the work, and this only waits.

    Returns early, with True, when a socket has something to receive, or a listener a session to
    accept, that had not: or still has, after a part was taken. Else False.
    """
    global _is_news
    begin_ms = ticks_ms()
    while True:
        left_ms = ms - ticks_diff(ticks_ms(), begin_ms)
        step(left_ms if left_ms > 0 and not _is_news else 0)
        if _is_news:
            _is_news = False
            return True
        if left_ms <= 0:
            return False


def step(wait_ms: int):
    """Do what is due in all endpoints, waiting at most wait_ms (-1: without limit) for a datagram
    or for the next thing to do."""
    global _is_stepping, _is_woken, _last_ms
    for port in _ports:
        if port.is_inside:
            _refuse()
    if _is_stepping:
        _refuse()
    _is_stepping = True
    _is_woken = False
    try:
        wait_ms = _serve_all(wait_ms)
        if _is_woken:
            wait_ms = 0
        left = _BATCH
        while _receive(wait_ms) and left:
            wait_ms = 0
            left -= 1
        _serve_all(0)
    except BaseException:
        for port in list(_ports):
            port.if_inside()
        raise
    finally:
        _is_stepping = False
        _last_ms = ticks_ms()
    if _calls and not _is_calling:
        _call()


def _refuse():
    raise RuntimeError("a call came in the middle of another: from an interrupt handler?")


def _serve_all(wait_ms):
    """Give every endpoint a turn; return wait_ms, or less if one is due sooner."""
    for i in range(len(_ports) - 1, -1, -1):  # (from behind: a turn may close its endpoint)
        due_ms = _ports[i].serve()
        if due_ms >= 0 and (wait_ms < 0 or due_ms < wait_ms):
            wait_ms = due_ms
    return wait_ms


def _receive(wait_ms):
    """Take one datagram from every socket that has one; False: none had."""
    is_any = False
    for sock, flags in _poller.ipoll(wait_ms):
        is_any = True
        _by_sock[sock].receive(flags)
    return is_any


def _call():
    """Call the handlers for which something has come, now that the work is done."""
    global _is_calling
    _is_calling = True
    try:
        while _calls:
            call, data = _calls.pop(0)
            try:
                call(data)
            except Exception as error:
                sys.print_exception(error, sys.stderr)
    finally:
        _is_calling = False


def open_client(host, port, sockbuf):
    """Return a port whose socket is connected, so that what others send is dropped."""
    sock, address = connected(look_up(host, port), sockbuf)
    return SyncPort(sock, address, True)


def reopened(udp, host, port, local, sockbuf):
    """Return (socket, address) for a client's port that is to go on with another socket."""
    found = [(family_of(udp.peer), udp.peer)] if host is None else look_up(host, port)
    return connected(found, sockbuf, local)


def open_server(host, port, sockbuf):
    """Return a port bound to host:port."""
    sock, address = bound(look_up(host, port), sockbuf)
    return SyncPort(sock, address, False)


def address_on(sock, host, port):
    """Return the address of host:port for a socket of the caller's."""
    return addr_key(look_up(host, port)[0][1])


def adopt(sock, release):
    """Return a port on a socket of the caller's; release(sock) is called instead of closing it.

    The socket stays non-blocking: there is no way to ask what it was."""
    sock.setblocking(False)
    return SyncPort(sock, None, False, release)


def view_of(data):
    """Return bytes-like data as a memoryview (itself if it is one: that allocates nothing)."""
    if isinstance(data, memoryview):
        return data
    if isinstance(data, str):
        raise TypeError("data must be bytes, not str")
    return memoryview(data)


class Pollable(io.IOBase):
    """What MicroPython's select.poll and stream functions need. `_ready`: the `Ready` behind it;
    None: closed."""

    _ready = None

    def ioctl(self, request, arg):
        """The stream protocol: POLLIN exactly while recv() or accept() would not block; polling
        does what is due. POLLOUT while send() would not."""
        if request == _IOCTL_CLOSE:
            self.close()
            return 0
        ready = self._ready
        if request != _IOCTL_POLL or ready is None:
            return -_EINVAL
        if not _is_stepping:
            step(0)
        flags = select.POLLIN if ready.can_read else 0
        if self._can_send():
            flags |= select.POLLOUT
        return flags & arg

    def _can_send(self):
        return False

    def _close_signal(self):
        self._ready = None


class Gate:
    """Where a call waits until something has happened (see `_sync`): it works meanwhile."""

    is_busy = True

    def wait(self, wait_ms):
        """Do what is due, for at most wait_ms (-1: without limit), or until something comes."""
        step(wait_ms)

    def wake(self):
        """Have the call that waits look."""
        global _is_woken
        _is_woken = True


_gate = Gate()


def wake_up():
    """Something has come, or there is room: have all ports serve again soon."""
    global _is_woken
    _is_woken = True


def enlist(port, pollable):
    """Have every step serve this port, and wait for `pollable` (None: there is nothing)."""
    _ports.append(port)
    if pollable is not None:
        _by_sock[pollable] = port
        _poller.register(pollable, select.POLLIN)


def strike(port, pollable):
    """Undo enlist(), if it was done."""
    if port in _ports:
        _ports.remove(port)
        if pollable is not None:
            _poller.unregister(pollable)
            del _by_sock[pollable]


class SyncPort:
    """A UDP socket for one `Endpoint` (see `endpoint` and `_sync`); it is its own lock.

    address: what the socket is connected or bound to; give_back(sock): called instead of closing
    it.
    """

    def __init__(self, sock, address, is_client, give_back=None):
        self.sock = sock
        self._pollable = sock
        self._give_back = give_back
        self.peer = addr_key(address) if is_client else None
        self.sockname = None if is_client or address is None else printable(address)
        self.lock = self
        self.backlog = None
        self._endpoint = self._rx = None
        self._is_closed = False
        self.is_inside = False
        self._is_soon = False
        self._is_waiting = False  # for room in the socket
        self._view = None
        self._view_n = -1
        self._view_of = None

    # what the endpoint calls

    def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        self._rx = memoryview(endpoint.rx)[:MAX_DATAGRAM]
        enlist(self, self._pollable)

    def close(self):
        """Stop, and close the socket."""
        if self._is_closed:
            return
        self._is_closed = True
        strike(self, self._pollable)
        if self._give_back is None:
            self.sock.close()
        else:
            self._give_back(self.sock)

    def change(self, sock, peer):
        """(A client's.) Go on with another socket, connected to `peer`."""
        strike(self, self._pollable)
        self.sock.close()
        self.sock = self._pollable = sock
        self.peer = addr_key(peer)
        self._is_waiting = False
        enlist(self, sock)

    def wake(self):
        """Have a turn soon: end() sees to it."""
        self._is_soon = True

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the connected peer)."""
        try:
            if key is None:
                return 0 if self.sock.write(buf, n) is None else 1
            if n != self._view_n or buf is not self._view_of:
                self._view = memoryview(buf)[:n]
                self._view_n = n
                self._view_of = buf
            self.sock.sendto(self._view, key)
            return 1
        except OSError as error:
            return 0 if error.errno == EAGAIN else -1

    # the lock

    def __enter__(self):
        if self.is_inside:
            _refuse()
        return self

    def __exit__(self, kind, error, tb):
        if kind is not None:
            self.if_inside()

    def if_inside(self):
        """An exception may be passing: if it came from the middle of our work, that is the end."""
        if self.is_inside:
            self.is_inside = False
            give_up(self._endpoint, _INTERRUPTED)

    def begin(self):
        """The endpoint and its sessions are used from here on."""
        self.is_inside = True

    def end(self):
        """... until here. Send what is due."""
        if self._is_soon and not self._is_closed:
            self.is_inside = False
            self.serve()
        self.is_inside = False
        if not _is_stepping and ticks_diff(ticks_ms(), _last_ms) >= _BREATH_MS:
            step(0)

    # waiting

    def gate(self):
        """Return the gate (one is enough: whoever waits looks at everything)."""
        return _gate

    def idle(self):
        """A call that may not wait has found nothing: look whether something has come."""
        step(0)

    def tell(self):
        """Something has become ready."""
        global _is_news, _is_woken
        _is_news = _is_woken = True

    def report(self, error, message):
        """Tell about a defect."""
        print(message, file=sys.stderr)
        sys.print_exception(error, sys.stderr)

    def later(self, call, data):
        """Have call(data) called at the end of this step."""
        _calls.append((call, data))

    # inside a step

    def serve(self):
        """Have a turn; return how many ms until the next one, -1: when something comes."""
        self.is_inside = True
        self._is_soon = False
        endpoint = self._endpoint
        wait_ms = endpoint.turn(ticks_ms())
        if endpoint.is_full != self._is_waiting and not self._is_closed:
            self._is_waiting = endpoint.is_full
            _poller.modify(
                self.sock, select.POLLIN | select.POLLOUT if endpoint.is_full else select.POLLIN
            )
        self.is_inside = False
        return wait_ms

    def receive(self, flags):
        """The socket has something for us: take one datagram, or send the one that waits."""
        self.is_inside = True
        if flags & select.POLLOUT and self._endpoint.is_full:
            self._endpoint.unblocked()
        if flags & ~select.POLLOUT:
            self._receive()
        self.is_inside = False

    def _receive(self):
        """Hand one datagram to the endpoint."""
        endpoint = self._endpoint
        key = None
        try:
            if self.peer is None:
                data, key = self.sock.recvfrom(MAX_DATAGRAM)
                n = len(data)
                endpoint.rx[:n] = data
            elif recv_into is not None:
                n = recv_into(self.sock, self._rx)
            else:
                data = self.sock.recv(MAX_DATAGRAM)
                n = len(data)
                endpoint.rx[:n] = data
        except OSError:  # ICMP: an earlier datagram of ours found nobody; or nothing was there
            return
        if n is None:
            return
        endpoint.input(n, key if key is None else addr_key(key), ticks_ms())
