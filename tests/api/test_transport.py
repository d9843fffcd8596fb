"""kcp_asyncio.Transport by itself: reading, writing, flow control, the end."""

import asyncio
import errno
import logging

import pytest
from transport_support import Ends, Recorder, lossy, pattern, soon, until

import kcp_asyncio


async def test_data_goes_both_ways_and_close_is_told_once():
    async with Ends() as ends:
        ends.transport.write(b"hello")
        ends.transport.writelines([b" ", bytearray(b"wor"), memoryview(b"xldx")[1:3]])
        ends.transport.write(b"")
        await until(lambda: bytes(ends.peer.data) == b"hello world")
        ends.peer.transport.write(memoryview(pattern(70000)))
        await until(lambda: bytes(ends.protocol.data) == pattern(70000))
        ends.transport.close()
        assert ends.transport.is_closing() and not ends.transport.is_reading()
        ends.transport.close()
        assert await soon(ends.protocol.lost) is None
        ends.transport.abort()
        await asyncio.sleep(0.05)
        assert ends.protocol.calls == ["made", "lost"]
        assert ends.peer.calls == ["made"]  # the wire has no end mark


async def test_wide_memoryviews_are_counted_in_bytes():
    async with Ends() as ends:
        ends.transport.write(memoryview(pattern(64)).cast("I"))
        ends.transport.write(memoryview(pattern(64))[::2])
        ends.transport.write(memoryview(pattern(64)).cast("B", (8, 8)))
        await until(lambda: len(ends.peer.data) == 160)
        assert bytes(ends.peer.data) == pattern(64) + pattern(64)[::2] + pattern(64)


async def test_what_is_no_bytes_is_refused_and_none_of_it_taken():
    async with Ends() as ends:
        for wrong in ("text", 5, None, [1, 2]):
            with pytest.raises(TypeError):
                ends.transport.write(wrong)
        with pytest.raises(TypeError):
            ends.transport.writelines([b"abc", "text"])
        assert ends.transport.get_write_buffer_size() == 0


async def test_there_is_no_half_close():
    async with Ends() as ends:
        assert not ends.transport.can_write_eof()
        with pytest.raises(NotImplementedError):
            ends.transport.write_eof()


async def test_paused_reading_stalls_the_peer_and_loses_nothing():
    async with Ends(rcvwnd=32, sndwnd=32) as ends:
        peer = ends.peer.transport
        peer.pause_reading()
        peer.pause_reading()
        assert not peer.is_reading()
        data = pattern(200000)
        ends.transport.write(data)
        await until(lambda: peer.get_extra_info("session").readable > 0)
        await asyncio.sleep(0.1)
        assert not ends.peer.data
        assert ends.transport.get_write_buffer_size() > 100000
        peer.resume_reading()
        peer.resume_reading()
        assert peer.is_reading()
        await until(lambda: len(ends.peer.data) == len(data))
        assert bytes(ends.peer.data) == data


async def test_pausing_in_data_received_holds_from_the_next_piece_on():
    class OneByOne(Recorder):
        def data_received(self, data):
            super().data_received(data)
            self.calls.append("data")
            self.transport.pause_reading()

    async with Ends(server_kind=OneByOne) as ends:
        ends.transport.write(pattern(150000))
        await until(lambda: ends.peer.calls == ["made", "data"])
        await asyncio.sleep(0.05)
        assert ends.peer.calls == ["made", "data"]
        while len(ends.peer.data) < 150000:
            n_calls = len(ends.peer.calls)
            ends.peer.transport.resume_reading()
            await until(lambda n=n_calls: len(ends.peer.calls) > n)
        assert bytes(ends.peer.data) == pattern(150000)


async def test_flow_control_is_called_at_the_marks():
    async with Ends() as ends:
        transport, calls = ends.transport, ends.protocol.calls
        low, high = transport.get_write_buffer_limits()
        assert high > low > 0
        transport.set_write_buffer_limits(20000, 5000)
        assert transport.get_write_buffer_limits() == (5000, 20000)
        ends.peer.transport.pause_reading()
        transport.write(bytes(20000))
        assert calls == ["made"]
        transport.write(b"1")
        assert calls == ["made", "pause"]
        transport.write(b"2")
        assert calls == ["made", "pause"]
        ends.peer.transport.resume_reading()
        await until(lambda: calls == ["made", "pause", "resume"])
        assert transport.get_write_buffer_size() <= 5000


