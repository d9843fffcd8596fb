"""A peer that falls silent, as users of the asyncio and of the blocking API see it."""

import asyncio
from errno import ETIMEDOUT

from blocking_pair import raised as raised_by
from loopback import pattern, raised, serve, soon

import kcp
from kcp import blocking


async def _mute(reader, writer):
    """A server's session that takes what comes, and never sends."""


async def test_a_vanished_client_is_let_go():
    streams = []

    async def keep(reader, writer):
        streams.append(reader)

    server, port = await serve(keep, idle_ms=300)
    async with server:
        _, writer = await kcp.open_connection("127.0.0.1", port)
        writer.write(pattern(100))
        while not streams:
            await asyncio.sleep(0.02)
        writer.endpoint.close()  # its host is gone
        assert await soon(streams[0].readexactly(100)) == pattern(100)
        error = await raised(OSError, streams[0].read(1))
        assert error.args == (ETIMEDOUT, "nothing heard for 300 ms (idle_ms)")
        assert not server.endpoint.links


async def test_keep_alive_holds_a_quiet_session_and_finds_a_dead_server():
    server, port = await serve(_mute, idle_ms=1500)
    reader, writer = await kcp.open_connection("127.0.0.1", port, keepalive_ms=100, dead_ms=700)
    for _ in range(25):
        await asyncio.sleep(0.1)
    assert len(server.endpoint.links) == 1 and not writer.is_closing()
    for link in server.endpoint.links.values():
        link.session.codec.open = lambda buf, n: -1  # it is deaf now
    error = await raised(OSError, reader.read(1))
    assert error.args == (ETIMEDOUT, "keep-alive unanswered for 700 ms (dead_ms)")
    server.close()
    server.endpoint.close()


def test_the_blocking_api_says_the_same():
    client = blocking.connect("127.0.0.1", 9, keepalive_ms=100, dead_ms=300)
    error = raised_by(OSError, client.recv, 1)
    assert error.args == (ETIMEDOUT, "keep-alive unanswered for 300 ms (dead_ms)")
    error = raised_by(OSError, client.send, b"x")
    assert error.args == (ETIMEDOUT, "keep-alive unanswered for 300 ms (dead_ms)")
    client.close()
    client = blocking.connect("127.0.0.1", 9, idle_ms=300)
    error = raised_by(OSError, client.recv, 1)
    assert error.args == (ETIMEDOUT, "nothing heard for 300 ms (idle_ms)")
    client.close()
