"""`create_connection` and `create_server`, with what they return."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Callable, TypeVar

import kcp

from ._transport import UNLIMITED, Transport

_P = TypeVar("_P", bound=asyncio.BaseProtocol)


async def create_connection(
    protocol_factory: Callable[[], _P],
    host: str | None = None,
    port: int | None = None,
    **options: Any,
) -> tuple[Transport, _P]:
    """Open a session to host:port; return (transport, protocol), as the event loop's method does.

    options: those of `kcp.open_connection` (probe_ms, sock, carrier, crypt, fec...). There is
    no handshake: without probe_ms nothing is sent before the first write, and OSError for a
    peer that is not there comes only with it. ValueError on a wrong option.
    """
    stream, _ = await kcp.open_connection(host, port, write_limit=UNLIMITED, **options)
    try:
        protocol = protocol_factory()
        made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        transport = Transport(stream, protocol, made)
        await made
    except BaseException:  # a cancellation too must not leave the socket behind
        stream.close(0)
        raise
    return transport, protocol


async def create_server(
    protocol_factory: Callable[[], asyncio.BaseProtocol],
    host: str | None = None,
    port: int | None = None,
    **options: Any,
) -> Server:
    """Serve on host:port; protocol_factory() makes the protocol of every session.

    options: those of `kcp.start_server`. It serves from the beginning. A session begins with the
    client's first datagram; an exception in the factory is reported by the event loop, and ends
    that session.
    """
    transports: weakref.WeakSet[Transport] = weakref.WeakSet()

    def begin(stream: kcp.Stream, _: kcp.Stream) -> None:
        transports.add(Transport(stream, protocol_factory(), None))

    server = await kcp.start_server(begin, host, port, write_limit=UNLIMITED, **options)
    return Server(server, transports)


class Server(asyncio.AbstractServer):
    """What `create_server` returns: the methods of asyncio.Server, with its meaning of close().

    In `async with` and after serve_forever() the sessions are closed too: a KCP peer that is gone
    does not say so, and without that wait_closed() could wait for ever.
    """

    def __init__(self, server: kcp.Server, transports: weakref.WeakSet[Transport]) -> None:
        self._server = server
        self._transports = transports
        self._loop = asyncio.get_running_loop()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop."""
        return self._loop

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The one UDP socket, until it is closed; the sessions share it."""
        return self._server.sockets

    def is_serving(self) -> bool:
        """True until close()."""
        return self._server.is_serving()

    async def start_serving(self) -> None:
        """Does nothing: a server serves from the beginning."""

    async def serve_forever(self) -> None:
        """Wait until the server is closed; when cancelled, close it and its sessions."""
        try:
            await self._server.wait_closed()
        finally:
            self.close()
            self.close_clients()
            await self.wait_closed()

    def close(self) -> None:
        """Take no new sessions. Those there are go on; with the last one the socket closes."""
        self._server.endpoint.shutdown()

    def close_clients(self) -> None:
        """close() the transport of every session."""
        for transport in list(self._transports):
            transport.close()

    def abort_clients(self) -> None:
        """abort() the transport of every session."""
        for transport in list(self._transports):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until close() was called and the last session is gone."""
        await self._server.wait_closed()

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.close()
        self.close_clients()
        await self.wait_closed()