async def test_marks_follow_from_each_other_and_are_checked():
    async with Ends() as ends:
        transport = ends.transport
        default = transport.get_write_buffer_limits()
        transport.set_write_buffer_limits(high=1000)
        assert transport.get_write_buffer_limits() == (250, 1000)
        transport.set_write_buffer_limits(low=100)
        assert transport.get_write_buffer_limits() == (100, 400)
        transport.set_write_buffer_limits()
        assert transport.get_write_buffer_limits() == default
        for wrong in ({"high": 5, "low": 6}, {"high": -1}, {"low": -1, "high": 3}):
            with pytest.raises(ValueError):
                transport.set_write_buffer_limits(**wrong)
        transport.set_write_buffer_limits(high=0)
        transport.write(b"x")
        assert ends.protocol.calls == ["made", "pause"]
        transport.set_write_buffer_limits()
        assert ends.protocol.calls == ["made", "pause", "resume"]


async def test_close_sends_what_is_written_over_a_lossy_link():
    async with Ends() as ends:
        lossy(ends.transport._stream, 20)
        data = pattern(700000)  # more than a window
        ends.transport.write(data)
        ends.transport.close()
        assert await soon(ends.protocol.lost) is None
        await until(lambda: len(ends.peer.data) == len(data))
        assert bytes(ends.peer.data) == data


async def test_close_tells_what_was_not_acknowledged():
    async with Ends(client_options={"linger_ms": 200}) as ends:
        lossy(ends.transport._stream, 100)
        ends.transport.write(bytes(1234))
        ends.transport.close()
        error = await soon(ends.protocol.lost)
        assert isinstance(error, TimeoutError) and "1234 bytes" in str(error)


async def test_no_data_comes_after_close():
    async with Ends() as ends:
        ends.transport.close()
        ends.peer.transport.write(b"late")
        await soon(ends.protocol.lost)
        assert not ends.protocol.data


async def test_abort_drops_and_says_none():
    async with Ends() as ends:
        lossy(ends.transport._stream, 100)
        ends.transport.write(bytes(100000))
        ends.transport.abort()
        ends.transport.abort()
        assert ends.transport.is_closing()
        assert ends.protocol.calls == ["made", "pause"] or ends.protocol.calls == ["made"]
        assert await soon(ends.protocol.lost) is None
        assert ends.transport.get_write_buffer_size() == 0


async def test_abort_ends_a_close():
    async with Ends(linger_ms=60000) as ends:
        lossy(ends.transport._stream, 100)
        ends.transport.write(bytes(1000))
        ends.transport.close()
        await asyncio.sleep(0.05)
        assert not ends.protocol.lost.done()
        ends.transport.abort()
        assert await soon(ends.protocol.lost) is None


async def test_a_dead_peer_is_a_timeout():
    async with Ends(client_options={"dead_ms": 200}) as ends:
        ends.server._server.endpoint.close()
        ends.transport.write(b"anyone?")
        error = await soon(ends.protocol.lost)
        assert isinstance(error, TimeoutError) and error.errno == errno.ETIMEDOUT
        assert "7 bytes" in str(error) and "dead_ms" in str(error)
        assert ends.transport.is_closing()
        assert isinstance(await soon(ends.peer.lost), ConnectionAbortedError)


async def test_writes_after_the_end_are_dropped_with_a_warning(caplog):
    async with Ends() as ends:
        ends.transport.close()
        with caplog.at_level(logging.WARNING, "kcp.asyncio"):
            for _ in range(20):
                ends.transport.write(b"x")
        assert len(caplog.records) == 1
        assert await soon(ends.protocol.lost) is None
        ends.transport.write(b"x")
        assert not ends.peer.data


@pytest.mark.parametrize("where", ["data_received", "connection_made"])
async def test_an_exception_in_the_protocol(where):
    class Broken(Recorder):
        def fail(self, *args):
            raise LookupError(where)

    setattr(Broken, where, Broken.fail)
    reports = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    async with Ends() as ends:
        transport, protocol = await kcp_asyncio.create_connection(
            Broken, "127.0.0.1", ends.port, mode="fast3"
        )
        if where == "data_received":
            transport.write(b"x")
            await until(lambda: len(ends.peers) == 2 and ends.peers[1].data)
            ends.peers[1].transport.write(b"y")
        assert isinstance(await soon(protocol.lost), LookupError)
        assert [report["exception"].args for report in reports] == [(where,)]
        ends.transport.write(b"still here")  # the others do not notice
        await until(lambda: ends.peer.data)


