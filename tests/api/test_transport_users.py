"""What expects a transport gets along with ours: asyncio's streams, h11, other event loops."""

import asyncio
import gc
import os

import pytest
from http_support import HttpClient, HttpServer
from test_cpython import NoAddReader, run_in
from transport_support import Ends, lossy, pattern, soon


def stream_protocol(on_streams=None):
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader, on_streams)
    protocol.kept_reader = reader  # it keeps none itself
    return protocol


async def shout(reader, writer):
    """A callback of asyncio.start_server."""
    while (line := await reader.readline()) != b"bye\n":
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()


class Streams(Ends):
    """Ends whose protocols are asyncio's streams."""

    def __init__(self, callback, **options):
        super().__init__(stream_protocol, lambda: stream_protocol(callback), **options)

    def _new_peer(self):
        peer = super()._new_peer()
        peer.calls = ["made"]
        return peer

    async def __aenter__(self):
        await super().__aenter__()
        reader = self.protocol.kept_reader
        loop = asyncio.get_running_loop()
        self.reader = reader
        self.writer = asyncio.StreamWriter(self.transport, self.protocol, reader, loop)
        return self


async def test_stream_reader_and_writer():
    async with Streams(shout) as ends:
        for i in range(50):
            ends.writer.writelines([b"line ", b"%d\n" % i])
            await soon(ends.writer.drain())
            assert await soon(ends.reader.readline()) == b"LINE %d\n" % i
        assert not ends.writer.can_write_eof()
        ends.writer.write(b"bye\n")
        ends.writer.close()
        await soon(ends.writer.wait_closed())
        await soon(asyncio.shield(ends.peer._closed))


async def test_drain_waits_for_a_reader_that_stalls():
    asked = asyncio.Event()
    got = []

    async def stall(reader, writer):
        await asked.wait()
        got.append(await reader.readexactly(3000000))

    async with Streams(stall, sndwnd=64, rcvwnd=64) as ends:
        data = pattern(3000000)
        sent = 0

        async def send():
            nonlocal sent
            for i in range(0, len(data), 50000):
                ends.writer.write(data[i : i + 50000])
                await ends.writer.drain()
                sent += 50000

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.3)
        assert not sending.done() and sent < 1000000
        asked.set()
        await soon(sending)
        while not got:
            await asyncio.sleep(0.01)
        assert got == [data]


@pytest.mark.parametrize("loss", [0, 10])
async def test_http_by_h11(loss):
    async with Ends(HttpClient, lambda: tell_made(HttpServer())) as ends:
        ends.transport.set_write_buffer_limits(60000)
        lossy(ends.transport._stream, loss)
        lossy(ends.peer.transport._stream, loss, 2)
        for i, n in enumerate((0, 1, 1400, 300000, 70000)):
            body = pattern(n, i)
            target, answer = await soon(ends.protocol.post(f"/{i}", body))
            assert target == f"/{i}" and answer == body[::-1]
        assert ends.protocol.n_pauses


def tell_made(protocol):
    protocol.calls = ["made"]
    return protocol


async def exchange():
    """Several clients at once, each with a server of its own."""

    async def client(n):
        async with Ends(HttpClient, lambda: tell_made(HttpServer())) as ends:
            assert await soon(ends.protocol.post("/", pattern(n))) == ("/", pattern(n)[::-1])

    await asyncio.gather(*[client(n) for n in (10, 100000, 200000)])


def test_uvloop():
    try:
        import uvloop
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("uvloop is not installed")
    run_in(uvloop.new_event_loop(), exchange())


def test_a_loop_without_add_reader():
    run_in(NoAddReader(), exchange())


def test_debug_mode_has_nothing_to_say():
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    reports = []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    run_in(loop, exchange())
    gc.collect()
    assert reports == []
