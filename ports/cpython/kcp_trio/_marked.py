"""`MarkedStream`: an end of file, said in the stream itself, for two ends that have agreed on it.

Everything sent is a row of frames: a length in two bytes (big-endian), 1 to 65535, and so many
bytes. A length of 0 says that no more data will come; a second one, that this end does not read
any more either. A frame is queued whole or not at all, so that a cancelled send_all() leaves no
half of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from kcp.session import CLOSED

from ._stream import KcpStream, StreamLink

if TYPE_CHECKING:
    from kcp import Config

_HEAD_BYTES = 2
_MAX_FRAME = 65535
_MARK = bytes(_HEAD_BYTES)
_GONE_LINGER_MS = 1000  # for the last acknowledgements, to a peer that has closed


def check_marks(config: Config, end_mark: bool) -> None:
    """Raise ValueError if end marks are asked for where they cannot be."""
    if end_mark and not config.stream:
        raise ValueError("end_mark=True needs stream=True: frames are not messages")


class MarkedStream(KcpStream, trio.abc.HalfCloseableStream):
    """A `KcpStream` with an end of file: send_eof() makes the peer's receive_some() return b"".

    Both ends need end_mark=True. aclose() says that it is the end, too, so a peer that closes in
    good order is told from one that has vanished (BrokenResourceError).
    """

    def __init__(self, link: StreamLink) -> None:
        super().__init__(link)
        self._frame_left = 0  # bytes of the frame that is being read
        self._head = bytearray()  # of the next one
        self._n_marks_sent = self._n_marks_read = 0

    # sending

    async def _send(self, view: memoryview[Any]) -> None:
        self._check_open()
        if self._n_marks_sent:
            raise trio.ClosedResourceError("send_eof() was called")
        await super()._send(view)

    def _give(self, view: memoryview[Any]) -> int:
        """Queue a frame with what fits of the view; return how many bytes of it."""
        session = self.session
        n = min(len(view), _MAX_FRAME, session.snd_room_bytes - _HEAD_BYTES)
        if n <= 0:
            return 0
        taken = session.send(n.to_bytes(_HEAD_BYTES, "big")) + session.send(view[:n])
        assert taken == _HEAD_BYTES + n
        self._link.endpoint.kick(self._link)
        return n

    async def send_eof(self) -> None:
        """Say that no more data will come. The peer can go on sending."""
        self._begin_sending()
        try:
            await trio.lowlevel.checkpoint()
            self._check_open()
            if not self._n_marks_sent:
                await self._send_mark()
        finally:
            self._is_sending = False

    async def _send_mark(self) -> None:
        while not self.session.snd_room_bytes:
            await self._room()
            self._check_open()
        self._n_marks_sent += 1
        self.session.send(_MARK)
        self._link.endpoint.kick(self._link)

    # receiving

    def _take(self, n_max: int) -> bytes:
        """Return at most n_max bytes of what is here; b"": nothing is, or it is the end."""
        while not self._frame_left:
            if self._n_marks_read == 2:
                return b""
            self._head += super()._take(_HEAD_BYTES - len(self._head))
            if len(self._head) < _HEAD_BYTES:
                return b""
            self._frame_left = int.from_bytes(self._head, "big")
            self._head.clear()
            if not self._frame_left:
                self._n_marks_read += 1
                self._is_at_end = True
                return b""
        data = super()._take(min(n_max, self._frame_left))
        self._frame_left -= len(data)
        return data

    # closing

    async def aclose(self) -> None:
        """Say that it is the end, send what is queued, for at most the config's `linger_ms`, and
        close. A peer that has said itself that it is gone is not waited for longer than 1 s."""
        if self._is_closed:
            await trio.lowlevel.checkpoint()
            return
        if self._is_at_end:
            self._take(1)  # the second mark, if it is here
        linger_ms = self.session.config.linger_ms
        if self._n_marks_read == 2:
            self._is_told = True  # what it did not take, it did not want
            linger_ms = min(linger_ms, _GONE_LINGER_MS)
        self._is_closed = True
        self._link.wake_all()
        closing_at = trio.current_time() + linger_ms / 1000
        try:
            with trio.move_on_at(closing_at):
                await self._mark_the_end()
            left_ms = max(int((closing_at - trio.current_time()) * 1000), 0)
        except BaseException:
            self._start_closing(0)
            raise
        self._start_closing(left_ms)
        await self._over()

    async def _mark_the_end(self) -> None:
        """Queue the marks that are missing."""
        while self._n_marks_sent < 2 and self.session.state != CLOSED:
            if self.session.snd_room_bytes:
                self._n_marks_sent += 1
                self.session.send(_MARK)
            else:
                await self._room()
