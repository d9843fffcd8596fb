"""`create_connection` and `create_server`, what they return, and asyncio's streams on them."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any, Callable, TypeVar, cast

import kcp

from . import _tls
from ._transport import UNLIMITED, Transport

if TYPE_CHECKING:
    from ._tls import _Ssl

_LIMIT = 65536  # of readline() and its like, as in asyncio
_P = TypeVar("_P", bound=asyncio.BaseProtocol)


async def create_connection(
    protocol_factory: Callable[[], _P],
    host: str | None = None,
    port: int | None = None,
    *,
    ssl: _Ssl = None,
    **options: Any,
) -> tuple[asyncio.Transport, _P]:
    """Open a session to host:port; return (transport, protocol), as the event loop's method does.

    ssl: an ssl.SSLContext, or True for the default one: TLS from the beginning, with
    server_hostname (default: host), ssl_handshake_timeout and ssl_shutdown_timeout as there. The
    transport is asyncio's for TLS then; without, it is a `Transport`.
    options: those of `kcp.open_connection` (probe_ms, sock, carrier, crypt, fec...). There is
    no handshake but that of TLS: without it and without probe_ms nothing is sent before the first
    write, and OSError for a peer that is not there comes only with one of them. ValueError on a
    wrong option.
    """
    secure = _tls.for_client(ssl, host, options)
    stream, _ = await kcp.open_connection(host, port, write_limit=UNLIMITED, **options)
    waiting = _tls.Waiting()
    try:
        protocol = waiting if secure is not None else protocol_factory()
        made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        transport = Transport(stream, protocol, made)
        await made
        if secure is not None:
            return await secure.secure(transport, waiting, protocol_factory)
    except BaseException:  # a cancellation too must not leave the socket behind
        stream.close(0)
        raise
    return transport, cast("_P", protocol)


async def create_server(
    protocol_factory: Callable[[], asyncio.BaseProtocol],
    host: str | None = None,
    port: int | None = None,
    *,
    ssl: _Ssl = None,
    **options: Any,
) -> Server:
    """Serve on host:port; protocol_factory() makes the protocol of every session.

    ssl: an ssl.SSLContext with a certificate: sessions begin with TLS; ssl_handshake_timeout and
    ssl_shutdown_timeout as in the event loop's method. A client that fails the handshake is
    dropped, with a line in the log of level DEBUG.
    options: those of `kcp.start_server`. It serves from the beginning. A session begins with the
    client's first datagram; an exception in the factory is reported by the event loop, and ends
    that session.
    """
    secure = _tls.for_server(ssl, options)
    transports: weakref.WeakSet[Any] = weakref.WeakSet()

    async def begin_tls(stream: kcp.Stream, _: kcp.Stream) -> None:
        """Do the handshake; a client that fails it is dropped."""
        assert secure is not None
        waiting = _tls.Waiting()
        made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        transport = Transport(stream, waiting, made)
        transports.add(transport)
        try:
            await made
            secured, _protocol = await secure.secure(transport, waiting, protocol_factory)
        except Exception as error:
            _tls.told(error, transport)
            transport.abort()
        else:
            transports.discard(transport)
            transports.add(secured)

    def begin(stream: kcp.Stream, _: kcp.Stream) -> None:
        transports.add(Transport(stream, protocol_factory(), None))

    server = await kcp.start_server(
        begin if secure is None else begin_tls, host, port, write_limit=UNLIMITED, **options
    )
    return Server(server, transports)


async def open_connection(
    host: str | None = None, port: int | None = None, *, limit: int = _LIMIT, **options: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a session; return asyncio's own (reader, writer), as asyncio.open_connection() does.

    options: those of `create_connection`, so `ssl` too. For programs and libraries that need
    asyncio's classes; else `kcp.open_connection` gives streams that do more.
    """
    reader = asyncio.StreamReader(limit=limit)
    transport, protocol = await create_connection(
        lambda: asyncio.StreamReaderProtocol(reader), host, port, **options
    )
    loop = asyncio.get_running_loop()
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def start_server(
    client_connected_cb: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
    host: str | None = None,
    port: int | None = None,
    *,
    limit: int = _LIMIT,
    **options: Any,
) -> Server:
    """Serve on host:port; client_connected_cb(reader, writer), plain or async, is called for every
    session with asyncio's own streams, as asyncio.start_server() does it. options: those of
    `create_server`."""

    def new_protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=limit), client_connected_cb)

    return await create_server(new_protocol, host, port, **options)


class Server(asyncio.AbstractServer):
    """What `create_server` returns: the methods of asyncio.Server, with its meaning of close().

    In `async with` and after serve_forever() the sessions are closed too: a KCP peer that is gone
    does not say so, and without that wait_closed() could wait for ever.
    """

    def __init__(self, server: kcp.Server, transports: weakref.WeakSet[Any]) -> None:
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
