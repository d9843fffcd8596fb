"""A byte stream over one session, with the methods of asyncio's streams of both runtimes.

`open_connection` and the callback of `start_server` get the same `Stream` twice, as reader and as
writer. What differs from a TCP stream, because KCP has neither open nor close on the wire:

- read() returns b"" (end of file) only after this side's own close(). A peer that vanished shows
  as OSError(ETIMEDOUT) once something stays unanswered for `dead_ms`; never as an end of file.
- close() goes on sending until everything is acknowledged, for at most `linger_ms`; wait_closed()
  waits for that, and raises OSError if something was not acknowledged.

What is bounded: the receive side by the session's receive window, plus for readuntil/readexactly
what they were asked for. The send side by two send windows in the session, plus `write_limit`
bytes here, plus the one write that went over it.

One task may read and one may drain or send at a time; a second one gets RuntimeError.
"""

from errno import ENOBUFS, ETIMEDOUT

from ._clock import ticks_diff, ticks_ms
from ._compat import const
from ._port import Event, Waiter, printable, report, yield_once
from ._reading import ReadHalf
from .session import CLOSED

_EPIPE = const(32)  # MicroPython's errno has no name for it
_MAX_EXTRA = const(65536)
_SESSION_INFO = ("conv", "mss", "rto_ms", "srtt_ms", "rttvar_ms")
_TICKS_MASK = const(0x3FFFFFFF)


