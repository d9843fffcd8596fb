"""Deadlines of reads, writes and accept over real sockets. The same on both runtimes."""

# upy: heapsize=8m

import asyncio

from loopback import lossy, pair, pattern, raised, serve, soon

import kcp
from kcp._clock import ticks_diff, ticks_ms
from kcp._deadlines import moment

TIMEOUT = asyncio.TimeoutError


async def took_ms(kind, awaitable):
    """The ms until the awaitable raises `kind`."""
    begin_ms = ticks_ms()
    assert await raised(kind, awaitable) is not None
    return ticks_diff(ticks_ms(), begin_ms)


async def test_every_kind_of_read_ends_at_the_deadline():
    async with await pair() as p:
        buf = bytearray(10)
        for read in (
            lambda: p.peer.read(10),
            lambda: p.peer.read(-1),
            lambda: p.peer.readexactly(10),
            lambda: p.peer.readuntil(b"\n"),
            p.peer.readline,
            lambda: p.peer.readinto(buf),
        ):
            p.peer.set_read_deadline(60)
            assert 50 <= await took_ms(TIMEOUT, read()) < 5000
            assert await took_ms(TIMEOUT, read()) < 5000  # it is a moment, not a span
        p.peer.set_read_deadline(None)
        p.client.write(b"later\n")
        assert await soon(p.peer.readline()) == b"later\n"


async def test_what_is_there_is_handed_out_behind_the_deadline():
    async with await pair() as p:
        p.peer.set_deadline(0)
        assert await took_ms(TIMEOUT, p.peer.read(5)) < 5000
        p.client.write(b"hello world")
        await asyncio.sleep(0.1)
        assert await soon(p.peer.readexactly(5)) == b"hello"
        assert await soon(p.peer.read(100)) == b" world"
        assert await took_ms(TIMEOUT, p.peer.read(5)) < 5000


async def test_readexactly_keeps_what_it_had():
    async with await pair() as p:
        p.client.write(b"half")
        p.peer.set_read_deadline(60)
        assert await raised(TIMEOUT, p.peer.readexactly(8))
        p.peer.set_read_deadline(None)
        p.client.write(b"done")
        assert await soon(p.peer.readexactly(8)) == b"halfdone"


async def test_nothing_is_lost_when_bytes_come_just_at_the_deadline():
    async with await pair() as p:
        n_rounds = 40
        n_timeouts = 0
        got = b""

        async def trickle():
            for i in range(n_rounds):
                await asyncio.sleep(0.005)
                p.client.write(b"%04d." % i)

        writing = asyncio.create_task(trickle())
        while len(got) < 5 * n_rounds:
            p.peer.set_read_deadline(5)
            try:
                got += await p.peer.read(100)
            except TIMEOUT:
                n_timeouts += 1
        await soon(writing)
        assert got == b"".join([b"%04d." % i for i in range(n_rounds)])


async def test_a_deadline_may_change_while_a_read_waits():
    async with await pair() as p:
        p.peer.set_read_deadline(20000)
        reading = asyncio.create_task(p.peer.read(5))
        await asyncio.sleep(0.05)
        p.peer.set_read_deadline(50)
        assert await took_ms(TIMEOUT, reading) < 5000
        p.peer.set_read_deadline(50)
        reading = asyncio.create_task(p.peer.read(5))
        await asyncio.sleep(0.01)
        p.peer.set_read_deadline(None)
        await asyncio.sleep(0.1)
        p.client.write(b"on")
        assert await soon(reading) == b"on"


async def test_writes_end_at_the_deadline_and_reads_do_not():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        data = pattern(100000)
        p.client.set_write_deadline(80)
        p.client.set_read_deadline(None)
        assert 60 <= await took_ms(TIMEOUT, p.client.send(data)) < 5000
        p.client.write(b"x" * 100)
        assert await took_ms(TIMEOUT, p.client.drain()) < 5000
        p.peer.write(b"answer")
        assert await soon(p.client.read(10)) == b"answer"
        p.client.set_write_deadline(None)
        got = b""
        while not got.endswith(b"x" * 100):
            got += await soon(p.peer.read(5000))
        assert got[:-100] == data[: len(got) - 100] and len(got) > 4 * 1326
        await soon(p.client.drain())


async def test_a_write_that_need_not_wait_has_no_deadline():
    async with await pair() as p:
        p.client.set_write_deadline(0)
        await soon(p.client.send(b"fits"))
        assert await soon(p.peer.read(10)) == b"fits"


async def test_closing_takes_its_time_whatever_the_deadlines():
    async with await pair() as p:
        lossy(p.client, 50)
        data = pattern(20000)
        p.client.write(data)
        p.client.set_deadline(1)
        p.client.close()
        assert await soon(p.peer.readexactly(len(data))) == data
        await soon(p.client.wait_closed())
        p.client.set_deadline(5)  # after the end it is as good as nothing
        assert await soon(p.client.read(5)) == b""


async def test_misuse():
    async with await pair() as p:
        for n_ms in (-1, 1 << 29, 0.5, "1"):
            for set_it in (p.client.set_deadline, p.client.set_read_deadline):
                try:
                    set_it(n_ms)
                except ValueError as error:
                    assert "ms from now" in str(error)
                    continue
                raise AssertionError("taken: %r" % n_ms)
        p.client.set_deadline(None)
    assert moment(None) is None and ticks_diff(moment(100), ticks_ms()) in (99, 100)


async def test_wait_for_leaves_a_waiting_read_usable():
    """asyncio's own may be used too, where a read that ends at that moment may be lost."""
    async with await pair() as p:
        for _ in range(3):
            assert await raised(TIMEOUT, asyncio.wait_for(p.peer.read(5), 0.02))
        p.client.write(b"hello")
        assert await soon(p.peer.readexactly(5)) == b"hello"


async def test_accept_ends_at_its_deadline():
    server, port = await serve(None)
    async with server:
        server.set_deadline(60)
        assert 50 <= await took_ms(TIMEOUT, server.accept()) < 5000
        assert await took_ms(TIMEOUT, server.accept()) < 5000
        server.set_deadline(20000)
        accepting = asyncio.create_task(server.accept())
        await asyncio.sleep(0.02)
        server.set_deadline(30)
        assert await took_ms(TIMEOUT, accepting) < 5000
        server.set_deadline(None)
        writer = (await kcp.open_connection("127.0.0.1", port))[1]
        writer.write(b"x")
        reader, _ = await soon(server.accept())
        assert await soon(reader.read(1)) == b"x"
        server.set_deadline(0)
        writer2 = (await kcp.open_connection("127.0.0.1", port, probe_ms=20000))[1]
        assert (await soon(server.accept()))[0].get_extra_info("peername")  # it had come already
        await soon(writer.aclose())
        await soon(writer2.aclose())
    assert (await raised(OSError, server.accept())).errno == 32
