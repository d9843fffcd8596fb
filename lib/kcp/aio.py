"""The asyncio API: `open_connection` and `start_server`, the same on both runtimes."""

from ._clock import ticks_diff, ticks_ms
from ._opening import (
    SOCKBUF,
    check_probe,
    need_peer,
    need_place,
    new_session,
    no_answer,
    set_up,
    settled,
)
from ._port import (
    Event,
    TimeoutError,
    Waiter,
    open_client,
    open_server,
    report,
    spawn,
)
from ._random import fill
from .endpoint import Endpoint
from .listener import Listener
from .stream import Stream

_EPIPE = 32  # MicroPython's errno has no name for it
_FIRST_PROBE_MS = 100


async def open_connection(
    host=None,
    port: "int | None" = None,
    *,
    sock=None,
    carrier=None,
    config=None,
    conv: "int | None" = None,
    probe_ms: "int | None" = None,
    sockbuf: int = SOCKBUF,
    write_limit: "int | None" = None,
    high_water: "int | None" = None,
    low_water: "int | None" = None,
    **options,
) -> tuple:
    """Open a session to host:port; return (reader, writer): the same `Stream` twice.

    KCP has no handshake: without probe_ms nothing is sent before the first write, and a host that
    does not exist shows only when written data stays unanswered. With probe_ms the peer is asked
    for a sign of life first, and OSError(ETIMEDOUT) is raised if none comes in that time (wrong
    address, nobody there, or another key or crypt).

    host, port: numbers or a name; where a name has both, IPv4 is taken, as Go does.
    sock: a UDP socket of the caller's to use for this session, not connected (kcp-go: NewConn). It
    stays open when the session has ended, and can then be used again; a socket that carries
    another session or a server at this moment raises ValueError. Datagrams of other senders are
    dropped (InErrs).
    carrier: anything that carries datagrams (`kcp.carrier`), instead of host, port and sock.
    config, options: a `Config`, and what to change in it (`Config`'s keywords).
    conv: the conversation id, 0 <= conv < 2**32 (default: random).
    sockbuf: bytes asked for the socket's buffers (the system may give less).
    write_limit, high_water, low_water: bytes, see `Stream`.
    """
    config = settled(config, options, host, port, sock, carrier, sockbuf)
    need_peer(host, port, carrier)
    check_probe(probe_ms)
    _check_marks(write_limit, high_water, low_water)
    session = new_session(config, conv, ticks_ms())
    key = None
    if carrier is not None:
        from ._carry import async_port  # only who uses it pays for it

        udp = async_port(carrier)
    elif sock is None:
        udp = await open_client(host, port, sockbuf)
    else:
        from ._adopt import adopt_client

        udp, key = await adopt_client(sock, host, port)
    endpoint = Endpoint(udp, session.buffer_bytes)
    stream = Stream(endpoint, session, key, write_limit, high_water, low_water)
    try:
        set_up(udp.sock, config)
        await udp.start(endpoint)
        endpoint.attach(stream)
        if probe_ms is not None:
            await _probe(stream, probe_ms)
    except BaseException:  # a cancellation too must not leave the socket behind
        endpoint.close()
        raise
    return stream, stream


async def _probe(stream, probe_ms):
    """Ask for the peer's window, again and again, until something valid comes from it."""
    begin_ms = ticks_ms()
    wait_ms = _FIRST_PROBE_MS
    stream.heard = Waiter()
    while not stream.session.heard:
        left_ms = probe_ms - ticks_diff(ticks_ms(), begin_ms)
        if left_ms <= 0:
            raise no_answer(probe_ms)
        stream.session.probe()
        stream.endpoint.kick(stream)
        await stream.heard.wait_ms(min(wait_ms, left_ms))
        wait_ms *= 2
    stream.heard = None


async def start_server(
    callback,
    host=None,
    port: "int | None" = None,
    *,
    sock=None,
    carrier=None,
    config=None,
    sockbuf: int = SOCKBUF,
    write_limit: "int | None" = None,
    high_water: "int | None" = None,
    low_water: "int | None" = None,
    **options,
) -> "Server":
    """Serve on host:port; callback(reader, writer), plain or async, is called for every session.

    callback None: sessions wait for `Server.accept`, at most `Config.backlog` of them.
    sock: a UDP socket of the caller's to serve on, instead of host and port (kcp-go: ServeConn);
    it stays open when the server is closed.
    carrier: anything that carries datagrams (`kcp.carrier`), instead of host, port and sock.
    host: an address or name to bind to; None, "" and "::" take IPv6 and IPv4 (where the runtime
    has both), "0.0.0.0" IPv4. The other parameters are as in `open_connection`; `Config.backlog`
    and `Config.max_sessions` bound what strangers can make this side keep.
    An exception in the callback is reported as the event loop does and closes the stream.
    """
    config = settled(config, options, host, port, sock, carrier, sockbuf)
    need_place(port, sock, carrier)
    if callback is not None and not callable(callback):
        raise ValueError("callback must be a function callback(reader, writer), or None")
    _check_marks(write_limit, high_water, low_water)
    if carrier is not None:
        from ._carry import async_port  # only who uses it pays for it

        udp = async_port(carrier)
    elif sock is not None:
        from ._adopt import adopt_server

        udp = adopt_server(sock)
    else:
        udp = await open_server(host, port, sockbuf)
    server = Server(callback, udp, config, (write_limit, high_water, low_water))
    try:
        set_up(udp.sock, config)
        await udp.start(server.endpoint)
    except BaseException:
        server.endpoint.close()
        raise
    return server


