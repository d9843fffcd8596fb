"""Helpers for tests over real sockets on the loopback interface, on both runtimes."""

import asyncio
import errno
import os

import kcp

#: How long anything may take before a test gives up: emulated machines are slow.
PATIENCE_S = 30


def pattern(n, seed=1):
    """n bytes that are not all alike, and differ with the seed."""
    block = bytes((i * 7 + seed * 31) & 0xFF for i in range(251))
    return (block * (n // 251 + 1))[:n]


async def serve(callback, host="127.0.0.1", **options):
    """Start a server on a free port (MicroPython cannot ask which one the system chose)."""
    for _ in range(20):
        port = 20000 + int.from_bytes(os.urandom(2), "little") % 40000
        try:
            return await kcp.start_server(callback, host, port, **options), port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no free port")


async def soon(awaitable):
    """The awaitable's result, within PATIENCE_S."""
    return await asyncio.wait_for(awaitable, PATIENCE_S)


async def raised(kind, awaitable):
    """The exception of this kind that the awaitable raises."""
    try:
        result = await soon(awaitable)
    except kind as error:
        return error
    raise AssertionError("no {} but {!r}".format(kind, result))


class Pair:
    """A client's stream and the server's stream of the same session."""

    def __init__(self):
        self.server = self.port = self.client = self.peer = None
        self._accepted = asyncio.Event()

    def _on_session(self, reader, writer):
        assert reader is writer
        self.peer = reader
        self._accepted.set()

    async def open(self, host="127.0.0.1", client_options=None, **options):
        self.server, self.port = await serve(self._on_session, host, **options)
        options.update(client_options or {})
        self.client, writer = await kcp.open_connection(host, self.port, probe_ms=20000, **options)
        assert self.client is writer
        await soon(self._accepted.wait())
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc, tb):
        """Close both ends without waiting for what a test has left unread."""
        self.client.close(0)
        for link in list(self.server.endpoint.links.values()):
            link.close(0)
        self.server.close()
        await soon(self.server.wait_closed())
        try:
            await soon(self.client.wait_closed())
        except OSError:
            pass


async def pair(host="127.0.0.1", client_options=None, **options):
    """A connected Pair, with options for both ends and some for the client alone."""
    return await Pair().open(host, client_options, **options)


def lossy(stream, percent, seed=1):
    """Make this stream's endpoint lose datagrams on sending (the socket believes it sent them)."""
    port = stream.endpoint.port
    send = port.send
    state = [seed * 2 + 1]

    def unreliable(buf, n, key):
        state[0] = (state[0] * 1103 + 12345) % 0x1FFFFF
        return 1 if state[0] // 64 % 100 < percent else send(buf, n, key)

    port.send = unreliable
