"""The asyncio API: `open_connection` and `start_server`, the same on both runtimes."""

from errno import ETIMEDOUT

from ._clock import ticks_diff, ticks_ms
from ._port import (
    Event,
    TimeoutError,
    Waiter,
    open_client,
    open_server,
    report,
    spawn,
    wait_for_ms,
)
from ._random import fill, random_conv, require
from .config import Config
from .endpoint import Endpoint
from .listener import Listener
from .session import Session
from .stream import Stream

_FIRST_PROBE_MS = 100
_SOCKBUF = 4194304  # kcptun's; the default of most systems is overrun by one window


async def open_connection(
    host,
    port: int,
    *,
    config: "Config | None" = None,
    conv: "int | None" = None,
    probe_ms: "int | None" = None,
    sockbuf: int = _SOCKBUF,
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
    config, options: a `Config`, and what to change in it (`Config`'s keywords).
    conv: the conversation id, 0 <= conv < 2**32 (default: random).
    sockbuf: bytes asked for the socket's buffers (the system may give less).
    write_limit, high_water, low_water: bytes, see `Stream`.
    """
    config = Config.from_options(config, options)
    _check_marks(write_limit, high_water, low_water)
    if config.crypt != "null":
        require()
    if conv is None:
        conv = random_conv()
    session = Session(conv, config, fill, ticks_ms())
    udp = await open_client(host, port, sockbuf)
    endpoint = Endpoint(udp, session.buffer_bytes)
    stream = Stream(endpoint, session, None, write_limit, high_water, low_water)
    try:
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
    while True:
        left_ms = probe_ms - ticks_diff(ticks_ms(), begin_ms)
        if left_ms <= 0:
            raise OSError(ETIMEDOUT, "no answer: is the peer there, with the same key and crypt?")
        stream.session.probe()
        stream.endpoint.kick(stream)
        try:
            await wait_for_ms(stream.heard.wait(), min(wait_ms, left_ms))
            stream.heard = None
            return
        except TimeoutError:
            wait_ms *= 2


async def start_server(
    callback,
    host,
    port: int,
    *,
    config: "Config | None" = None,
    sockbuf: int = _SOCKBUF,
    write_limit: "int | None" = None,
    high_water: "int | None" = None,
    low_water: "int | None" = None,
    **options,
) -> "Server":
    """Serve on host:port; callback(reader, writer), plain or async, is called for every session.

    host: an address or name to bind to; None, "" and "::" take IPv6 and IPv4 (where the runtime
    has both), "0.0.0.0" IPv4. The other parameters are as in `open_connection`; `Config.backlog`
    and `Config.max_sessions` bound what strangers can make this side keep.
    An exception in the callback is reported as the event loop does and closes the stream.
    """
    config = Config.from_options(config, options)
    _check_marks(write_limit, high_water, low_water)
    if config.crypt != "null":
        require()
    udp = await open_server(host, port, sockbuf)
    server = Server(callback, udp, config, (write_limit, high_water, low_water))
    try:
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
        self.endpoint = Endpoint(udp, listener.buffer_bytes, listener, self._on_session)
        self.endpoint.on_closed = self._closed.set

    @property
    def sockets(self) -> tuple:
        """The one socket, until it is closed."""
        return () if self.endpoint.is_closed else (self.endpoint.port.sock,)

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
        stream = Stream(self.endpoint, session, key, *self._marks)
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