def _check_marks(write_limit, high_water, low_water):
    if write_limit is not None and write_limit < 0:
        raise ValueError("write_limit must not be negative")
    if high_water is not None and high_water < (low_water or 0):
        raise ValueError("high_water must not be below low_water, nor below 0")
    if low_water is not None and low_water < 0:
        raise ValueError("low_water must not be negative")


class Server:
    """What `start_server` returns; use it in `async with`, or close() it."""

    def __init__(self, callback, udp, config, marks):
        self._callback = callback
        self._marks = marks
        self._closed = Event()
        listener = Listener(config, fill)
        self.endpoint = Endpoint(
            udp, listener.buffer_bytes, listener, self._on_session, callback is not None
        )
        self.endpoint.on_closed = self._closed.set
        self._acceptor = Waiter()
        self._deadline_ms = None  # of accept()

    @property
    def sockets(self) -> tuple:
        """The one socket, until it is closed."""
        return () if self.endpoint.is_closed else (self.endpoint.port.sock,)

    @property
    def sockname(self):
        """The address that the server is bound to (kcp-go: Addr)."""
        return self.endpoint.port.sockname

    def set(self, **options):
        """Change `dscp`, `read_buffer` and `write_buffer` of the socket at once. ValueError on a
        wrong one, OSError if the system refuses it. Settings of a session: `Stream.set`."""
        from ._stream_options import apply_to_server  # only who uses it pays for it

        apply_to_server(self.endpoint, options)

    async def accept(self) -> tuple:
        """Return (reader, writer), the same `Stream` twice, of the session that has waited
        longest; for a server that has no callback. OSError(EPIPE) once the server is closed,
        asyncio.TimeoutError at the deadline. Use that instead of wait_for(): MicroPython's can
        lose a session that comes when the time is up."""
        if self._callback is not None:
            raise RuntimeError("this server calls a callback; accept() is for callback=None")
        if self._acceptor.is_busy:
            raise RuntimeError("another task is accepting already")
        while True:
            if self.endpoint.is_closing:
                raise OSError(_EPIPE, "the server is closed")
            pair = self.endpoint.listener.accept()
            if pair is not None:
                stream = self.endpoint.links[pair[1]]
                return stream, stream
            await self._wait_for_session()

    async def _wait_for_session(self):
        if self._deadline_ms is None:
            await self._acceptor.wait()
            return
        left_ms = ticks_diff(self._deadline_ms, ticks_ms())
        if left_ms <= 0:
            raise TimeoutError("the deadline of accept() has passed")
        await self._acceptor.wait_ms(left_ms)  # the caller looks again, and then here

    def set_deadline(self, n_ms):
        """Let no accept() wait beyond n_ms from now (None: no deadline)."""
        from ._deadlines import moment

        self._deadline_ms = moment(n_ms)
        self._acceptor.wake()

    def is_serving(self) -> bool:
        """True until close()."""
        return not self.endpoint.is_closing

    def stats(self):
        """Return the listener's counters (a `Stats`)."""
        return self.endpoint.listener.stats

    async def start_serving(self):
        """Does nothing: a server serves from the beginning."""

    async def serve_forever(self):
        """Wait until the server is closed; when cancelled, close it."""
        try:
            await self._closed.wait()
        finally:
            self.close()
            await self.wait_closed()

    def close(self):
        """Take no new sessions and close those there are, each with its linger."""
        if self.endpoint.is_closing:
            return
        self.endpoint.shutdown()
        self._acceptor.wake()
        for link in list(self.endpoint.links.values()):
            link.close()

    async def wait_closed(self):
        """Wait until close() was called and the last session is gone."""
        await self._closed.wait()

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc, tb):
        self.close()
        await self.wait_closed()

    def _on_session(self, session, key):
        """Make the stream of a new session, and call back or wake accept()."""
        stream = Stream(self.endpoint, session, key, *self._marks)
        if self._callback is None:
            self._acceptor.wake()
            return stream
        try:
            result = self._callback(stream, stream)
        except Exception as error:
            self._failed(stream, error)
        else:
            if hasattr(result, "send"):
                spawn(self._run(stream, result))
        return stream

    async def _run(self, stream, coroutine):
        try:
            await coroutine
        except Exception as error:
            self._failed(stream, error)

    def _failed(self, stream, error):
        report(error, "exception in the callback of a KCP server")
        stream.close()
