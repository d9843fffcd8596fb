"""The sockets of the blocking API (see `blocking`), common to both runtimes."""

from errno import EAGAIN, EOPNOTSUPP, ETIMEDOUT

from ._clock import ticks_diff, ticks_ms
from ._sync_port import Pollable, makefile, printable, view_of
from .session import OPEN

_EBADF = 9
_FOREVER_MS = 1 << 28  # a timeout longer than this, three days, is none


def timeout_ms(seconds):
    """Return settimeout()'s argument in ms; None: no limit."""
    if seconds is None:
        return None
    if seconds < 0:
        raise ValueError("the timeout must not be negative; None waits without limit")
    ms = seconds * 1000
    if ms >= _FOREVER_MS:
        return None
    return max(int(ms), 1) if seconds else 0


class _Timed(Pollable):
    """What both kinds of socket have: timeouts, a lock, an end."""

    def __init__(self, ready, limit_ms):
        self._port = ready.port
        self._ready = ready
        self._timeout_ms = limit_ms
        self._is_closed = False

    def settimeout(self, seconds: "float | None"):
        """Limit how long a call may wait: None: without limit; 0: not at all, it raises
        OSError(EAGAIN) (BlockingIOError); else OSError(ETIMEDOUT) (TimeoutError) after so long."""
        self._timeout_ms = timeout_ms(seconds)

    def gettimeout(self) -> "float | None":
        """Return the timeout in seconds, None if there is none."""
        ms = self._timeout_ms
        return ms if ms is None else ms / 1000

    def setblocking(self, flag: bool):
        """settimeout(None) or settimeout(0)."""
        self._timeout_ms = None if flag else 0

    def getblocking(self) -> bool:
        """False if the timeout is 0."""
        return self._timeout_ms != 0

    def getsockname(self):
        """Return this side's (host, port), None where the platform does not tell (MicroPython
        tells a client nothing, and a listener what it was given)."""
        return self._port.sockname

    def __enter__(self):
        return self

    def _wait(self, gate, begin_ms):
        """Wait until something happens; OSError when the time is over. begin_ms: None at first,
        later what this returned."""
        limit_ms = self._timeout_ms
        now_ms = ticks_ms()
        if begin_ms is None:
            begin_ms = now_ms
            if limit_ms == 0:
                self._port.idle()
                return begin_ms
        if limit_ms is None:
            gate.wait(-1)
            return begin_ms
        left_ms = limit_ms - ticks_diff(now_ms, begin_ms)
        if left_ms <= 0:
            if limit_ms:
                raise OSError(ETIMEDOUT, "timed out")
            raise OSError(EAGAIN, "the call would have to wait")
        gate.wait(left_ms)
        return begin_ms


