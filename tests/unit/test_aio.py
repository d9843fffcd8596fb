"""open_connection and start_server over real sockets: life, death and closing of sessions."""

# upy: heapsize=8m

import asyncio
import errno
import os

from loopback import lossy, pair, pattern, raised, serve, soon

import kcp

#: An emulated machine gets less to do.
IS_SLOW = os.getenv("KCP_TEST_TARGET") == "arm"


async def echo(reader, writer):
    while True:
        data = await reader.read(4096)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()


# the two ends


async def test_echo_through_a_server_in_async_with():
    server, port = await serve(echo)
    async with server:
        assert server.is_serving()
        reader, writer = await kcp.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        await writer.drain()
        assert await soon(reader.readline()) == b"hello\n"
        writer.close()
        await soon(writer.wait_closed())
        assert await reader.read(5) == b""
    assert not server.is_serving() and server.sockets == ()


async def test_stream_in_async_with():
    server, port = await serve(echo)
    async with server:
        stream, _ = await kcp.open_connection("127.0.0.1", port)
        async with stream:
            await soon(stream.send(b"x"))
            assert await soon(stream.read(1)) == b"x"
        assert stream.is_closing()
        try:
            async with (await kcp.open_connection("127.0.0.1", port))[0]:
                raise KeyError("not hidden by closing")
        except KeyError:
            pass


async def test_ipv6_loopback():
    async with await pair("::1") as p:
        await soon(p.client.send(b"six"))
        assert await soon(p.peer.read(10)) == b"six"
        assert p.client.get_extra_info("peername")[:2] == ("::1", p.port)


async def test_names_are_looked_up_ipv4_first():
    server, port = await serve(echo, "localhost")
    async with server:
        writer = (await soon(kcp.open_connection("localhost", port, probe_ms=5000)))[1]
        assert writer.get_extra_info("peername") == ("127.0.0.1", port)
        await soon(writer.aclose())


async def test_an_unknown_host_is_an_oserror():
    assert await raised(OSError, kcp.open_connection("no-such-host.invalid", 1))


async def test_options_are_checked_at_once():
    for options in (
        {"nonsense": 1},
        {"mtu": 10},
        {"crypt": "rot13"},
        {"high_water": -1},
        {"low_water": -1},
        {"write_limit": -1},
        {"high_water": 10, "low_water": 11},
    ):
        assert await raised(ValueError, kcp.open_connection("127.0.0.1", 9, **options))
        assert await raised(ValueError, kcp.start_server(echo, "127.0.0.1", 9, **options))


async def test_a_config_and_options_over_it():
    config = kcp.Config(crypt="none", sndwnd=17, mtu=700)
    async with await pair(config=config, mtu=600) as p:
        session = p.client.get_extra_info("session")
        assert session.config.mtu == 600 and session.config.sndwnd == 17
        await soon(p.client.send(pattern(5000)))
        assert await soon(p.peer.readexactly(5000)) == pattern(5000)


async def test_a_port_in_use_is_an_oserror():
    server, port = await serve(echo)
    async with server:
        error = await raised(OSError, kcp.start_server(echo, "127.0.0.1", port))
        assert error.errno == errno.EADDRINUSE


async def test_big_transfer_with_a_checksummed_frame():
    n = 100000 if IS_SLOW else 1000000
    async with await pair(crypt="none", mode="fast3") as p:
        data = pattern(n)
        sending = asyncio.create_task(p.client.send(data))
        for i in range(0, n, 20000):
            assert await soon(p.peer.readexactly(20000)) == data[i : i + 20000]
        await soon(sending)


async def test_many_clients_of_one_server():
    n = 5 if IS_SLOW else 25
    server, port = await serve(echo)

    async def client(i):
        reader, writer = await kcp.open_connection("127.0.0.1", port)
        data = pattern(3000 + i, i)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()

    async with server:
        await soon(asyncio.gather(*[client(i) for i in range(n)]))
        assert server.stats().PassiveOpens == n
    assert not server.endpoint.links


async def test_a_busy_client_does_not_starve_another():
    received = [0, 0]

    async def sink(reader, writer):
        which = (await reader.readexactly(1))[0]
        while True:
            data = await reader.read(4096)
            if not data:
                break
            received[which] += len(data)

    server, port = await serve(sink)

    async def client(which):
        writer = (await kcp.open_connection("127.0.0.1", port))[1]
        writer.write(bytes([which]))
        while min(received) < 100000 and max(received) < 5000000:
            await writer.send(pattern(5000))
        writer.close(0)

    async with server:
        await soon(asyncio.gather(client(0), client(1)))
        assert min(received) >= 100000
        for link in list(server.endpoint.links.values()):
            link.close(0)


