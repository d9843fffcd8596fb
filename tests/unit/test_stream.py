"""Stream over real sockets: reading, writing, limits. The same on both runtimes."""

# upy: heapsize=8m

import asyncio
import errno

from loopback import lossy, pair, pattern, raised, soon

# reading


async def test_read_returns_what_is_there():
    async with await pair() as p:
        p.client.write(b"hello")
        assert await soon(p.peer.read(100)) == b"hello"
        p.client.write(b"hello")
        assert await soon(p.peer.read(3)) == b"hel"
        assert await soon(p.peer.read(3)) == b"lo"
        assert await soon(p.peer.read(0)) == b""


async def test_readexactly():
    async with await pair() as p:
        p.client.write(b"abcdefgh")
        assert await soon(p.peer.readexactly(3)) == b"abc"
        assert await soon(p.peer.readexactly(0)) == b""
        reading = asyncio.create_task(p.peer.readexactly(7))
        await asyncio.sleep(0.05)
        p.client.write(b"12")
        assert await soon(reading) == b"defgh12"
        assert await raised(ValueError, p.peer.readexactly(-1))


async def test_readexactly_more_than_the_window():
    async with await pair(rcvwnd=8, sndwnd=8) as p:
        data = pattern(50000)
        sending = asyncio.create_task(p.client.send(data))
        assert await soon(p.peer.readexactly(50000)) == data
        await soon(sending)


async def test_readline_and_iteration():
    async with await pair() as p:
        p.client.write(b"one\ntwo\n\nthree\nrest")
        assert await soon(p.peer.readline()) == b"one\n"
        assert await soon(p.peer.readline()) == b"two\n"
        assert await soon(p.peer.read(1)) == b"\n"
        assert await soon(p.peer.readline()) == b"three\n"
        await asyncio.sleep(0.05)
        p.peer.close()
        lines = []
        async for line in p.peer:
            lines.append(line)
        assert lines == [b"rest"]
        assert await soon(p.peer.readline()) == b""


async def test_readuntil_with_the_separator_in_two_segments():
    async with await pair(mtu=60) as p:
        data = pattern(200).replace(b"\r", b".").replace(b"\n", b".")
        for n in range(20, 45):
            p.client.write(data[:n] + b"\r\n--\r\n")
            assert await soon(p.peer.readuntil(b"\r\n--\r\n")) == data[:n] + b"\r\n--\r\n"
        assert await raised(ValueError, p.peer.readuntil(b""))


async def test_readuntil_gives_up_at_its_limit_and_keeps_the_bytes():
    async with await pair() as p:
        p.client.write(b"x" * 5000)
        assert await raised(ValueError, p.peer.readuntil(b"\n", limit=1000))
        assert await soon(p.peer.readexactly(5000)) == b"x" * 5000


async def test_readinto():
    async with await pair() as p:
        p.client.write(b"abc\ndefgh")
        buf = bytearray(4)
        assert await soon(p.peer.readline()) == b"abc\n"
        assert await soon(p.peer.readinto(buf)) == 4 and buf == b"defg"
        assert await soon(p.peer.readinto(buf)) == 1 and buf[:1] == b"h"
        p.client.write(b"xy")
        assert await soon(p.peer.readinto(memoryview(buf)[1:])) == 2 and buf[1:3] == b"xy"


async def test_readinto_takes_pushed_back_bytes_first():
    async with await pair() as p:
        p.client.write(b"abcdef")
        try:
            await asyncio.wait_for(p.peer.readuntil(b"\n"), 0.2)
            raise AssertionError
        except asyncio.TimeoutError:
            pass
        p.client.write(b"ghi")
        buf = bytearray(4)
        assert await soon(p.peer.readinto(buf)) == 4 and buf == b"abcd"
        assert await soon(p.peer.readexactly(5)) == b"efghi"


async def test_cancelled_reads_lose_nothing():
    async with await pair(mode="fast3") as p:
        data = pattern(3000)
        got = b""
        n_cancelled = 0
        sending = asyncio.create_task(slowly(p.client, data, 50))
        while len(got) < len(data):
            want = min(170, len(data) - len(got))
            reading = asyncio.create_task(p.peer.readexactly(want))
            await asyncio.sleep(0.01)
            reading.cancel()  # not by wait_for: MicroPython's may drop a result that comes late
            try:
                got += await soon(reading)
            except asyncio.CancelledError:
                n_cancelled += 1
        await soon(sending)
        assert got == data and n_cancelled > 3


async def slowly(writer, data, n):
    for i in range(0, len(data), n):
        writer.write(data[i : i + n])
        await asyncio.sleep(0.015)


async def test_timeout_then_the_line_comes_whole():
    async with await pair() as p:
        p.client.write(b"half")
        try:
            await asyncio.wait_for(p.peer.readline(), 0.2)
            raise AssertionError
        except asyncio.TimeoutError:
            pass
        p.client.write(b" line\n")
        assert await soon(p.peer.readline()) == b"half line\n"