class Socket(_Timed):
    """A session, with the methods of a connected stream socket. Made by `connect` and `accept`.

    session: the `Session` (state, rtt_ms, stats, conv ...), to look at.
    """

    def __init__(self, link, limit_ms=None):
        super().__init__(link, limit_ms)
        self._link = link
        self.session = link.session
        self._n_files = 0
        self._linger_ms = None

    # receiving

    def recv(self, n: int) -> bytes:
        """Return what has arrived, at most n bytes; wait for at least one. b"": close() was called
        here, and all that had arrived has been read."""
        if n < 0:
            raise ValueError("recv() takes the most bytes to return, not %r" % n)
        link = self._link
        with self._port.lock:
            if link.is_reading:
                raise RuntimeError("another thread is receiving on this socket already")
            try:
                link.is_reading = True
                begin_ms = None
                while True:
                    data = link.take_bytes(n)
                    if data or not n or not link.more_may_come():
                        return data
                    begin_ms = self._wait(link.reader, begin_ms)
            finally:
                link.is_reading = False
                self._port.if_inside()

    def recv_into(self, buf, n: int = 0) -> int:
        """Receive into `buf` (n: at most so many bytes, 0: as many as it takes), without a copy in
        between; return how many bytes, 0 as recv() does b""."""
        view = view_of(buf)
        if not 0 <= n <= len(view):
            raise ValueError("recv_into() takes at most as many bytes as the buffer has")
        if n:
            view = view[:n]
        link = self._link
        with self._port.lock:
            if link.is_reading:
                raise RuntimeError("another thread is receiving on this socket already")
            try:
                link.is_reading = True
                begin_ms = None
                while True:
                    n = link.take(view)
                    if n or not len(view) or not link.more_may_come():
                        return n
                    begin_ms = self._wait(link.reader, begin_ms)
            finally:
                link.is_reading = False
                self._port.if_inside()

    # sending

    def send(self, data) -> int:
        """Queue what fits of `data`, and send it; return how many bytes that were. Waits while not
        one fits (what is queued or unacknowledged fills two send windows)."""
        return self._send(data, False)

    def sendall(self, data):
        """send() all of it. The timeout is for the whole; when it is over, or an exception comes,
        a part may have been queued."""
        self._send(data, True)

    def _send(self, data, is_all):
        """send() and sendall(): return how many bytes were queued."""
        view = view_of(data)
        link = self._link
        with self._port.lock:
            if link.is_writing:
                raise RuntimeError("another thread is sending on this socket already")
            try:
                link.is_writing = True
                link.check_writable()
                off = 0
                begin_ms = None
                while off < len(view):
                    n = link.give(view, off)
                    off += n
                    if off == len(view) or (n and not is_all):
                        break
                    if n == 0:
                        begin_ms = self._wait(link.writer, begin_ms)
                        link.check_writable()
                return off
            finally:
                link.is_writing = False
                self._port.if_inside()

    def send_oob(self, data) -> bool:
        """Send one out-of-band packet beside the stream; see `Session.send_oob`."""
        link = self._link
        with self._port.lock:
            link.check_writable()
            return self._call(self.session.send_oob, (data,))

    def set_oob_handler(self, handler):
        """Have handler(data: bytes) called for every out-of-band packet; None: drop them.

        On CPython it runs in the endpoint's thread and must not wait, on MicroPython within
        whatever call or service() is doing the work. An exception in it is reported on stderr and
        goes no further. At most 64 packets wait for it.
        """
        with self._port.lock:
            self._link.on_oob = handler
            self.session.on_oob = None if handler is None else self._link.oob_received

    def set_logger(self, mask, sink=None):
        """Trace the session: see `Session.set_logger`. The sink runs where an out-of-band handler
        does, and must return soon; what it raises is told on stderr, and ends the tracing."""
        from .trace import on_stderr

        with self._port.lock:
            self.session.set_logger(mask, sink, on_stderr)

    def set(self, **options):
        """Change settings of the session: see `Session.set`; and, of a client, `dscp`,
        `read_buffer` and `write_buffer` of its UDP socket (OSError if the system refuses)."""
        from ._stream_options import apply  # only who uses it pays for it

        with self._port.lock:
            self._call(apply, (self._link, options))

    def rebind(self, host=None, port=None, *, local=None, probe_ms: int = 2000) -> bool:
        """(A client's.) Go on from a new UDP socket, and wait for probe_ms at most until the peer
        answers there: see `Stream.rebind`."""
        from ._rebind import of_socket  # only who uses it pays for it

        with self._port.lock:
            return of_socket(self._link, host, port, local, probe_ms)

    def _call(self, function, arguments):
        """Call a function of the session that may say no, and send what is due."""
        link = self._link
        self._port.begin()
        try:
            result = function(*arguments)
        except Exception:
            self._port.end()
            raise
        link.endpoint.kick(link)
        self._port.end()
        return result

    # files

    def makefile(self, mode="r", buffering=None, *, encoding=None, errors=None, newline=None):
        """Return a file object. On CPython as the socket module's, of the `io` module; on
        MicroPython binary only ("rb", "wb", "rwb"), with read, readinto, readline and write.

        As with the socket module, close() leaves the socket open while it has open files. The last
        of them then closes it, and does not wait.
        """
        if self._is_closed:
            raise OSError(_EBADF, "the socket is closed")
        file = makefile(self, mode, buffering, encoding, errors, newline)
        self._n_files += 1
        return file

    def _file_closed(self):
        self._n_files -= 1
        if self._is_closed and not self._n_files:
            with self._port.lock:
                self._link.start_closing(self._linger_ms)
                self._close_signal()

    # the other end, and this one

    def getpeername(self):
        """Return the peer's (host, port)."""
        return printable(self._port.peer if self._link.key is None else self._link.key)

    @property
    def stats(self):
        """The session's counters (a `Stats`)."""
        return self.session.stats

    def shutdown(self, how: int):
        """Raises OSError(EOPNOTSUPP): KCP cannot close one direction."""
        raise OSError(EOPNOTSUPP, "KCP has no end of file on the wire; say it in your protocol")

    def close(self, linger_ms: "int | None" = None):
        """Send what is queued and wait until it is acknowledged, for at most linger_ms (default:
        the config's); OSError says how many bytes were not. With a timeout of 0 it does not wait.
        What has arrived can still be read. A second close() does nothing."""
        if self._is_closed:
            return
        link = self._link
        if self._n_files:
            self._is_closed = True
            self._linger_ms = linger_ms
            return
        with self._port.lock:
            link.start_closing(linger_ms)
            self._is_closed = True
            self._close_signal()
            if self._timeout_ms == 0:
                return
            while not link.is_gone:
                link.over.wait(-1)
        if link.lost_bytes:
            raise self.session.loss(link.lost_bytes)

    def __exit__(self, kind, error, tb):
        try:
            self.close()
        except OSError:
            if kind is None:
                raise

    # inside

    def _can_send(self):
        session = self.session
        return session.snd_room_bytes > 0 or session.state != OPEN


class ServerSocket(_Timed):
    """A listener. Made by `listen`."""

    def __init__(self, backlog):
        super().__init__(backlog, None)
        self._backlog = backlog

    def accept(self) -> tuple:
        """Wait for a session; return (`Socket`, (host, port))."""
        backlog = self._backlog
        begin_ms = None
        with self._port.lock:
            while True:
                if self._is_closed or backlog.endpoint.is_closed:
                    raise OSError(_EBADF, "the listener is closed")
                link = backlog.take()
                if link is not None:
                    return Socket(link), printable(link.key)
                begin_ms = self._wait(backlog.gate, begin_ms)

    def set(self, **options):
        """Change `dscp`, `read_buffer` and `write_buffer` of the UDP socket. ValueError on a wrong
        one, OSError if the system refuses it. Settings of a session: `Socket.set`."""
        from ._stream_options import apply_to_server  # only who uses it pays for it

        with self._port.lock:
            apply_to_server(self._backlog.endpoint, options)

    @property
    def stats(self):
        """The listener's counters (a `Stats`)."""
        return self._backlog.endpoint.listener.stats

    def close(self):
        """Take no new sessions, and drop those that wait for accept(). Accepted ones go on; the
        UDP socket is closed with the last of them."""
        if self._is_closed:
            return
        with self._port.lock:
            self._backlog.start_closing()
            self._is_closed = True
            self._close_signal()

    def __exit__(self, kind, error, tb):
        self.close()
