"""`open_stream`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from ._core import (
    SOCKBUF,
    Endpoint,
    check_probe,
    claim,
    need_peer,
    new_session,
    no_answer,
    set_up,
    settled,
)
from ._marked import MarkedStream, check_marks
from ._port import CarrierPort, Port, adopt, adopted_address, now_ms, open_client
from ._stream import KcpStream, StreamLink

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from kcp import Config
    from kcp.carrier import CarrierLike
    from kcp.config import Options

_FIRST_PROBE_MS = 100


async def open_stream(
    host: str | None = None,
    port: int | None = None,
    *,
    sock: Any = None,
    carrier: CarrierLike | None = None,
    config: Config | None = None,
    conv: int | None = None,
    probe_ms: int | None = None,
    sockbuf: int = SOCKBUF,
    end_mark: bool = False,
    **options: Unpack[Options],
) -> KcpStream:
    """Open a session to host:port; return a `KcpStream`, with end_mark a `MarkedStream`.

    There is no handshake: without probe_ms nothing is sent before the first send_all(), and
    OSError(ETIMEDOUT) for a peer that does not answer comes only with it. The other parameters
    are those of `kcp.open_connection`; sock: a socket of the socket module.
    """
    config = settled(config, options, host, port, sock, carrier, sockbuf)
    need_peer(host, port, carrier)
    check_probe(probe_ms)
    check_marks(config, end_mark)
    session = new_session(config, conv, now_ms())
    key = None
    udp: Port
    if carrier is not None:
        udp = claim(carrier, CarrierPort)
    elif sock is None:
        assert port is not None
        udp = await open_client(host, port, sockbuf)
    else:
        assert port is not None
        key = await adopted_address(sock, host, port)
        udp = claim(sock, adopt)
    endpoint = Endpoint(udp, session.buffer_bytes)
    link = StreamLink(endpoint, session, key)
    try:
        set_up(udp.sock, config)
        await udp.start(endpoint)
        endpoint.attach(link)
        await trio.lowlevel.checkpoint()
        if probe_ms is not None:
            await _probe(link, probe_ms)
    except BaseException:
        endpoint.close()
        raise
    return MarkedStream(link) if end_mark else KcpStream(link)


async def _probe(link: Any, probe_ms: int) -> None:
    """Ask for the peer's window, again and again, until something valid comes from it."""
    wait_ms = _FIRST_PROBE_MS
    with trio.move_on_after(probe_ms / 1000):
        while not link.session.heard:
            link.session.probe()
            link.endpoint.kick(link)
            with trio.move_on_after(wait_ms / 1000):
                await link.is_heard.wait()
            wait_ms *= 2
    if not link.session.heard:
        raise no_answer(probe_ms)
