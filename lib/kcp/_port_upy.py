"""MicroPython: sockets, event loop glue and whatever else the I/O needs. Twin: `_port_cpy`.

MicroPython's asyncio lets a task wait for a socket or for a time, not for both, and has no timer
that another task could move. So an endpoint has two tasks: one receives; the other serves, and is
put into the loop's queue of tasks at the time of its next turn, taken out and put in again when
that time changes, and left out altogether while there is nothing to wait for. None of that
allocates; an idle endpoint is never polled.

`yield` inside `async def` is how MicroPython waits for I/O; in CPython it would make an
asynchronous generator, hence this file.
"""

import asyncio
import sys
import time
from asyncio import Event, TimeoutError, core  # noqa: F401  (CPython has no core: an ImportError there)
from errno import EAGAIN

from ._clock import ticks_ms
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

_DRAIN = 16  # datagrams taken from the socket before a turn


class IncompleteReadError(EOFError):
    """End of file in the middle of a read: `partial` holds what had come."""

    def __init__(self, partial, expected):
        super().__init__("{} bytes read of {}".format(len(partial), expected))
        self.partial = partial
        self.expected = expected


def limit_overrun(consumed):
    """Return the error for a separator that did not come within the limit."""
    return ValueError("separator is not found, and chunk exceed the limit")


def incomplete_read(partial, expected):
    """Return the error for an end of file in the middle of a read (an EOFError)."""
    return IncompleteReadError(partial, expected)


def yield_once():
    """Awaitable: let the loop's other tasks run once."""
    return asyncio.sleep_ms(0)


def spawn(coroutine):
    """Run a coroutine as a task of its own."""
    asyncio.create_task(coroutine)  # noqa: RUF006  (the loop holds it)


def report(error, message):
    """Tell about an exception that has nobody to be raised to."""
    handler = core.Loop.get_exception_handler()
    if handler:
        handler(core.Loop, {"message": message, "exception": error, "future": None})
    else:  # asyncio's default handler wants a future
        print(message, file=sys.stderr)
        sys.print_exception(error, sys.stderr)


class Waiter:
    """Lets one task sleep until another calls wake(); is_busy while one does."""

    def __init__(self):
        self.is_busy = False
        self._task = None
        self._is_timed = False  # it lies in the loop's queue meanwhile

    def remove(self, task):
        """(asyncio calls this when it cancels the sleeping task.)"""
        self._task = None

    def wait(self):
        """Sleep until wake(). Only one task may at a time (the caller sees to that)."""
        self.is_busy = True
        self._task = core.cur_task
        core.cur_task.data = self
        try:
            yield
        finally:
            self.is_busy = False

    def wait_ms(self, n_ms):
        """wait(), but for n_ms at most. (wait_for_ms() makes two tasks, and does a cancellation
        away that comes when the time is up.)"""
        self.is_busy = self._is_timed = True
        self._task = core.cur_task
        core._task_queue.push(core.cur_task, time.ticks_add(time.ticks_ms(), n_ms))
        try:
            yield
        finally:
            self.is_busy = self._is_timed = False
            self._task = None

    def wake(self):
        """Wake the task that sleeps, if any."""
        task = self._task
        if task is not None:
            self._task = None
            if self._is_timed:
                if task.data is not None:
                    return  # it is cancelled, and awake
                core._task_queue.remove(task)
            core._task_queue.push(task)


async def open_client(host, port, sockbuf):
    """Return a port whose socket is connected, so that what others send is dropped."""
    sock, address = connected(look_up(host, port), sockbuf)
    return UdpPort(sock, address, True)


async def reopened(udp, host, port, local, sockbuf):
    """Return (socket, address) for a client's port that is to go on with another socket."""
    found = [(family_of(udp.peer), udp.peer)] if host is None else look_up(host, port)
    return connected(found, sockbuf, local)


async def open_server(host, port, sockbuf):
    """Return a port bound to host:port."""
    sock, address = bound(look_up(host, port), sockbuf)
    return UdpPort(sock, address, False)


async def adopted_address(sock, host, port):
    """Return the address of host:port for a socket of the caller's."""
    return addr_key(look_up(host, port)[0][1])


def adopt(sock, release):
    """Return a port on a socket of the caller's; release(sock) is called instead of closing it.

    The socket stays non-blocking: there is no way to ask what it was."""
    sock.setblocking(False)
    return UdpPort(sock, None, False, release)