# servers


async def test_a_callback_that_is_a_plain_function():
    seen = []

    def callback(reader, writer):
        assert reader is writer
        seen.append(writer.get_extra_info("conv"))
        writer.write(b"welcome")

    server, port = await serve(callback)
    async with server:
        reader, writer = await kcp.open_connection("127.0.0.1", port, conv=77)
        writer.write(b"x")
        assert await soon(reader.readexactly(7)) == b"welcome"
        assert seen == [77]
        await soon(writer.aclose())


def caught_reports():
    """Collect what the event loop would report, instead of printing it."""
    reports = []
    loop = asyncio.get_event_loop()
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    return reports


async def test_an_exception_in_the_callback_closes_the_stream():
    reports = caught_reports()

    def plain(reader, writer):
        raise KeyError("plain")

    async def coroutine(reader, writer):
        await reader.read(1)
        raise KeyError("coroutine")

    for callback in (plain, coroutine):
        server, port = await serve(callback)
        async with server:
            writer = (await kcp.open_connection("127.0.0.1", port))[1]
            await soon(writer.send(b"x"))
            while server.endpoint.links:  # closed, and gone when nothing is left to say
                await asyncio.sleep(0.01)
            await soon(writer.aclose())
    names = [repr(context["exception"]) for context in reports]
    assert names[0].startswith("KeyError('plain'") and names[1].startswith("KeyError('coroutine'")


async def test_closing_a_server_closes_its_sessions_after_sending_everything():
    async with await pair() as p:
        data = pattern(40000)
        p.peer.write(data)
        p.server.close()
        p.server.close()
        assert p.peer.is_closing()
        assert await soon(p.client.readexactly(40000)) == data
        await soon(p.server.wait_closed())
        await soon(p.peer.wait_closed())
        assert p.server.endpoint.is_closed


async def test_a_closing_server_takes_no_new_sessions():
    async with await pair(sndwnd=4, rcvwnd=4, linger_ms=1000) as p:
        p.peer.write(bytes(20000))  # more than the client takes: the server lingers
        p.server.close()
        error = await raised(OSError, kcp.open_connection("127.0.0.1", p.port, probe_ms=300))
        assert error.errno == errno.ETIMEDOUT
        assert len(p.server.endpoint.links) == 1


async def test_serve_forever_ends_with_close_and_when_cancelled():
    server, _ = await serve(echo)
    await server.start_serving()
    serving = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0.02)
    server.close()
    await soon(serving)
    server, _ = await serve(echo)
    serving = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0.02)
    serving.cancel()
    try:
        await soon(serving)
        raise AssertionError
    except asyncio.CancelledError:
        pass
    assert not server.is_serving() and server.endpoint.is_closed


async def test_the_limit_on_sessions():
    server, port = await serve(echo, max_sessions=2)
    async with server:
        streams = []
        for _ in range(2):
            streams.append((await kcp.open_connection("127.0.0.1", port, probe_ms=5000))[0])
        error = await raised(OSError, kcp.open_connection("127.0.0.1", port, probe_ms=300))
        assert error.errno == errno.ETIMEDOUT
        assert server.stats().BacklogDrops >= 1
        for stream in streams:
            await soon(stream.aclose())


# closing


async def test_close_lingers_until_everything_has_arrived_through_loss():
    async with await pair(mode="fast3", linger_ms=20000) as p:
        lossy(p.client, 30, 5)
        lossy(p.peer, 30, 6)
        data = pattern(60000)
        p.client.write(data)
        p.client.close()
        reading = asyncio.create_task(p.peer.readexactly(60000))
        await soon(p.client.wait_closed())
        assert p.client.endpoint.is_closed
        assert await soon(reading) == data


async def test_close_with_more_than_the_session_takes():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        data = pattern(2 * 4 * 1326 + 3000)
        p.client.write(data)
        assert p.client._out
        p.client.close()
        reading = asyncio.create_task(p.peer.readexactly(len(data)))
        await soon(p.client.wait_closed())
        assert await soon(reading) == data


