"""TLS from the beginning: the `ssl` argument of `create_connection` and `create_server`."""

from __future__ import annotations

import asyncio
import logging
import ssl as tls
from typing import Any, Callable, TypeVar, Union

from ._transport import Transport

_P = TypeVar("_P", bound=asyncio.BaseProtocol)
_Ssl = Union[tls.SSLContext, bool, None]

_logger = logging.getLogger("kcp.asyncio")
_NO_CONTEXT = "ssl must be an ssl.SSLContext{}, not {!r}"


class Tls:
    """What the arguments about TLS say: ssl, server_hostname, and the two time limits."""

    def __init__(
        self,
        context: tls.SSLContext,
        server_side: bool,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> None:
        self._context = context
        self._options: dict[str, Any] = {"server_side": server_side}
        if server_hostname is not None:
            self._options["server_hostname"] = server_hostname
        if ssl_handshake_timeout is not None:
            self._options["ssl_handshake_timeout"] = ssl_handshake_timeout
        if ssl_shutdown_timeout is not None:  # Python 3.11
            self._options["ssl_shutdown_timeout"] = ssl_shutdown_timeout

    async def secure(
        self, transport: Transport, waiting: Waiting, protocol_factory: Callable[[], _P]
    ) -> tuple[asyncio.Transport, _P]:
        """Do the handshake; then make the protocol and connect it to the TLS transport, as if it
        had begun there. ssl.SSLError, or another OSError, if there is no TLS; the transport is
        closed then."""
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(transport, waiting, self._context, **self._options)
        assert secured is not None
        try:
            protocol = protocol_factory()
            protocol.connection_made(secured)
            waiting.hand_over(protocol)
            secured.set_protocol(protocol)
        except BaseException:
            secured.abort()
            raise
        return secured, protocol


def for_client(ssl: _Ssl, host: str | None, options: dict[str, Any]) -> Tls | None:
    """Take the arguments about TLS out of a client's options; None: there is to be none."""
    given = _taken(ssl, options, "server_hostname")
    if given is None:
        return None
    if ssl is True:
        ssl = tls.create_default_context()
    if not isinstance(ssl, tls.SSLContext):
        raise TypeError(_NO_CONTEXT.format(" or True", ssl))
    if "server_hostname" not in given:
        if not host:
            raise ValueError("say server_hostname, the name to verify: there is no host")
        given["server_hostname"] = host
    return Tls(ssl, False, **given)


def for_server(ssl: _Ssl, options: dict[str, Any]) -> Tls | None:
    """The same of a server's."""
    given = _taken(ssl, options)
    if given is None:
        return None
    if not isinstance(ssl, tls.SSLContext):
        raise TypeError(_NO_CONTEXT.format(" with a certificate", ssl))
    return Tls(ssl, True, **given)


def _taken(ssl: _Ssl, options: dict[str, Any], *names: str) -> dict[str, Any] | None:
    given = {}
    for name in (*names, "ssl_handshake_timeout", "ssl_shutdown_timeout"):
        value = options.pop(name, None)
        if value is not None:
            given[name] = value
    if ssl is None or ssl is False:
        if given:
            raise ValueError(f"{', '.join(given)}: only with ssl")
        return None
    return given


class Waiting(asyncio.Protocol):
    """Stands in for the protocol until TLS is there, and keeps what comes meanwhile."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, tuple[Any, ...]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """(Of the transport below.) Nothing is to come before start_tls() looks at it."""
        assert isinstance(transport, Transport)
        transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Keep it: what the peer sent with the end of its handshake."""
        self._kept.append(("data_received", (data,)))

    def eof_received(self) -> None:
        """Keep it."""
        self._kept.append(("eof_received", ()))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Keep it."""
        self._kept.append(("connection_lost", (exc,)))

    def hand_over(self, protocol: Any) -> None:
        """Give the protocol what came for it, in the order in which it came."""
        for name, arguments in self._kept:
            if name == "data_received" and isinstance(protocol, asyncio.BufferedProtocol):
                _fill(protocol, *arguments)
            else:
                getattr(protocol, name)(*arguments)
        self._kept.clear()


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Put data into a BufferedProtocol's own buffers."""
    while data:
        buf = memoryview(protocol.get_buffer(len(data))).cast("B")
        n = min(len(buf), len(data))
        buf[:n] = data[:n]
        protocol.buffer_updated(n)
        data = data[n:]


def told(error: BaseException, transport: Transport) -> None:
    """A client of a server's has failed the handshake: as asyncio does, a word for developers."""
    if isinstance(error, OSError):
        _logger.debug("%r: no TLS: %r", transport, error)
    else:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "TLS could not begin", "exception": error, "transport": transport}
        )
