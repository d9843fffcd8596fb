"""The reading half of `Stream`.

Bytes stay in the session's receive window until they are asked for, so a reader that stalls makes
the peer stall. Only readuntil and readexactly, which may have to give bytes back when they are
cancelled, collect them here (`_in`).
"""

from ._clock import ticks_ms
from ._compat import const
from ._port import IncompleteReadError, Waiter, incomplete_read, limit_overrun
from .endpoint import Link
from .session import CLOSED

_MAX_LIMIT = const(65536)


class ReadHalf(Link):
    """What a reader has of asyncio's stream methods (see `Stream`)."""

    def __init__(self, endpoint, session, key):
        super().__init__(endpoint, session, key)
        self._in = bytearray()  # taken from the session, not yet asked for
        self._reader = Waiter()
        self._is_closing = False
        self._deadlines = None  # `_deadlines.Deadlines`, if any were set

    async def read(self, n=-1) -> bytes:
        """Return what has arrived, at most n bytes; waits for at least one. n < 0: all until the
        end of file, which is this side's close(). b"" only at the end of file."""
        if n < 0:
            return await self._read_all()
        self._claim_reader()
        while n:
            data = self._take(n)
            if data:
                return data
            if not await self._more():
                break
        return b""

    async def readinto(self, buf) -> int:
        """Read into `buf` without a copy in between; return how many bytes; 0 = end of file."""
        self._claim_reader()
        if self._in:
            n = min(len(self._in), len(buf))
            buf[:n] = self._cut(n)
            return n
        while True:
            n = self.session.recv_into(buf)
            if n:
                self.endpoint.touch(self, ticks_ms())
                return n
            if not await self._more():
                return 0

    async def readexactly(self, n: int) -> bytes:
        """Return exactly n bytes; at the end of file before that raise EOFError (on CPython
        IncompleteReadError). A cancelled call loses nothing."""
        if n < 0:
            raise ValueError("readexactly size can not be less than zero")
        self._claim_reader()
        if not self._in:
            data = self._take(n)
            if len(data) == n:
                return data
            self._in += data
        while len(self._in) < n:
            data = self._take_new(n - len(self._in))
            if data:
                self._in += data
            elif not await self._more():
                raise incomplete_read(self._cut(len(self._in)), n)
        return self._cut(n)

    async def readuntil(self, separator=b"\n", limit=None) -> bytes:
        """Return bytes up to and with the separator; EOFError as in `readexactly`; ValueError (on
        CPython also LimitOverrunError) if more than `limit` bytes came without it (default: one
        receive window, at most 64 KiB)."""
        self._claim_reader()
        if not separator:
            raise ValueError("separator must not be empty")
        if limit is None:
            limit = min(self.session.config.rcvwnd * self.session.mss, _MAX_LIMIT)
        start = 0
        while True:
            i = self._in.find(separator, start)
            if i >= 0:
                return self._cut(i + len(separator))
            if len(self._in) > limit:
                raise limit_overrun(len(self._in))
            start = max(len(self._in) - len(separator) + 1, 0)
            data = self._take_new(max(self.session.readable, 1))
            if data:
                self._in += data
            elif not await self._more():
                raise incomplete_read(self._cut(len(self._in)), None)

    async def readline(self) -> bytes:
        """Return a line with its newline; without one at the end of file; b"" behind that."""
        try:
            return await self.readuntil(b"\n")
        except IncompleteReadError as error:
            return error.partial

    def at_eof(self) -> bool:
        """True when nothing is left to read and nothing can come any more (after close())."""
        return self._is_closing and not self._in and not self.session.readable

    def __aiter__(self):
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    def is_closing(self) -> bool:
        """True after close(), and when the session is over for another reason."""
        return self._is_closing or self.session.state == CLOSED

    # inside

    def _claim_reader(self):
        if self._reader.is_busy:
            raise RuntimeError("another task is reading this stream already")

    def _raise_if_dead(self):
        failure = self.session.failure()
        if failure is not None:
            raise failure

    async def _more(self):
        """Wait until the session has something to read; False at the end of file."""
        while not self.session.readable:
            if self._is_closing:
                return False
            self._raise_if_dead()
            if self.session.state == CLOSED:
                return False
            if self._deadlines is not None:
                self._deadlines.check_read()
            await self._reader.wait()
        return True

    def _take(self, n):
        """Return at most n bytes that are here; b"" if there are none."""
        if self._in:
            return self._cut(min(n, len(self._in)))
        return self._take_new(n)

    def _take_new(self, n):
        """The same, past what lies in _in."""
        session = self.session
        scratch = self.endpoint.scratch(session.config.rcvwnd * session.mss // 4)
        n = min(n, len(scratch))
        recv_into = session.recv_into
        n_got = 0
        while n_got < n:
            k = recv_into(scratch[n_got:n])
            if not k:
                break
            n_got += k
        if not n_got:
            return b""
        self.endpoint.touch(self, ticks_ms())
        return bytes(scratch[:n_got])

    def _cut(self, n):
        """Take n bytes from _in."""
        data = bytes(memoryview(self._in)[:n])
        self._in[:n] = b""
        return data

    async def _read_all(self):
        self._claim_reader()
        while True:
            data = self._take_new(_MAX_LIMIT)
            if data:
                self._in += data
            elif not await self._more():
                return self._cut(len(self._in))
