"""CPython: sockets, event loop glue and whatever else the I/O needs. Twin: `_port_upy`.

Receiving is by `loop.add_reader` and draining the socket in a loop: the stock datagram transport
of asyncio hands over one datagram per select() and is eight times slower. Loops without add_reader
(the proactor loop of Windows) get a datagram transport all the same.
"""

import asyncio
import socket
from asyncio import Event, IncompleteReadError, TimeoutError  # noqa: F401

from ._clock import ticks_ms
from ._udp_cpy import (
    WOULD_BLOCK,
    Sender,
    address_for,
    anywhere,
    borrow,
    bound,
    connected,
    look_up,
    printable,  # noqa: F401
)

_DRAIN = 64  # datagrams taken from the socket before a turn


class LimitOverrunError(asyncio.LimitOverrunError, ValueError):
    """No separator within `limit` bytes (asyncio's readline raises ValueError for it)."""


def limit_overrun(consumed: int) -> LimitOverrunError:
    """Return the error for a separator that did not come within the limit."""
    return LimitOverrunError("separator is not found, and chunk exceed the limit", consumed)


def incomplete_read(partial: bytes, expected) -> IncompleteReadError:
    """Return the error for an end of file in the middle of a read (an EOFError)."""
    return IncompleteReadError(partial, expected)


def yield_once():
    """Awaitable: let the loop's other tasks run once."""
    return asyncio.sleep(0)


_spawned = set()  # the loop itself holds only weak references to tasks


def spawn(coroutine):
    """Run a coroutine as a task of its own."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _spawned.add(task)
    task.add_done_callback(_spawned.discard)


def report(error, message: str):
    """Tell about an exception that has nobody to be raised to."""
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})


class Waiter:
    """Lets one task sleep until another calls wake(); is_busy while one does."""

    __slots__ = ("_future", "is_busy")

    def __init__(self):
        self.is_busy = False
        self._future = None

    async def wait(self):
        """Sleep until wake(). Only one task may at a time (the caller sees to that)."""
        self.is_busy = True
        self._future = asyncio.get_running_loop().create_future()
        try:
            await self._future
        finally:
            self.is_busy = False
            self._future = None

    async def wait_ms(self, n_ms: int):
        """wait(), but for n_ms at most. (Before 3.12 wait_for() does a cancellation away that
        comes with what was waited for.)"""
        timer = asyncio.get_running_loop().call_later(n_ms / 1000, self.wake)
        try:
            await self.wait()
        finally:
            timer.cancel()

    def wake(self):
        """Wake the task that sleeps, if any."""
        future = self._future
        if future is not None and not future.done():
            future.set_result(None)


# addresses


async def resolve(host, port: int, passive: bool = False) -> list:
    """Return [(family, address)], IPv4 first as in Go; a name is looked up in a thread."""
    try:
        return look_up(host, port, passive, socket.AI_NUMERICHOST)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, look_up, host, port, passive)


async def open_client(host, port: int, sockbuf: int) -> "UdpPort":
    """Return a port whose socket is connected, so that the kernel drops what others send."""
    return UdpPort(*connected(await resolve(host, port), sockbuf))


async def reopened(udp, host, port, local, sockbuf: int) -> tuple:
    """Return (socket, address) for a client's port that is to go on with another socket."""
    found = [(udp.sock.family, udp.peer)] if host is None else await resolve(host, port)
    return connected(found, sockbuf, local)


async def open_server(host, port: int, sockbuf: int) -> "UdpPort":
    """Return a port bound to host:port. None, "" and "::" take IPv6 and IPv4."""
    if host:
        found = await resolve(host, port, True)
    else:
        found = anywhere(port)
    return UdpPort(bound(found, sockbuf), None)


async def adopted_address(sock, host, port: int):
    """Return the address of host:port for a socket of the caller's."""
    return address_for(sock, await resolve(host, port))


def adopt(sock, release) -> "UdpPort":
    """Return a port on a socket of the caller's; release(sock) is called instead of closing it."""
    give_back = borrow(sock)

    def let_go(sock):
        give_back()
        release(sock)

    return UdpPort(sock, None, let_go)