async def test_read_all_until_the_end():
    async with await pair() as p:
        p.client.write(pattern(30000))
        reading = asyncio.create_task(p.peer.read())
        while p.peer.session.stats.BytesReceived < 30000:
            await asyncio.sleep(0.01)
        p.peer.close()
        assert await soon(reading) == pattern(30000)


async def test_after_close_what_arrived_is_read_and_then_the_end():
    async with await pair() as p:
        p.client.write(b"last words")
        await soon(p.client.drain())
        await asyncio.sleep(0.2)
        assert not p.peer.at_eof() and not p.peer.is_closing()
        p.peer.close()
        assert p.peer.is_closing() and not p.peer.at_eof()
        assert await soon(p.peer.read(4)) == b"last"
        error = await raised(EOFError, p.peer.readexactly(100))
        assert error.partial == b" words"
        assert p.peer.at_eof()
        assert await soon(p.peer.read(4)) == b""
        assert await soon(p.peer.read()) == b""
        assert await soon(p.peer.readinto(bytearray(4))) == 0


async def test_close_wakes_a_reader_and_a_drainer():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        reading = asyncio.create_task(p.client.read(10))
        p.client.write(bytes(8 * 1326))
        draining = asyncio.create_task(p.client.drain())
        await asyncio.sleep(0.1)
        p.client.close(200)
        assert await soon(reading) == b""
        try:
            await soon(draining)
        except OSError as error:
            assert error.errno == errno.ETIMEDOUT


async def test_two_readers_are_an_error_at_once():
    async with await pair() as p:
        first = asyncio.create_task(p.peer.readexactly(2))
        await asyncio.sleep(0.02)
        for read in (p.peer.read, p.peer.readline, p.peer.readexactly, p.peer.readinto):
            argument = () if read == p.peer.readline else (bytearray(3),)
            if read in (p.peer.read, p.peer.readexactly):
                argument = (3,)
            assert await raised(RuntimeError, read(*argument))
        p.client.write(b"ok")
        assert await soon(first) == b"ok"


async def test_two_drainers_are_an_error_at_once():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        p.client.write(bytes(12 * 1326))
        first = asyncio.create_task(p.client.drain())
        await asyncio.sleep(0.02)
        assert await raised(RuntimeError, p.client.drain())
        assert await raised(RuntimeError, p.client.send(b"x"))
        reading = asyncio.create_task(p.peer.readexactly(12 * 1326))
        await soon(first)
        await soon(reading)


# writing


async def test_writing_in_many_ways():
    async with await pair() as p:
        p.client.write(b"")
        p.client.write(bytearray(b"a"))
        p.client.write(memoryview(b"xbx")[1:2])
        p.client.writelines([b"c", b"", b"d"])
        await soon(p.client.awrite(b"-ef-", 1, 2))
        await soon(p.client.awrite(b"-g", 1))
        await soon(p.client.send(b"hi"))
        await soon(p.client.send(b""))
        assert await soon(p.peer.readexactly(9)) == b"abcdefghi"
        assert not p.client.can_write_eof()
        try:
            p.client.write_eof()
            raise AssertionError
        except NotImplementedError:
            pass
        try:
            p.client.write("text")
            raise AssertionError
        except TypeError:
            pass


async def test_writing_after_close_is_an_error():
    async with await pair() as p:
        p.client.close()
        p.client.close()
        try:
            p.client.write(b"x")
            raise AssertionError
        except OSError as error:
            assert error.errno == 32
        assert (await raised(OSError, p.client.send(b"x"))).errno == 32


async def test_write_limit():
    async with await pair(sndwnd=4, rcvwnd=4, client_options={"write_limit": 3000}) as p:
        n = 0
        chunk = pattern(1000)
        try:
            while n < 1000:
                p.client.write(chunk)
                n += 1
            raise AssertionError
        except OSError as error:
            assert error.errno == errno.ENOBUFS
            assert "drain" in str(error)
        # two windows in the session, the limit, and one write over it
        assert 2 * 4 * 1326 < n * 1000 <= 2 * 4 * 1326 + 3000 + 2 * 1000
        reading = asyncio.create_task(p.peer.readexactly(n * 1000))
        await soon(p.client.drain())
        p.client.write(b"more")
        assert await soon(reading) == chunk * n
        assert await soon(p.peer.readexactly(4)) == b"more"