class UdpPort:
    """A UDP socket in the asyncio loop, for one `Endpoint` (which see for the methods' contract).

    address: what the socket is connected or bound to; give_back(sock): called instead of closing
    it.
    """

    def __init__(self, sock, address, is_client, give_back=None):
        self.sock = sock
        self._give_back = give_back
        self.peer = addr_key(address) if is_client else None
        self.sockname = None if is_client or address is None else printable(address)
        self._endpoint = None
        self._is_closed = False
        self._receiver = None
        self._server = None
        self._at_ms = None  # the loop's time at which the serving task is to run, or None
        self._is_parked = False  # False: it runs, or waits for the socket
        self._is_blocked = False  # waits for room in the socket
        self._view = None
        self._view_n = -1
        self._view_of = None

    async def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        self._receiver = asyncio.create_task(self._receive())
        self._server = asyncio.create_task(self._serve())

    def close(self):
        """Stop, and close the socket."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._receiver is not None:
            if self._receiver is not core.cur_task:
                self._receiver.cancel()
            if self._is_blocked:
                self._server.cancel()
            else:
                self.wake()  # it sees that all is over
        if self._give_back is not None:
            self._give_back(self.sock)
        else:
            self.sock.close()

    def change(self, sock, peer):
        """(A client's.) Go on with another socket, connected to `peer`."""
        old = self.sock
        self.sock = sock
        self.peer = addr_key(peer)
        waiting = core._io_queue.map.get(id(old))
        if waiting is not None:  # the tasks look, and then wait for the new one
            core._io_queue._dequeue(old)
            for task in waiting[:2]:
                if task is not None:
                    core._task_queue.push(task)
        old.close()

    def wake(self):
        """Have a turn soon."""
        self._run_at(time.ticks_ms())

    def _run_at(self, at_ms):
        if not self._is_parked:
            return  # it will look for itself
        if self._at_ms is not None:
            if time.ticks_diff(self._at_ms, at_ms) <= 0:
                return
            core._task_queue.remove(self._server)
        self._at_ms = at_ms
        core._task_queue.push(self._server, at_ms)

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

    def report(self, error, message):
        """Tell about a defect, as the loop does of tasks."""
        report(error, message)

    def remove(self, task):
        """(asyncio calls this when it cancels the parked task.)"""

    # tasks

    async def _receive(self):
        """The task that waits for the socket, and hands what comes to the endpoint."""
        endpoint = self._endpoint
        take = endpoint.input
        rx = endpoint.rx
        is_client = self.peer is not None
        into = recv_into if is_client else None
        view = memoryview(rx)[:MAX_DATAGRAM]
        key = None
        while not self._is_closed:
            yield core._io_queue.queue_read(self.sock)
            sock = self.sock
            now_ms = ticks_ms()
            for _ in range(_DRAIN):
                try:
                    if into is not None:
                        n = into(sock, view)
                        if n is None:
                            break
                    else:
                        if is_client:
                            data = sock.recv(MAX_DATAGRAM)
                        else:
                            data, key = sock.recvfrom(MAX_DATAGRAM)
                            key = addr_key(key)
                        n = len(data)
                        rx[:n] = data
                except OSError as error:
                    if error.errno == EAGAIN:
                        break
                    continue  # ICMP: an earlier datagram of ours found nobody
                take(n, key, now_ms)
            self._turn_and_plan()

    def _turn_and_plan(self):
        """A turn in the receiving task; the serving task goes on from there."""
        wait_ms = self._endpoint.turn(ticks_ms())
        if self._endpoint.is_full:
            wait_ms = 0
        if wait_ms >= 0 and not self._is_closed:
            self._run_at(time.ticks_add(time.ticks_ms(), wait_ms))

    async def _serve(self):
        """The task that has the turns, and is parked between them (see the top of this file)."""
        endpoint = self._endpoint
        while not self._is_closed:
            if endpoint.is_full:
                self._is_blocked = True
                yield core._io_queue.queue_write(self.sock)
                self._is_blocked = False
                if self._is_closed:
                    return
                endpoint.unblocked()
            wait_ms = endpoint.turn(ticks_ms())
            if endpoint.is_full or self._is_closed:
                continue
            self._is_parked = True
            if wait_ms >= 0:
                self._at_ms = time.ticks_add(time.ticks_ms(), wait_ms)
                core._task_queue.push(core.cur_task, self._at_ms)
            else:
                self._at_ms = None
                core.cur_task.data = self
            yield
            self._is_parked = False
