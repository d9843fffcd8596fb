"""Sockets and carriers in a trio program, each for one `Endpoint` (which see for the contract).

One system task per endpoint waits for the socket until the next turn is due, on trio's clock, as
`trio.DTLSEndpoint` does. Whoever gives the endpoint something to do moves that moment to the front
(`wake`): no other task and no thread is involved. When trio.run() ends, so do the endpoints that
are still open.
"""

from __future__ import annotations

import logging
import math
import socket
import threading
from typing import Any, Callable

import trio

from kcp._carry import send, take
from kcp._udp_cpy import WOULD_BLOCK, Sender

from ._core import address_for, anywhere, borrow, bound, connected, give_up, look_up

_DRAIN = 64  # datagrams taken before a turn
_M30 = 0x3FFFFFFF

_logger = logging.getLogger("kcp.trio")


def now_ms() -> int:
    """Return trio's time as the library counts it: ms modulo 2**30."""
    return int(trio.current_time() * 1000) & _M30


async def resolve(host: Any, port: int, passive: bool = False) -> Any:
    """Return [(family, address)], IPv4 first as in Go. A name is looked up in a thread."""
    try:
        return look_up(host, port, passive, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await trio.to_thread.run_sync(look_up, host, port, passive)


async def open_client(host: Any, port: int, sockbuf: int) -> UdpPort:
    """Return a port whose socket is connected, so that the kernel drops what others send."""
    return UdpPort(*connected(await resolve(host, port), sockbuf))


async def open_server(host: Any, port: int, sockbuf: int) -> UdpPort:
    """Return a port bound to host:port. None, "" and "::" take IPv6 and IPv4."""
    found = await resolve(host, port, True) if host else anywhere(port)
    return UdpPort(bound(found, sockbuf), None)


async def adopted_address(sock: Any, host: Any, port: int) -> Any:
    """Return the address of host:port for a socket of the caller's."""
    return address_for(sock, await resolve(host, port))


def adopt(sock: Any, release: Callable[[Any], object]) -> UdpPort:
    """Return a port on a socket of the caller's; release(sock) is called instead of closing it."""
    give_back = borrow(sock)

    def let_go(sock: Any) -> None:
        give_back()
        release(sock)

    return UdpPort(sock, None, let_go)


class Port:
    """What the two kinds of port have in common: the task, and when it is to look again."""

    sock: Any
    peer: Any = None
    sockname: Any = None

    def __init__(self) -> None:
        self._endpoint: Any = None
        self._is_closed = False
        self._is_soon = False  # a turn was asked for
        self._turn_at = math.inf  # when the next one is due, in trio's time
        self._scope = trio.CancelScope()  # of the waiting

    async def start(self, endpoint: Any) -> None:
        """Begin to receive."""
        self._endpoint = endpoint
        trio.lowlevel.spawn_system_task(self._run, name="KCP endpoint")

    def wake(self) -> None:
        """Have a turn soon."""
        if not self._is_soon:
            self._is_soon = True
            self._scope.deadline = -math.inf

    def report(self, error: Exception, message: str) -> None:
        """Tell about a defect; other sessions go on."""
        _logger.error(message, exc_info=error)

    async def _run(self) -> None:
        """The system task: wait, and do what is due, until close()."""
        try:
            while not self._is_closed:
                await self._wait()
                if not self._is_closed:
                    self._step()
        except Exception as error:  # a defect; trio would end the whole program
            _logger.exception("a KCP endpoint failed")
            if not self._endpoint.is_closed:
                give_up(self._endpoint, f"the endpoint failed: {error!r}")
        finally:
            self._endpoint.close()

    async def _wait(self) -> None:
        """Wait until something comes, a turn is due, or close() was called."""
        if self._is_soon:
            await trio.lowlevel.checkpoint()  # after the others' turns
            return
        with trio.CancelScope(deadline=self._turn_at) as self._scope:
            await self._readable()

    def _step(self) -> None:
        """Take what has come, have a turn, and note when the next one is due."""
        endpoint = self._endpoint
        is_more = self._drain()
        if endpoint.is_full:
            endpoint.unblocked()
        self._is_soon = False
        wait_ms = endpoint.turn(now_ms())
        if wait_ms == 0 or is_more:
            self._is_soon = True
        elif wait_ms > 0:
            self._turn_at = trio.current_time() + wait_ms / 1000
        else:
            self._turn_at = math.inf

    async def _readable(self) -> None:
        raise NotImplementedError

    def _drain(self) -> bool:
        """Hand what has come to the endpoint; True if there may be more."""
        raise NotImplementedError


class UdpPort(Sender, Port):
    """A UDP socket; peer: the address it is connected to, or None; give_back(sock): called instead
    of closing it."""

    def __init__(
        self, sock: Any, peer: Any, give_back: Callable[[Any], object] | None = None
    ) -> None:
        super().__init__()
        self.sock = sock
        self.peer = peer
        self.sockname = sock.getsockname()
        self._give_back = give_back

    def close(self) -> None:
        """Stop, and close the socket."""
        self._is_closed = True
        if self.sock.fileno() >= 0:  # else its owner has closed it
            trio.lowlevel.notify_closing(self.sock)
        if self._give_back is None:
            self.sock.close()
        else:
            self._give_back(self.sock)
        self.wake()

    async def _readable(self) -> None:
        try:
            if self._endpoint.is_full:
                await trio.lowlevel.wait_writable(self.sock)
            else:
                await trio.lowlevel.wait_readable(self.sock)
        except trio.ClosedResourceError:
            pass
        except (OSError, ValueError):  # its owner has closed it
            self._endpoint.close()

    def _drain(self) -> bool:
        endpoint = self._endpoint
        take = endpoint.input
        rx = endpoint.rx
        recvfrom_into = self.sock.recvfrom_into
        is_client = self.peer is not None
        at_ms = now_ms()
        for _ in range(_DRAIN):
            try:
                n, address = recvfrom_into(rx)
            except WOULD_BLOCK:
                return False
            except OSError:  # ICMP: an earlier datagram of ours found nobody
                continue
            take(n, None if is_client else address, at_ms)
        return True


class CarrierPort(Port):
    """A carrier (`kcp.carrier`); release(carrier): called at the end."""

    has_raised = False

    def __init__(self, carrier: Any, release: Callable[[Any], object]) -> None:
        super().__init__()
        self.sock = self.carrier = carrier
        self._give_back = release
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.get_ident()

    async def start(self, endpoint: Any) -> None:
        """Begin to receive."""
        self.carrier.on_ready = self._told
        self.wake()
        await super().start(endpoint)

    def close(self) -> None:
        """Stop, and give the carrier back."""
        self._is_closed = True
        self.carrier.on_ready = None
        self._give_back(self.carrier)
        self.wake()

    def send(self, buf: bytearray, n: int, key: Any) -> int:
        """Send buf[:n] to `key` (None: the only peer)."""
        sent: int = send(self, buf, n, key)
        return sent

    def _told(self) -> None:
        """(The carrier's on_ready: perhaps from within another endpoint's turn, or a thread.)"""
        if threading.get_ident() == self._thread:
            self.wake()
        else:
            try:
                self._token.run_sync_soon(self.wake, idempotent=True)
            except trio.RunFinishedError:
                pass

    async def _readable(self) -> None:
        carrier = self.carrier
        if carrier.poll_on is not None:
            look_after_ms = carrier.retry_ms if self._endpoint.is_full else 0
        else:
            look_after_ms = carrier.retry_ms if self._endpoint.is_full else carrier.poll_ms
        if look_after_ms:
            at = trio.current_time() + look_after_ms / 1000
            self._scope.deadline = min(self._scope.deadline, at)
        if carrier.poll_on is None:
            await trio.sleep_forever()
        else:
            await trio.lowlevel.wait_readable(carrier.poll_on)

    def _drain(self) -> bool:
        endpoint = self._endpoint
        carrier = self.carrier
        rx = endpoint.rx
        at_ms = now_ms()
        for _ in range(_DRAIN):
            n = take(self, rx)
            if n <= 0:
                return False
            endpoint.input(n, carrier.key, at_ms)
        return True