class Stream(ReadHalf):
    """Reader and writer in one (see the module's text). Made by `open_connection`/`start_server`.

    write_limit: bytes that write() keeps beyond what the session takes (default: one send window).
    high_water, low_water: drain() waits when more than high_water bytes are unacknowledged or
    unsent, until at most low_water are. By default the low mark is one send window, so that the
    window never runs dry, and the high mark a quarter more (64 KiB at most).
    """

    def __init__(
        self, endpoint, session, key=None, write_limit=None, high_water=None, low_water=None
    ):
        super().__init__(endpoint, session, key)
        self._set_marks(write_limit, high_water, low_water)
        self._out = bytearray()  # written, not yet taken by the session
        self._out_off = 0
        self._writer = Waiter()
        self.heard = None  # Waiter of a probe
        self._closed = None  # Event of wait_closed
        self._lost_bytes = 0

    def _set_marks(self, write_limit, high_water, low_water):
        self._marks = (write_limit, high_water, low_water)  # as they were asked for
        window = self.session.config.sndwnd * self.session.mss
        if low_water is None:
            low_water = window if high_water is None else min(window, high_water)
        if high_water is None:
            high_water = low_water + min(window // 4, _MAX_EXTRA)
        self._write_limit = window if write_limit is None else write_limit
        self._high = high_water
        self._low = low_water

    def set(self, **options):
        """Change settings at once: those of `Session.set`, and on a client `dscp`, `read_buffer`
        and `write_buffer` of its socket (on a server they are the server's: `Server.set`).

        ValueError, with nothing changed, on a wrong one; OSError if the system refuses what is
        asked of the socket.
        """
        from ._stream_options import apply  # only who uses it pays for it

        apply(self, options)

    def set_deadline(self, n_ms):
        """Set the deadline of reads and of writes, n_ms from now: see the next two."""
        from ._deadlines import set_deadlines  # only who uses it pays for it

        set_deadlines(self, True, True, n_ms)

    def set_read_deadline(self, n_ms):
        """Let no read wait beyond n_ms from now: every one that would have to gets
        asyncio.TimeoutError, until another deadline is set; None: none. It loses nothing (see
        `_deadlines`): what has come is handed out first, what comes later can be read later."""
        from ._deadlines import set_deadlines

        set_deadlines(self, True, False, n_ms)

    def set_write_deadline(self, n_ms):
        """The same for drain() and send(). What was queued goes out all the same; of send()'s data
        that may be a part."""
        from ._deadlines import set_deadlines

        set_deadlines(self, False, True, n_ms)

    # writing

    def write(self, data):
        """Queue bytes for sending; copies them and never waits. Raises OSError(ENOBUFS) and takes
        nothing when `write_limit` bytes are waiting already."""
        self._check_writable(data)
        self._check_room()
        self._put(data)
        self.endpoint.kick(self)

    def writelines(self, lines):
        """write() all of them as one (kcp-go: WriteBuffers): they share segments, none is copied
        to be joined, and with ENOBUFS or a wrong one among them none is taken."""
        lines = tuple(lines)
        for data in lines:
            self._check_writable(data)
        self._check_room()
        for data in lines:
            self._put(data)
        self.endpoint.kick(self)

    def _check_room(self):
        if self._out and len(self._out) - self._out_off >= self._write_limit:
            raise OSError(ENOBUFS, "the write buffer is full: await drain() after write()")

    def _put(self, data):
        n = len(data)
        if not n:
            return
        n_taken = 0 if self._out else self._give(data, 0)
        if n_taken < n:
            if self._out_off:
                self._out[: self._out_off] = b""
                self._out_off = 0
            self._out += memoryview(data)[n_taken:] if n_taken else data

    async def drain(self):
        """Wait until there is room to write more (see high_water); lets other tasks run in any
        case. Raises OSError when the session has died."""
        self._claim_writer()
        if self._out or self._pending_bytes() > self._high or not self._session_takes():
            await self._room()
        else:
            await yield_once()
        self._raise_if_dead()

    async def send(self, data):
        """write() and drain() in one, without copying more than the session has room for. When it
        is cancelled, a part of the data may have been queued."""
        self._claim_writer()
        self._check_writable(data)
        off = 0
        while off < len(data):
            n = 0 if self._out else self._give(data, off)
            if n:
                off += n
                self.endpoint.kick(self)
            else:
                await self._room()
                self._check_writable(data)
        await self.drain()

    async def awrite(self, buf, off=0, sz=-1):
        """write() buf[off:off+sz] and drain() (MicroPython's name for it)."""
        if off or sz >= 0:
            buf = memoryview(buf)[off : len(buf) if sz < 0 else off + sz]
        self.write(buf)
        await self.drain()

    def send_oob(self, data) -> bool:
        """Send one out-of-band packet beside the stream; see `Session.send_oob`."""
        self._check_writable(data)
        queued = self.session.send_oob(data)
        self.endpoint.kick(self)
        return queued

    def set_oob_handler(self, handler):
        """Have handler(data: bytes) called for every out-of-band packet; None: drop them.

        It runs between two datagrams and must return soon. An exception in it is reported as the
        event loop reports those of callbacks. FEC on this side is needed to send, not to receive.
        """
        if handler is not None:
            from ._oob import guarded

            handler = guarded(handler, report)
        self.session.on_oob = handler

    def set_logger(self, mask, sink=None):
        """Trace the session: see `Session.set_logger`. What the sink raises is reported as the
        event loop reports exceptions of callbacks, and ends the tracing."""
        self.session.set_logger(mask, sink, report)

    def can_write_eof(self) -> bool:
        """False: KCP cannot close one direction."""
        return False

    def write_eof(self):
        """Raises NotImplementedError: KCP cannot close one direction."""
        raise NotImplementedError("KCP has no end of file on the wire; say it in your protocol")

    async def rebind(self, host=None, port=None, *, local=None, probe_ms: int = 2000) -> bool:
        """(A client's.) Go on from a new UDP socket: this machine has another address now, or
        another way out. Bytes that were on their way are sent again. Returns whether the peer has
        answered there within probe_ms; if not, the session goes on trying until `dead_ms`.

        The server must let sessions move: one of ours with `roaming=True`. kcp-go's does not, and
        then the session ends with ECONNRESET once something is sent. host, port: the server's
        address, if that has changed too; local: (host, port) to bind to, port 0: any. OSError,
        with nothing changed, if no such socket can be had; ValueError with sock= and carrier=.
        """
        from ._rebind import of_stream  # only who uses it pays for it

        return await of_stream(self, host, port, local, probe_ms)

    # closing

    def close(self, linger_ms=None):
        """Send what is queued, for at most linger_ms (default: the config's), then close. What has
        arrived can still be read. Writing and waiting for more end here."""
        if self._is_closing:
            return
        self._is_closing = True
        if linger_ms is None:
            linger_ms = self.session.config.linger_ms
        now_ms = ticks_ms()
        self._deadlines = self.deadline_ms = None  # what is sent now has its linger
        if self._out:
            self.deadline_ms = (now_ms + linger_ms) & _TICKS_MASK
        else:
            self.session.close(now_ms, linger_ms)
        self._reader.wake()
        self.endpoint.kick(self)

    async def wait_closed(self):
        """Wait until the session is closed; OSError says how many bytes were not acknowledged."""
        if not self.is_gone:
            if self._closed is None:
                self._closed = Event()
            await self._closed.wait()
        if self._lost_bytes:
            raise self.session.loss(self._lost_bytes)

    async def aclose(self):
        """close() and wait_closed()."""
        self.close()
        await self.wait_closed()

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc, tb):
        self.close()
        try:
            await self.wait_closed()
        except OSError:
            if exc_type is None:
                raise

    def get_extra_info(self, name: str, default=None):
        """Return "peername", "sockname", "socket", "session", or what the session has under this
        name: "conv", "mss", "rto_ms", "srtt_ms", "rttvar_ms"; else `default`. MicroPython does not
        tell a client its own address."""
        udp = self.endpoint.port
        if name == "session":
            value = self.session
        elif name in _SESSION_INFO:
            value = getattr(self.session, name)
        elif name == "peername":
            value = printable(udp.peer if self.key is None else self.key)
        elif name == "sockname":
            value = udp.sockname
        elif name == "socket":
            value = udp.sock
        else:
            value = None
        return default if value is None else value

    # hooks of Link (see `endpoint`)

    def before_output(self, now_ms):
        """Move what write() kept into the session."""
        if self._out:
            self._pump(now_ms)

    def after_turn(self, now_ms):
        """Wake the tasks that wait for what has happened."""
        if self._deadlines is not None:
            self._deadlines.look(now_ms)
        if self._reader.is_busy and self.session.readable:
            self._reader.wake()
        if self._writer.is_busy and self._has_room():
            self._writer.wake()
        if self.heard is not None and self.session.heard:
            self.heard.wake()

    def on_closed(self):
        """The session is over: wake everyone."""
        self._lost_bytes = self.session.lost_bytes + len(self._out) - self._out_off
        self._out = bytearray()
        self._out_off = 0
        self._reader.wake()
        self._writer.wake()
        if self.heard is not None:
            self.heard.wake()
        if self._closed is not None:
            self._closed.set()

    # inside

    @property
    def unsent_bytes(self) -> int:
        """Bytes written that the session has not taken yet."""
        return len(self._out) - self._out_off

    def _claim_writer(self):
        if self._writer.is_busy:
            raise RuntimeError("another task is draining or sending on this stream already")

    def _check_writable(self, data):
        if isinstance(data, str):
            raise TypeError("data must be bytes, not str")
        self._raise_if_dead()
        if self._is_closing:
            raise OSError(_EPIPE, "the stream is closed")

    def _pending_bytes(self):
        return self.session.unacked_bytes + len(self._out) - self._out_off

    def _has_room(self):
        return not self._out and self._pending_bytes() <= self._low and self._session_takes()

    def _session_takes(self):
        return self.session.snd_room_bytes > 0 or self.is_closing()

    async def _room(self):
        while not self._has_room() and self.session.state != CLOSED:
            if self._deadlines is not None:
                self._deadlines.check_write()
            await self._writer.wait()

    def _give(self, data, off):
        """Give the session what fits of data[off:]; return how many bytes it took. In message mode
        in pieces of one segment, as kcp-go's Write does."""
        session = self.session
        if session.config.stream:
            return session.send(memoryview(data)[off:] if off else data)
        view = memoryview(data)
        start = off
        while off < len(view):
            n = session.send(view[off : off + session.mss])
            if not n:
                break
            off += n
        return off - start

    def _pump(self, now_ms):
        session = self.session
        if session.state == CLOSED:
            return
        self._out_off += self._give(self._out, self._out_off)
        if self._out_off == len(self._out):
            self._out = bytearray()
            self._out_off = 0
        if self._is_closing and self.deadline_ms is not None:
            self._linger(now_ms)

    def _linger(self, now_ms):
        """close() was called while bytes were kept here: close the session behind the last one."""
        left_ms = ticks_diff(self.deadline_ms, now_ms)
        if not self._out:
            self.deadline_ms = None
            self.session.close(now_ms, max(left_ms, 0))
        elif left_ms <= 0:
            self.session.abort(ETIMEDOUT, "closing took longer than linger_ms")