async def test_an_exception_in_pause_writing_is_reported_only():
    class Broken(Recorder):
        def pause_writing(self):
            raise LookupError

    reports = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    async with Ends(client_kind=Broken) as ends:
        ends.transport.set_write_buffer_limits(0)
        ends.transport.write(b"through")
        await until(lambda: ends.peer.data == b"through")
        assert len(reports) == 1 and not ends.transport.is_closing()


async def test_extra_info():
    async with Ends() as ends:
        info = ends.transport.get_extra_info
        assert info("peername") == ("127.0.0.1", ends.port)
        assert info("sockname") == ends.peer.transport.get_extra_info("peername")
        assert info("conv") == ends.peer.transport.get_extra_info("conv")
        assert info("sslcontext") is None and info("sslcontext", 5) == 5
        assert "open" in repr(ends.transport) and str(ends.port) in repr(ends.transport)


class Buffered(asyncio.BufferedProtocol):
    """Reads into a buffer that is too small."""

    def __init__(self, n_bytes=700):
        self._buf = bytearray(n_bytes)
        self.calls, self.data = [], bytearray()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.calls.append("made")
        self.transport = transport

    def get_buffer(self, sizehint):
        return self._buf

    def buffer_updated(self, nbytes):
        self.data += self._buf[:nbytes]

    def connection_lost(self, exc):
        self.lost.set_result(exc)


async def test_a_buffered_protocol():
    async with Ends(server_kind=Buffered) as ends:
        ends.transport.write(pattern(300000))
        await until(lambda: len(ends.peer.data) == 300000)
        assert bytes(ends.peer.data) == pattern(300000)


async def test_an_empty_buffer_is_fatal():
    reports = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    async with Ends(server_kind=lambda: Buffered(0)) as ends:
        ends.transport.write(b"x")
        assert isinstance(await soon(ends.peer.lost), RuntimeError)
        assert len(reports) == 1


async def test_another_protocol_takes_over():
    async with Ends() as ends:
        ends.transport.write(b"first")
        await until(lambda: ends.peer.data == b"first")
        second = Buffered()
        ends.peer.transport.set_protocol(second)
        assert ends.peer.transport.get_protocol() is second
        ends.transport.write(b"second")
        await until(lambda: second.data == b"second")
        ends.peer.transport.close()
        assert await soon(second.lost) is None and not ends.peer.lost.done()


async def test_the_server_closes_as_asyncio_does():
    async with Ends() as ends:
        server = ends.server
        assert server.is_serving() and server.get_loop() is asyncio.get_running_loop()
        await server.start_serving()
        server.close()
        assert not server.is_serving()
        ends.transport.write(b"goes on")
        await until(lambda: ends.peer.data == b"goes on")
        waiting = asyncio.create_task(server.wait_closed())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        ends.peer.transport.write(b"bye")
        server.close_clients()
        assert await soon(ends.peer.lost) is None
        await soon(waiting)
        assert ends.protocol.data == b"bye" and server.sockets == ()


async def test_serve_forever_ends_when_cancelled():
    async with Ends() as ends:
        serving = asyncio.create_task(ends.server.serve_forever())
        await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(serving)
        assert await soon(ends.peer.lost) is None


async def test_async_with_closes_server_and_sessions():
    async with Ends() as ends:
        async with ends.server as server:
            assert server is ends.server
        assert await soon(ends.peer.lost) is None


async def test_nobody_there_is_told_with_probe_ms_and_no_socket_stays():
    with pytest.raises(TimeoutError):
        await kcp_asyncio.create_connection(Recorder, "127.0.0.1", 9, probe_ms=150)

    def broken():
        raise LookupError

    with pytest.raises(LookupError):
        await kcp_asyncio.create_connection(broken, "127.0.0.1", 9)
    with pytest.raises(ValueError):
        await kcp_asyncio.create_connection(Recorder, "127.0.0.1", 9, nonsense=1)