async def test_drain_waits_while_the_reader_stalls_and_memory_is_bounded():
    async with await pair(sndwnd=8, rcvwnd=8) as p:
        window = 8 * 1326
        chunk = pattern(4000)
        n_written = most = 0
        blocked = False
        while not blocked and n_written < 200:
            p.client.write(chunk)
            n_written += 1
            try:
                await asyncio.wait_for(p.client.drain(), 0.4)
            except asyncio.TimeoutError:
                blocked = True
            most = max(most, p.client._pending_bytes())
        assert blocked and most <= window + window // 4 + len(chunk)
        assert n_written * len(chunk) <= 3 * window + 2 * len(chunk)
        n_read = 0
        while n_read < n_written * len(chunk):
            data = await soon(p.peer.read(1000))
            n_read += len(data)
        await soon(p.client.drain())
        assert n_read == n_written * len(chunk)


async def test_drain_with_a_high_water_of_zero_waits_for_everything():
    async with await pair(client_options={"high_water": 0}) as p:
        session = p.client.get_extra_info("session")
        for i in range(3):
            p.client.write(pattern(5000, i))
            await soon(p.client.drain())
            assert session.unacked_bytes == 0
        for i in range(3):
            assert await soon(p.peer.readexactly(5000)) == pattern(5000, i)


async def test_drain_lets_others_run():
    async with await pair() as p:
        order = []

        async def other():
            order.append("other")

        task = asyncio.create_task(other())
        await p.client.drain()
        order.append("drained")
        assert order == ["other", "drained"]
        await task


async def test_send_larger_than_every_buffer():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        data = pattern(100000)
        sending = asyncio.create_task(p.client.send(data))
        most = 0
        got = bytearray()
        while len(got) < len(data):
            got += await soon(p.peer.read(3000))
            most = max(most, p.client._pending_bytes())
        await soon(sending)
        assert got == data and most <= 2 * 4 * 1326


async def test_send_keeps_its_place_behind_write():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        head = pattern(12 * 1326)
        p.client.write(head)  # more than the session takes
        sending = asyncio.create_task(p.client.send(b"tail" * 1000))
        assert await soon(p.peer.readexactly(len(head))) == head
        assert await soon(p.peer.readexactly(4000)) == b"tail" * 1000
        await soon(sending)


async def test_message_mode_carries_bytes_all_the_same():
    async with await pair(stream=False, sndwnd=8, rcvwnd=8) as p:
        data = pattern(60000)
        sending = asyncio.create_task(p.client.send(data))
        assert await soon(p.peer.readexactly(60000)) == data
        await soon(sending)
        for i in range(40):  # small messages fill the session by number, not by bytes
            p.client.write(b"%02d" % i)
            await soon(p.client.drain())
            if i % 8 == 7:
                await soon(p.peer.readexactly(16))


async def test_both_directions_at_once_through_loss():
    async with await pair(mode="fast3") as p:
        lossy(p.client, 15, 3)
        lossy(p.peer, 15, 4)
        up, down = pattern(60000, 1), pattern(60000, 2)
        sending = asyncio.create_task(p.client.send(up))
        answering = asyncio.create_task(p.peer.send(down))
        reading = asyncio.create_task(p.client.readexactly(60000))
        assert await soon(p.peer.readexactly(60000)) == up
        assert await soon(reading) == down
        await soon(sending)
        await soon(answering)
        stats = p.client.get_extra_info("session").stats
        assert stats.RetransSegs > 0


async def test_extra_info():
    async with await pair(client_options={"conv": 0xDEADBEEF}) as p:
        info = p.client.get_extra_info
        assert info("peername") == ("127.0.0.1", p.port)
        assert info("conv") == 0xDEADBEEF == p.peer.get_extra_info("conv")
        assert info("mss") == 1326
        assert info("session") is p.client.session
        assert info("socket") is not None
        assert info("nonsense") is None and info("nonsense", 5) == 5
        assert p.peer.get_extra_info("sockname") == ("127.0.0.1", p.port)
        assert p.peer.get_extra_info("peername")[0] == "127.0.0.1"


# troubled sockets


async def through_a_socket_that(answers, n_bytes=60000):
    """Transfer through a socket whose send() answers this (a function of the count), or sends."""
    async with await pair(mode="fast3") as p:
        port = p.client.endpoint.port
        send = port.send
        count = [0]

        def troubled(buf, n, key):
            count[0] += 1
            answer = answers(count[0])
            return send(buf, n, key) if answer is None else answer

        port.send = troubled
        data = pattern(n_bytes)
        sending = asyncio.create_task(p.client.send(data))
        assert await soon(p.peer.readexactly(n_bytes)) == data
        await soon(sending)
        return p.client.session.stats, count[0]


async def test_a_full_socket_delays_and_loses_nothing():
    stats, n_calls = await through_a_socket_that(lambda i: 0 if i % 3 == 0 else None)
    assert n_calls > 60 and stats.OutDrops == 0
    assert stats.RetransSegs < 20


async def test_a_socket_that_refuses_is_loss():
    stats, n_calls = await through_a_socket_that(lambda i: -1 if i % 5 == 0 else None)
    assert n_calls // 5 - 1 <= stats.OutDrops <= n_calls // 5
    assert stats.RetransSegs >= 8