async def test_close_says_what_was_lost():
    async with await pair(sndwnd=4, rcvwnd=4) as p:
        lossy(p.client, 100)
        n = 2 * 4 * 1326 + 3000
        p.client.write(bytes(n))
        p.client.close(300)
        for _ in range(2):  # and says it again to whoever asks later
            error = await raised(OSError, p.client.wait_closed())
            assert error.errno == errno.ETIMEDOUT and str(n) in str(error)
        assert await soon(p.client.read(1)) == b""  # this end was closed: an end of file


async def test_closing_an_idle_stream_is_quick():
    server, port = await serve(echo)
    async with server:
        writer = (await kcp.open_connection("127.0.0.1", port))[1]
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), 5)
        assert writer.endpoint.is_closed


async def test_wait_closed_by_two_tasks_before_close():
    async with await pair() as p:
        waiting = [asyncio.create_task(p.client.wait_closed()) for _ in range(2)]
        await asyncio.sleep(0.02)
        assert not waiting[0].done()
        p.client.close()
        for task in waiting:
            await soon(task)


# death


async def test_a_dead_peer_is_an_error_and_never_an_end_of_file():
    async with await pair(client_options={"dead_ms": 400}) as p:
        await soon(p.peer.send(b"before"))
        await asyncio.sleep(0.1)
        lossy(p.peer, 100)
        await soon(p.client.send(b"into the void"))
        sending = asyncio.create_task(raised(OSError, p.client.send(bytes(1000000))))
        while p.client.session.error is None:
            await asyncio.sleep(0.02)
        assert (await sending).errno == errno.ETIMEDOUT
        assert await soon(p.client.read(100)) == b"before"  # what had arrived comes first
        for _ in range(2):
            assert (await raised(OSError, p.client.read(100))).errno == errno.ETIMEDOUT
        assert (await raised(OSError, p.client.readline())).errno == errno.ETIMEDOUT
        assert (await raised(OSError, p.client.drain())).errno == errno.ETIMEDOUT
        assert (await raised(OSError, p.client.send(b"x"))).errno == errno.ETIMEDOUT
        assert p.client.is_closing() and not p.client.at_eof()
        assert (await raised(OSError, p.client.wait_closed())).errno == errno.ETIMEDOUT


async def test_a_reader_that_waits_learns_of_the_death():
    async with await pair(client_options={"dead_ms": 300}) as p:
        reading = asyncio.create_task(raised(OSError, p.client.read(100)))
        lossy(p.peer, 100)
        p.client.write(b"anyone?")
        assert (await reading).errno == errno.ETIMEDOUT


async def test_a_peer_that_is_gone_does_not_trouble_others():
    server, port = await serve(echo, dead_ms=300)
    async with server:
        _, gone = await kcp.open_connection("127.0.0.1", port)
        gone.write(b"x")
        await asyncio.sleep(0.05)
        gone.endpoint.close()  # without a word
        reader, writer = await kcp.open_connection("127.0.0.1", port)
        for _ in range(20):
            await soon(writer.send(b"still here"))
            assert await soon(reader.readexactly(10)) == b"still here"
            await asyncio.sleep(0.02)
        await soon(writer.aclose())


async def test_probe_of_a_port_where_nobody_is():
    server, port = await serve(echo)
    async with server:
        pass
    error = await raised(OSError, kcp.open_connection("127.0.0.1", port, probe_ms=300))
    assert error.errno == errno.ETIMEDOUT and "crypt" in str(error)


async def test_probe_of_a_server_with_another_frame():
    server, port = await serve(echo, crypt="none")
    async with server:
        error = await raised(OSError, kcp.open_connection("127.0.0.1", port, probe_ms=300))
        assert error.errno == errno.ETIMEDOUT
        assert server.stats().InErrs + server.stats().InCsumErrors >= 1
        assert not server.endpoint.links


async def test_a_cancelled_probe_leaves_nothing_behind():
    server, port = await serve(echo)
    async with server:
        pass
    opening = asyncio.create_task(kcp.open_connection("127.0.0.1", port, probe_ms=20000))
    await asyncio.sleep(0.05)
    opening.cancel()
    try:
        await soon(opening)
        raise AssertionError
    except asyncio.CancelledError:
        pass


async def test_a_probe_through_loss():
    server, port = await serve(echo)
    async with server:
        server.endpoint.port.send, send = lambda buf, n, key: 1, server.endpoint.port.send
        opening = asyncio.create_task(kcp.open_connection("127.0.0.1", port, probe_ms=20000))
        await asyncio.sleep(0.3)
        assert not opening.done()
        server.endpoint.port.send = send
        _, writer = await soon(opening)
        await soon(writer.aclose())
