"""`KcpStream`: a session as a trio stream."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable, Union

import trio

from kcp import Session
from kcp.endpoint import Link
from kcp.session import CLOSED

from ._core import apply, guarded
from ._port import now_ms

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from kcp.config import StreamOptions

_SCRATCH_BYTES = 65536

_logger = logging.getLogger("kcp.trio")
Data = Union[bytes, bytearray, "memoryview[Any]"]


def report(error: BaseException, message: str) -> None:
    """Log an exception that has nobody to be raised to."""
    _logger.error(message, exc_info=error)


class StreamLink(Link):
    """The session's place in its endpoint, and who waits for it."""

    def __init__(self, endpoint: Any, session: Session, key: Any = None) -> None:
        super().__init__(endpoint, session, key)
        self.reader = trio.lowlevel.ParkingLot()
        self.writer = trio.lowlevel.ParkingLot()
        self.is_heard = trio.Event()
        self.is_over = trio.Event()
        self._set_marks()

    _marks = ()  # (for `_stream_options.apply`)

    def _set_marks(self) -> None:
        """Take what follows from the settings: a sender that had to wait goes on when there is
        room for half a window, not for every segment that is acknowledged."""
        session = self.session
        self._enough_bytes = max(session.config.sndwnd // 2, 1) * session.mss

    def after_turn(self, now_ms: int) -> None:
        """Wake the tasks that wait for what has happened."""
        session = self.session
        if session.heard:
            self.is_heard.set()
        if session.readable:
            self.reader.unpark()
        if session.snd_room_bytes >= self._enough_bytes:
            self.writer.unpark()

    def on_closed(self) -> None:
        """The session is over."""
        self.is_over.set()
        self.wake_all()

    def wake_all(self) -> None:
        """Let whoever waits look again."""
        self.reader.unpark_all()
        self.writer.unpark_all()


class KcpStream(trio.abc.Stream):
    """A KCP session. Made by `open_stream`, `serve` and `KcpListener.accept`.

    What the stream interface of trio says holds, with what follows from the wire:

    - receive_some() never returns b"": KCP has no end of file. A peer that is gone shows as
      BrokenResourceError once something of ours has stayed unanswered for `dead_ms`, and while
      nothing is sent only with `keepalive_ms` or `idle_ms`. Its __cause__ is the OSError that says
      which limit it was.
    - send_all() returns when the session has taken the data, which is bounded by two send windows;
      cancelled, a part of it may have been taken.
    - aclose() goes on until everything is acknowledged, for at most `linger_ms`, and raises
      BrokenResourceError naming the bytes that were not. Cancelled, it drops them and closes.

    session: the `kcp.Session`, to look at (state, rtt_ms, stats, conv...).
    """

    def __init__(self, link: StreamLink) -> None:
        self._link = link
        self.session: Session = link.session
        self._is_closed = self._is_sending = self._is_receiving = False
        self._is_at_end = False  # of the file: see `MarkedStream`
        self._is_told = False  # that it is broken

    def __repr__(self) -> str:
        broken = self.session.state == CLOSED
        state = "closed" if self._is_closed else "broken" if broken else "open"
        return f"<kcp_trio.{type(self).__name__} {state} peer={self.peername}>"

    @property
    def peername(self) -> Any:
        """The peer's (host, port), or what a carrier calls it."""
        link = self._link
        return link.endpoint.port.peer if link.key is None else link.key

    @property
    def sockname(self) -> Any:
        """This side's (host, port); None on a carrier."""
        return self._link.endpoint.port.sockname

    # sending

    async def send_all(self, data: Data) -> None:
        """Send bytes. BusyResourceError while another task is sending, BrokenResourceError when
        the session has died, ClosedResourceError after aclose()."""
        view = memoryview(data).cast("B")
        self._begin_sending()
        try:
            await trio.lowlevel.checkpoint()
            await self._send(view)
        finally:
            self._is_sending = False

    async def _send(self, view: memoryview[Any]) -> None:
        """send_all() within its guard."""
        self._check_open()
        off = 0
        while off < len(view):
            n = self._give(view[off:])
            off += n
            if not n:
                await self._room()
                self._check_open()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until send_all() would take at least a part of what it is given."""
        self._begin_sending()
        try:
            await trio.lowlevel.checkpoint()
            self._check_open()
            if not self.session.snd_room_bytes:
                await self._room()
            self._check_open()
        finally:
            self._is_sending = False

    def _begin_sending(self) -> None:
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending on this stream already")
        self._is_sending = True

    def _give(self, view: memoryview[Any]) -> int:
        """Queue what fits of the view; return how many bytes that were. In message mode in pieces
        of one segment, as kcp-go's Write does."""
        session = self.session
        n = session.send(view if session.config.stream else view[: session.mss])
        if n:
            self._link.endpoint.kick(self._link)
        return n

    async def _room(self) -> None:
        """Wait until there is room for half a window, or the stream is over."""
        await self._link.writer.park()

    # receiving

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what has come, at most max_bytes; wait for at least one byte. Errors as of
        send_all(); what came before the session died is handed out first."""
        if max_bytes is not None:
            if not isinstance(max_bytes, int):
                raise TypeError(f"max_bytes must be an int, not {type(max_bytes).__name__}")
            if max_bytes < 1:
                raise ValueError("max_bytes must be at least 1; None returns what is there")
        if self._is_receiving:
            raise trio.BusyResourceError("another task is receiving on this stream already")
        self._is_receiving = True
        try:
            await trio.lowlevel.checkpoint()
            return await self._receive(_SCRATCH_BYTES if max_bytes is None else max_bytes)
        finally:
            self._is_receiving = False

    async def _receive(self, n_max: int) -> bytes:
        """receive_some() within its guard."""
        while True:
            if self._is_closed:
                raise trio.ClosedResourceError("this stream was closed")
            data = self._take(n_max)
            if data or self._is_at_end:
                return data
            self._check_open()
            await self._link.reader.park()

    def _take(self, n_max: int) -> bytes:
        """Return at most n_max of the bytes that are here."""
        session = self.session
        if not session.readable:
            return b""
        link = self._link
        scratch = link.endpoint.scratch(_SCRATCH_BYTES)
        n_max = min(n_max, len(scratch))
        n = 0
        while n < n_max:
            n_more = session.recv_into(scratch[n:n_max])
            if not n_more:
                break
            n += n_more
        link.endpoint.touch(link, now_ms())
        return bytes(scratch[:n])

    def _check_open(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError("this stream was closed")
        if self.session.state == CLOSED:
            failure = self.session.failure()
            self._is_told = True
            raise trio.BrokenResourceError(
                failure.strerror if failure is not None else "the session is over"
            ) from failure

    # closing

    async def aclose(self) -> None:
        """Send what is queued, for at most the config's `linger_ms`, and close (see the class)."""
        if self._is_closed:
            await trio.lowlevel.checkpoint()
            return
        self._start_closing(None)
        await self._over()

    def _start_closing(self, linger_ms: int | None) -> None:
        link = self._link
        self._is_closed = True
        self.session.close(now_ms(), linger_ms)
        link.wake_all()
        link.endpoint.kick(link)

    async def _over(self) -> None:
        """Wait for the end of closing; BrokenResourceError if something was lost."""
        link = self._link
        try:
            await trio.lowlevel.checkpoint()
            await link.is_over.wait()
        except BaseException:
            self.session.abort()
            link.endpoint.kick(link)
            raise
        n_lost = self.session.lost_bytes
        if n_lost and not self._is_told:
            failure = self.session.loss(n_lost)
            raise trio.BrokenResourceError(failure.strerror) from failure

    # what KCP has besides

    def set(self, **options: Unpack[StreamOptions]) -> None:
        """Change settings at once: see `kcp.Stream.set`."""
        apply(self._link, options)

    def send_oob(self, data: Data) -> bool:
        """Send one out-of-band packet beside the stream; see `kcp.Session.send_oob`."""
        self._check_open()
        queued = self.session.send_oob(data)
        self._link.endpoint.kick(self._link)
        return queued

    def set_oob_handler(self, handler: Callable[[bytes], object] | None) -> None:
        """Have handler(data) called for every out-of-band packet; None: drop them. It must not
        wait; what it raises is logged."""
        self.session.on_oob = None if handler is None else guarded(handler, report)

    def set_logger(
        self, mask: str | int | None, sink: Callable[..., object] | None = None
    ) -> None:
        """Trace the session: see `kcp.Session.set_logger`. What the sink raises is logged."""
        self.session.set_logger(mask, sink, report)
