"""An asyncio transport over one `kcp.Stream`.

The stream stays what it is: a link of its endpoint. The transport takes the stream's two hooks
(`after_turn`, `on_closed`), which the endpoint calls when something came or was acknowledged, and
turns them into calls of the protocol. There is no task.

Every call of the protocol is made from the event loop: connection_made and connection_lost on
their own, the others out of a turn of the endpoint, or out of write() for pause_writing. An
exception in data_received or its like is fatal for the connection, as with asyncio's transports.

What is bounded: the receive side by the session's receive window (pause_reading() stalls the
peer). The send side is not, because asyncio has it so that write() always takes everything:
whoever ignores pause_writing() fills the memory.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, Union, cast

from kcp._clock import ticks_ms  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from kcp import Stream

_READ_BYTES = 262144  # handed out in one turn, as asyncio's transports do
_CHUNK_BYTES = 65536
_WARN_AFTER = 5  # writes after the end that are dropped without a word
#: write_limit of the streams: a transport has none
UNLIMITED = sys.maxsize

_logger = logging.getLogger("kcp.asyncio")
_Data = Union[bytes, bytearray, "memoryview[Any]"]


def _plain(data: _Data) -> _Data:
    """Return data whose len() is in bytes; TypeError unless it is bytes-like."""
    if isinstance(data, memoryview):
        return data if data.contiguous and data.itemsize == data.ndim == 1 else data.tobytes()
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
    return data


class Transport(asyncio.Transport):
    """A KCP session as asyncio's transport. Made by `create_connection` and `create_server`.

    As with TCP: write() copies and never waits, pause_writing() and resume_writing() are called
    at the marks, data arrives by data_received() or into the buffers of a BufferedProtocol,
    connection_lost() comes once. Different, because KCP has neither open nor close on the wire:

    - eof_received() is never called, and write_eof() raises NotImplementedError. A peer that is
      gone shows as connection_lost(TimeoutError), once data is unacknowledged for `dead_ms`.
    - close() goes on until everything is acknowledged, for at most `linger_ms`; connection_lost()
      gets an OSError that names the bytes that were not.
    - The write buffer is what is unsent or unacknowledged. The default marks are the stream's:
      a low one of one send window. Lower ones keep the window from being filled.
    """

    _start_tls_compatible = True  # what loop.start_tls() asks for

    def __init__(
        self, stream: Stream, protocol: asyncio.BaseProtocol, made: asyncio.Future[None] | None
    ) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._stream = cast("Any", stream)  # more of it than its users see
        self._session = stream.session
        self._is_made = self._is_paused = self._is_write_paused = False
        self._is_aborted = self._is_lost = False
        self._error: BaseException | None = None  # a protocol's, which ended the connection
        self._n_dropped = 0
        self._marks = (self._stream._high, self._stream._low)
        self.set_protocol(protocol)
        self._stream_after_turn = self._stream.after_turn
        self._stream_on_closed = self._stream.on_closed
        self._stream.after_turn = self._after_turn
        self._stream.on_closed = self._on_closed
        self._loop.call_soon(self._make, made)

    def __repr__(self) -> str:
        state = "closed" if self._is_lost else "closing" if self.is_closing() else "open"
        return f"<kcp_asyncio.Transport {state} peer={self.get_extra_info('peername')}>"

    # the protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand over to another protocol."""
        self._protocol = protocol
        self._deliver = (
            self._fill if isinstance(protocol, asyncio.BufferedProtocol) else self._feed
        )

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what `kcp.Stream.get_extra_info` knows: "peername", "sockname", "socket" (UDP),
        "session", "conv", "srtt_ms" and so on; else `default`."""
        return self._stream.get_extra_info(name, default)

    # reading

    def is_reading(self) -> bool:
        """True unless paused or closing."""
        return not self._is_paused and not self.is_closing()

    def pause_reading(self) -> None:
        """Leave what comes in the receive window; when it is full, the peer has to wait."""
        self._is_paused = True

    def resume_reading(self) -> None:
        """Hand out again what comes and what has come. Does nothing unless paused."""
        if self._is_paused:
            self._is_paused = False
            self._stream.endpoint.kick(self._stream)

    def _read(self) -> None:
        left = _READ_BYTES
        while left > 0 and self._session.readable and self._may_read():
            n = self._deliver()
            if not n:
                return
            left -= n
            self._stream.endpoint.touch(self._stream, ticks_ms())
        if left <= 0:
            self._stream.endpoint.kick(self._stream)  # after the others' turns

    def _may_read(self) -> bool:
        return self._is_made and not self._is_paused and not self._stream._is_closing

    def _feed(self) -> int:
        """Give data_received() what is here, in one piece of at most _CHUNK_BYTES."""
        scratch = self._stream.endpoint.scratch(_CHUNK_BYTES)
        n = 0
        while n < len(scratch):
            n_more = self._session.recv_into(scratch[n:])
            if not n_more:
                break
            n += n_more
        protocol = self._protocol
        assert isinstance(protocol, asyncio.Protocol)
        self._guard(protocol.data_received, "data_received", bytes(scratch[:n]))
        return n

    def _fill(self) -> int:
        """The same for a BufferedProtocol, into its own buffer."""
        protocol = self._protocol
        assert isinstance(protocol, asyncio.BufferedProtocol)
        buf = self._guard(protocol.get_buffer, "get_buffer", -1)
        if self._is_aborted:
            return 0
        if not len(buf):
            self._fatal(RuntimeError("get_buffer() returned an empty buffer"), "get_buffer")
            return 0
        n = self._session.recv_into(memoryview(buf).cast("B"))
        self._guard(protocol.buffer_updated, "buffer_updated", n)
        return n

    # writing

    def write(self, data: _Data) -> None:
        """Queue bytes for sending; copies them. Dropped after close(), and when the peer has been
        found dead. RuntimeError never: there is no write_eof()."""
        self.writelines((data,))

    def writelines(self, list_of_data: Iterable[_Data]) -> None:
        """write() all of them; they share segments, and none is copied to be joined."""
        pieces = [_plain(data) for data in list_of_data]
        if self.is_closing():
            self._drop(any(len(data) for data in pieces))
            return
        self._stream.writelines(pieces)
        self._look_at_marks()

    def _drop(self, has_data: bool) -> None:
        if has_data:
            self._n_dropped += 1
            if self._n_dropped == _WARN_AFTER:
                _logger.warning("write() on a closed KCP transport: the data is dropped")

    def can_write_eof(self) -> bool:
        """False: KCP cannot close one direction."""
        return False

    def write_eof(self) -> None:
        """Raises NotImplementedError: KCP cannot close one direction."""
        raise NotImplementedError("KCP has no end of file on the wire; say it in your protocol")

    def get_write_buffer_size(self) -> int:
        """Return the bytes that are unsent or unacknowledged."""
        return 0 if self._is_lost else self._stream._pending_bytes()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the marks: (low, high)."""
        high, low = self._marks
        return low, high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks in bytes. pause_writing() is called above `high`, resume_writing() at
        `low` or below. None: the stream's default for both, a quarter of `high` for `low`, four
        times `low` for `high`. ValueError unless high >= low >= 0."""
        if high is None:
            high = self._stream._high if low is None else 4 * low
            low = self._stream._low if low is None else low
        elif low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._marks = (high, low)
        self._look_at_marks()

    def _look_at_marks(self) -> None:
        size = self.get_write_buffer_size()
        if self._is_write_paused:
            if size <= self._marks[1]:
                self._is_write_paused = False
                self._guard(self._protocol.resume_writing, "resume_writing", is_fatal=False)
        elif size > self._marks[0]:
            self._is_write_paused = True
            self._guard(self._protocol.pause_writing, "pause_writing", is_fatal=False)

    # the end

    def is_closing(self) -> bool:
        """True after close() and abort(), and when the session is over for another reason."""
        return bool(self._stream.is_closing())

    def close(self) -> None:
        """Read no more, send what is queued, for at most the config's `linger_ms`; then comes
        connection_lost(None), or with an OSError if something was not acknowledged."""
        self._stream.close()

    def abort(self) -> None:
        """Drop what is queued and close at once: connection_lost(None). The peer is not told."""
        if not self._is_aborted and not self._is_lost:
            self._is_aborted = True
            self._stream._is_closing = True
            self._session.abort()
            self._stream.endpoint.kick(self._stream)

    def _fatal(self, error: BaseException, where: str) -> None:
        self._tell(error, f"Fatal error: protocol.{where}() call failed.")
        self._force_close(error)

    def _force_close(self, error: BaseException | None) -> None:
        """(asyncio's TLS calls this too.)"""
        if self._error is None:
            self._error = error
        self.abort()

    def _tell(self, error: BaseException, message: str) -> None:
        self._loop.call_exception_handler(
            {
                "message": message,
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )

    def _guard(
        self, function: Callable[..., Any], where: str, *args: Any, is_fatal: bool = True
    ) -> Any:
        """Call the protocol; what it raises must not reach the other sessions of the endpoint."""
        try:
            return function(*args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if is_fatal:
                self._fatal(error, where)
            else:
                self._tell(error, f"protocol.{where}() failed")
        return None

    def _reason(self) -> BaseException | None:
        """Return what connection_lost() is to say."""
        if self._is_aborted:
            return self._error
        n_lost = self._stream._lost_bytes
        ending = self._stream.session
        reason: OSError | None = ending.loss(n_lost) if n_lost else ending.failure()
        return reason

    # called by the event loop and the endpoint

    def _make(self, made: asyncio.Future[None] | None) -> None:
        self._guard(self._protocol.connection_made, "connection_made", self)
        self._is_made = True
        if made is not None and not made.done():
            made.set_result(None)
        if self._is_lost:
            self._loop.call_soon(self._lose)
        else:
            self._stream.endpoint.kick(self._stream)

    def _after_turn(self, now_ms: int) -> None:
        self._stream_after_turn(now_ms)
        if not self._is_made:
            return
        if self._is_write_paused:
            self._look_at_marks()
        self._read()

    def _on_closed(self) -> None:
        if self._is_lost:
            return
        self._stream_on_closed()
        if not self._is_aborted:
            while self._session.readable and self._may_read() and self._deliver():
                pass
        self._is_lost = True
        if self._is_made:
            self._loop.call_soon(self._lose)

    def _lose(self) -> None:
        self._guard(
            self._protocol.connection_lost, "connection_lost", self._reason(), is_fatal=False
        )
