"""`open_listener` and `serve`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Callable

import trio

from kcp import Listener
from kcp.session import CLOSED

from ._core import SOCKBUF, Endpoint, apply_to_server, claim, fill, need_place, set_up, settled
from ._marked import MarkedStream, check_marks
from ._port import CarrierPort, Port, adopt, now_ms, open_server
from ._stream import KcpStream, StreamLink

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from kcp import Config, Session, Stats
    from kcp.carrier import CarrierLike
    from kcp.config import Options, SocketOptions


async def open_listener(
    host: str | None = None,
    port: int | None = None,
    *,
    sock: Any = None,
    carrier: CarrierLike | None = None,
    config: Config | None = None,
    sockbuf: int = SOCKBUF,
    end_mark: bool = False,
    **options: Unpack[Options],
) -> KcpListener:
    """Take sessions at host:port, which accept() hands out; end_mark: as `MarkedStream`s.

    The other parameters are those of `kcp.start_server`; `Config.backlog` bounds the sessions that
    wait for accept(), `Config.max_sessions` all.
    """
    config = settled(config, options, host, port, sock, carrier, sockbuf)
    need_place(port, sock, carrier)
    check_marks(config, end_mark)
    udp: Port
    if carrier is not None:
        udp = claim(carrier, CarrierPort)
    elif sock is not None:
        udp = claim(sock, adopt)
    else:
        assert port is not None
        udp = await open_server(host, port, sockbuf)
    listener = KcpListener(udp, config, MarkedStream if end_mark else KcpStream)
    try:
        set_up(udp.sock, config)
        await udp.start(listener._endpoint)
        await trio.lowlevel.checkpoint()
    except BaseException:
        listener._endpoint.close()
        raise
    return listener


async def serve(
    handler: Callable[[KcpStream], Awaitable[object]],
    host: str | None = None,
    port: int | None = None,
    *,
    handler_nursery: trio.Nursery | None = None,
    task_status: trio.TaskStatus[list[KcpListener]] = trio.TASK_STATUS_IGNORED,
    **options: Any,
) -> None:
    """Serve on host:port until cancelled: handler(stream) is run as a task for every session, and
    the stream closed behind it, as `trio.serve_tcp` does. options: those of `open_listener`.

    `nursery.start(serve, ...)` returns [the `KcpListener`], whose `sockname` tells the port.
    """
    listener = await open_listener(host, port, **options)
    await trio.serve_listeners(
        handler, [listener], handler_nursery=handler_nursery, task_status=task_status
    )


class KcpListener(trio.abc.Listener[KcpStream]):
    """Sessions that come. Made by `open_listener`; `trio.SSLListener` takes it."""

    def __init__(self, udp: Port, config: Config, kind: type[KcpStream]) -> None:
        self._kind = kind
        self._listener = Listener(config, fill)
        self._endpoint = Endpoint(
            udp, self._listener.buffer_bytes, self._listener, self._on_session, False
        )
        self._news = trio.lowlevel.ParkingLot()

    def _on_session(self, session: Session, key: Any) -> StreamLink:
        self._news.unpark()
        return StreamLink(self._endpoint, session, key)

    @property
    def sockname(self) -> Any:
        """The (host, port) that it is bound to."""
        return self._endpoint.port.sockname

    @property
    def stats(self) -> Stats:
        """The listener's counters."""
        return self._listener.stats

    def set(self, **options: Unpack[SocketOptions]) -> None:
        """Change `dscp`, `read_buffer`, `write_buffer` of the socket: see `kcp.Server.set`."""
        apply_to_server(self._endpoint, options)

    async def accept(self) -> KcpStream:
        """Return the stream of the session that has waited longest; wait for one. Any number of
        tasks may. ClosedResourceError after aclose(), BrokenResourceError if the socket failed."""
        await trio.lowlevel.checkpoint()
        while True:
            if self._endpoint.is_closing:
                raise trio.ClosedResourceError("this listener was closed")
            pair = self._listener.accept()
            if pair is None:
                await self._news.park()
            elif pair[1] in self._endpoint.links:
                return self._kind(self._endpoint.links[pair[1]])

    async def aclose(self) -> None:
        """Take no new sessions, and drop those that nobody has accepted. Accepted ones go on; the
        socket is closed with the last of them."""
        if not self._endpoint.is_closing:
            for session, _ in list(self._listener.backlog):
                if session.state != CLOSED:
                    session.close(now_ms(), 0)
            self._endpoint.shutdown()
            for link in list(self._endpoint.links.values()):
                self._endpoint.kick(link)
            self._news.unpark_all()
        await trio.lowlevel.checkpoint()