class UdpPort(Sender):
    """A UDP socket in an asyncio loop, for one `Endpoint` (which see for the methods' contract).

    peer: the address the socket is connected to, or None; give_back(sock): called instead of
    closing it.
    """

    def __init__(self, sock, peer, give_back=None):
        self.sock = sock
        self._give_back = give_back
        self.peer = peer
        self.sockname = sock.getsockname()
        self._endpoint = None
        self._loop = None
        self._transport = None  # for loops without add_reader
        self._is_paused = False
        self._is_blocked = False  # waits for room in the socket
        self._is_soon = False
        self._timer = None
        self._timer_at = 0.0

    async def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        self._loop = loop = asyncio.get_running_loop()
        callback = self._drain_server if self.peer is None else self._drain_client
        try:
            loop.add_reader(self.sock, callback)
        except NotImplementedError:
            sock = self.sock if self._give_back is None else self.sock.dup()  # it closes its own
            await self._open_transport(sock)

    def close(self):
        """Stop, and close the socket."""
        loop = self._loop
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()
        elif loop is not None and self.sock.fileno() >= 0:  # else its owner has closed it
            loop.remove_reader(self.sock)
            loop.remove_writer(self.sock)
        if self._give_back is not None:
            self._give_back(self.sock)
        elif self._transport is None:
            self.sock.close()
        self._loop = None

    def change(self, sock, peer):
        """(A client's.) Go on with another socket, connected to `peer`."""
        loop, old = self._loop, self.sock
        self.sock, self.peer, self.sockname = sock, peer, sock.getsockname()
        self._is_blocked = False
        if self._transport is None:
            loop.remove_reader(old)
            loop.remove_writer(old)
            old.close()
            loop.add_reader(sock, self._drain_client)
        else:
            self._transport.close()
            self._is_paused = True  # until there is another one
            spawn(self._open_transport(sock))

    def _open_transport(self, sock):
        """(For loops without add_reader.)"""
        protocol = _Protocol(self, self.sock)
        return self._loop.create_datagram_endpoint(lambda: protocol, sock=sock)

    def wake(self):
        """Have a turn soon."""
        if not self._is_soon and self._loop is not None:
            self._is_soon = True
            self._loop.call_soon(self._on_soon)

    def report(self, error, message):
        """Tell about a defect, as the loop does of callbacks."""
        report(error, message)

    def _send_by_transport(self, buf, n, key):
        """(Takes the place of send() on loops without add_reader.)"""
        if self._is_paused:
            return 0
        self._transport.sendto(bytes(memoryview(buf)[:n]), key)
        return 1

    # callbacks of the loop

    def _drain_client(self):
        """Hand what has come to the endpoint, and have a turn: on a connected socket."""
        endpoint = self._endpoint
        take = endpoint.input
        rx = endpoint.rx
        recv_into = self.sock.recv_into
        now_ms = ticks_ms()
        for _ in range(_DRAIN):
            try:
                n = recv_into(rx)
            except WOULD_BLOCK:
                break
            except OSError:  # ICMP: an earlier datagram of ours found nobody
                continue
            take(n, None, now_ms)
        self._turn()

    def _drain_server(self):
        """The same, with the address of each datagram."""
        endpoint = self._endpoint
        take = endpoint.input
        rx = endpoint.rx
        recvfrom_into = self.sock.recvfrom_into
        now_ms = ticks_ms()
        for _ in range(_DRAIN):
            try:
                n, address = recvfrom_into(rx)
            except WOULD_BLOCK:
                break
            except OSError:
                continue
            take(n, address, now_ms)
        self._turn()

    def _on_soon(self):
        self._is_soon = False
        self._turn()

    def _on_timer(self):
        self._timer = None
        self._turn()

    def _on_writable(self):
        if self._loop is not None:
            self._is_blocked = False
            self._loop.remove_writer(self.sock)
            self._endpoint.unblocked()
            self._turn()

    def _turn(self):
        """Have a turn, and see to it that the next one comes when it is due."""
        if self._loop is None:
            return
        wait_ms = self._endpoint.turn(ticks_ms())
        loop = self._loop
        if loop is None:
            return
        if wait_ms == 0:
            self.wake()
        elif wait_ms > 0:
            self._arm(loop.time() + wait_ms / 1000)
        elif self._endpoint.is_full and not self._is_blocked and self._transport is None:
            self._is_blocked = True
            loop.add_writer(self.sock, self._on_writable)

    def _arm(self, at):
        timer = self._timer
        if timer is not None:
            if self._timer_at <= at + 0.0005:
                return  # it may come early: the turn then says how long is left
            timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._on_timer)

    # called by _Protocol

    def opened(self, transport, sock):
        """There is a transport for `sock`: the one in use, or one that was."""
        if self._loop is None or sock is not self.sock:
            transport.close()
            return
        self._transport = transport
        self.send = self._send_by_transport
        self.set_paused(False)

    def received(self, data, address):
        """One datagram came through the transport."""
        if self._loop is not None:
            n = min(len(data), len(self._endpoint.rx))
            self._endpoint.rx[:n] = data[:n]
            self._endpoint.input(n, None if self.peer is not None else address, ticks_ms())
            self.wake()

    def set_paused(self, is_paused):
        """The transport's buffer is full, or has room again."""
        self._is_paused = is_paused
        if not is_paused and self._loop is not None:
            self._endpoint.unblocked()
            self.wake()


class _Protocol(asyncio.DatagramProtocol):
    """Connects a datagram transport to a UdpPort."""

    def __init__(self, port, sock):
        self._port = port
        self._sock = sock

    def connection_made(self, transport):
        self._port.opened(transport, self._sock)

    def datagram_received(self, data, addr):
        self._port.received(data, addr)

    def error_received(self, exc):
        pass

    def pause_writing(self):
        self._port.set_paused(True)

    def resume_writing(self):
        self._port.set_paused(False)
