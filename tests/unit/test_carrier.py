"""accept(), sockets that the caller owns, socket options, settings of streams: real sockets."""

# upy: heapsize=8m

import asyncio
import errno
import os
import socket

from core_support import arq_of
from loopback import pair, pattern, raised, serve, soon

import kcp


def udp_socket_and_port():
    """A bound UDP socket of the test's own (MicroPython cannot tell which port the system chose)
    and its port."""
    while True:
        port = 20000 + int.from_bytes(os.urandom(2), "little") % 40000
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            return sock, port
        except OSError:
            sock.close()


def udp_socket():
    return udp_socket_and_port()[0]


def is_open(sock):
    try:
        sock.setblocking(False)
    except OSError:
        return False
    return sock.fileno() >= 0


async def echo(reader, writer):
    while True:
        data = await reader.read(4096)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()


async def close_all(server):
    for link in list(server.endpoint.links.values()):
        link.close(0)
    server.close()
    await soon(server.wait_closed())


# accept


async def test_accept_in_order():
    server, port = await serve(None)
    streams = []
    for i in range(3):
        stream, _ = await kcp.open_connection("127.0.0.1", port, probe_ms=20000)
        stream.write(b"%d" % i)
        streams.append(stream)
    accepted = []
    for i in range(3):
        reader, writer = await soon(server.accept())
        assert reader is writer
        assert await soon(reader.read(1)) == b"%d" % i
        writer.write(b"back %d" % i)
        accepted.append(reader)
    for i in range(3):
        assert await soon(streams[i].read(10)) == b"back %d" % i
        await soon(streams[i].aclose())
    assert server.stats().PassiveOpens == 3
    await close_all(server)


async def test_accept_waits():
    server, port = await serve(None)
    accepting = asyncio.create_task(server.accept())
    await asyncio.sleep(0.02)
    assert await raised(RuntimeError, server.accept())
    stream, _ = await kcp.open_connection("127.0.0.1", port, probe_ms=20000)
    reader, _ = await soon(accepting)
    assert reader.session.conv == stream.session.conv
    await soon(stream.aclose())
    await close_all(server)


async def test_a_session_that_is_not_accepted_answers_already():
    server, port = await serve(None)
    stream, _ = await kcp.open_connection("127.0.0.1", port, probe_ms=20000)
    stream.write(b"acknowledge me")
    while stream.session.unacked_bytes:
        await asyncio.sleep(0.01)
    reader, _ = await soon(server.accept())
    assert await soon(reader.read(20)) == b"acknowledge me"
    await soon(stream.aclose())
    await close_all(server)


async def test_a_full_backlog_refuses_and_has_room_again_after_accept():
    server, port = await serve(None, backlog=2)
    streams = []
    for _ in range(2):
        streams.append((await kcp.open_connection("127.0.0.1", port, probe_ms=20000))[0])
    error = await raised(OSError, kcp.open_connection("127.0.0.1", port, probe_ms=300))
    assert error.errno == errno.ETIMEDOUT and server.stats().BacklogDrops >= 1
    await soon(server.accept())
    streams.append((await kcp.open_connection("127.0.0.1", port, probe_ms=20000))[0])
    for stream in streams:
        await soon(stream.aclose())
    await close_all(server)


async def test_accept_is_for_servers_without_a_callback_and_ends_with_the_server():
    server, port = await serve(lambda reader, writer: None)
    assert "callback" in str(await raised(RuntimeError, server.accept()))
    await close_all(server)
    server, port = await serve(None)
    stream, _ = await kcp.open_connection("127.0.0.1", port, probe_ms=20000)
    await soon(server.accept())
    accepting = asyncio.create_task(server.accept())
    await asyncio.sleep(0.02)
    server.close()
    assert (await raised(OSError, accepting)).errno == 32
    server.close()  # a second time changes nothing
    await soon(stream.aclose())
    await close_all(server)
    assert server.sockets == () and not server.is_serving()


# sockets that the caller owns


async def test_a_client_on_a_socket_of_the_callers():
    server, port = await serve(echo)
    sock = udp_socket()
    for conv in (1, 0xFFFFFFFF):  # one after the other: the server sees another conversation
        stream, _ = await kcp.open_connection("127.0.0.1", port, sock=sock, conv=conv)
        assert stream.get_extra_info("socket") is sock
        assert stream.get_extra_info("conv") == conv
        assert stream.get_extra_info("peername") == ("127.0.0.1", port)
        data = pattern(30000, conv & 7)
        sending = asyncio.create_task(stream.send(data))
        assert await soon(stream.readexactly(len(data))) == data
        await soon(sending)
        await soon(stream.aclose())
        assert is_open(sock)
    sock.close()
    await close_all(server)


async def test_a_server_on_a_socket_of_the_callers():
    for _ in range(2):
        own, port = udp_socket_and_port()
        server = await kcp.start_server(echo, sock=own)
        stream, _ = await kcp.open_connection("127.0.0.1", port, probe_ms=20000)
        await soon(stream.send(b"hello"))
        assert await soon(stream.readexactly(5)) == b"hello"
        await soon(stream.aclose())
        await close_all(server)
        assert is_open(own)
        own.close()


async def test_one_socket_carries_one_endpoint_at_a_time():
    server, port = await serve(echo)
    sock = udp_socket()
    stream, _ = await kcp.open_connection("127.0.0.1", port, sock=sock)
    for attempt in (
        lambda: kcp.open_connection("127.0.0.1", port, sock=sock),
        lambda: kcp.start_server(echo, sock=sock),
    ):
        assert "one at a time" in str(await raised(ValueError, attempt()))
    await soon(stream.aclose())
    await soon((await kcp.open_connection("127.0.0.1", port, sock=sock))[1].aclose())
    sock.close()
    await close_all(server)
    assert "port" in str(await raised(ValueError, kcp.start_server(echo)))


async def test_datagrams_of_other_senders_are_dropped_and_counted():
    server, port = await serve(echo)
    sock, own_port = udp_socket_and_port()
    stranger = udp_socket()
    stream, _ = await kcp.open_connection("127.0.0.1", port, sock=sock, conv=7)
    there = socket.getaddrinfo("127.0.0.1", own_port)[0][-1]
    stranger.sendto(
        b"\x07\x00\x00\x00\x51\x00\x20\x00" + bytes(12) + b"\x04\x00\x00\x00evil", there
    )
    while not stream.session.stats.InErrs:
        await asyncio.sleep(0.01)
    await soon(stream.send(b"mine"))
    assert await soon(stream.readexactly(4)) == b"mine"
    assert stream.session.stats.InErrs == 1
    await soon(stream.aclose())
    sock.close()
    stranger.close()
    await close_all(server)


async def test_two_clients_talk_to_each_other():
    """No listener: each has the other's address. kcp-go's TestSessionReadAfterClosed does so."""
    (sock, port), (other_sock, other_port) = udp_socket_and_port(), udp_socket_and_port()
    for conv in (0, 4321):
        one, _ = await kcp.open_connection("127.0.0.1", other_port, sock=sock, conv=conv)
        other, _ = await kcp.open_connection("127.0.0.1", port, sock=other_sock, conv=conv)
        one.write(b"1234")
        other.write(b"4321")
        assert await soon(one.readexactly(4)) == b"4321"
        assert await soon(other.readexactly(4)) == b"1234"
        one.close()
        other.close()
        await soon(one.wait_closed())
        await soon(other.wait_closed())
    sock.close()
    other_sock.close()


async def test_a_failed_start_gives_the_socket_back():
    sock = udp_socket()
    assert await raised(OSError, kcp.open_connection("127.0.0.1", 9, sock=sock, probe_ms=200))
    assert is_open(sock)
    server = await kcp.start_server(echo, sock=sock)
    await close_all(server)
    assert is_open(sock)
    sock.close()


# options of sockets and streams


class FakeSocket:
    """Notes what is set; refuses what it is told to."""

    def __init__(self, refused=()):
        self.calls = []
        self.refused = refused

    def setsockopt(self, level, option, value):
        if level in self.refused:
            raise OSError(errno.EINVAL)
        self.calls.append((level, option, value))


def test_numbers_of_socket_options():
    from kcp._sockopt import configure

    sock = FakeSocket()
    configure(sock, {"dscp": 46, "read_buffer": 70000, "write_buffer": 80000})
    assert sock.calls[:2] == [(0, 1, 184), (41, 67, 184)]
    assert [call[2] for call in sock.calls[2:]] == [70000, 80000]
    sock = FakeSocket()
    configure(sock, {"dscp": None, "read_buffer": None})
    assert sock.calls == []
    sock = FakeSocket((41,))
    configure(sock, {"dscp": 0})
    assert sock.calls == [(0, 1, 0)]
    try:
        configure(FakeSocket((0, 41)), {"dscp": 1})
    except OSError as error:
        assert error.errno == 95
        return
    raise AssertionError("a refused DSCP went unnoticed")


async def test_socket_options_at_open_and_at_run_time():
    async with await pair(dscp=10, read_buffer=50000, write_buffer=60000) as p:
        await soon(p.client.send(b"x"))
        assert await soon(p.peer.read(1)) == b"x"
        p.client.set(dscp=46, read_buffer=70000, write_buffer=80000, mtu=900)
        p.server.set(dscp=34, read_buffer=70000, write_buffer=80000)
        p.server.set(dscp=None)
        for stream, options, word in (
            (p.peer, {"dscp": 1}, "Server.set()"),
            (p.client, {"dscp": 64}, "0..63"),
            (p.client, {"read_buffer": 0}, "bytes"),
            (p.client, {"dscp": 1, "mtu": 5}, "50..1500"),
            (p.client, {"crypt": "none"}, "fixed"),
            (p.server, {"mtu": 900}, "Stream.set()"),
            (p.server, {"dscp": -1}, "0..63"),
        ):
            try:
                stream.set(**options)
            except ValueError as error:
                assert word in str(error), error
                continue
            raise AssertionError("taken: %r" % options)
        assert p.client.session.mss == 900 - 24
    for stream in (p.client, p.server):
        try:
            stream.set(dscp=1)
        except OSError as error:
            assert error.errno == 32
            continue
        raise AssertionError("set on a closed socket")


async def test_ipv6_takes_a_dscp():
    async with await pair("::1", dscp=46) as p:
        await soon(p.client.send(b"six"))
        assert await soon(p.peer.read(10)) == b"six"


async def test_settings_of_a_stream_reach_its_session_and_its_marks():
    async with await pair(mtu=300, sndwnd=8) as p:
        buffer_bytes = p.client.session.buffer_bytes
        for mtu in (1500, 100, 1200):
            p.client.set(mtu=mtu)
            data = pattern(20000, mtu)
            sending = asyncio.create_task(p.client.send(data))
            assert await soon(p.peer.readexactly(len(data))) == data
            await soon(sending)
        assert p.client.session.buffer_bytes >= max(buffer_bytes, 1500)
        p.client.set(sndwnd=64, mtu=1000)
        assert p.client._low == p.client._write_limit == 64 * 976
        assert p.client.get_extra_info("mss") == 976
        rto_ms = p.client.get_extra_info("rto_ms")
        assert rto_ms >= 100 and p.client.get_extra_info("srtt_ms") <= rto_ms
        assert p.client.get_extra_info("rttvar_ms") >= 0
        p.peer.set(mtu=1400, rate_limit=1000000, dup=1)
        await soon(p.peer.send(pattern(50000)))
        assert await soon(p.client.readexactly(50000)) == pattern(50000)
        assert p.client.session.stats.RepeatSegs > 30


async def test_one_wrong_setting_and_none_is_set():
    async with await pair(crypt="none", fec=(2, 1)) as p:
        udp = p.client.endpoint.port
        own, udp.sock = udp.sock, FakeSocket()
        calls = udp.sock.calls
        try:
            p.client.set(dscp=46, mtu=52)  # 20 + 8 + 24 bytes of heads leave no room
        except ValueError:
            calls.append("refused")
        udp.sock = own
        assert calls == ["refused"] and p.client.session.config.mtu == 1350


async def test_a_rate_limit_slows_a_stream_down():
    from kcp._clock import ticks_diff, ticks_ms

    async with await pair(client_options={"rate_limit": 400000}) as p:
        data = pattern(200000)
        begin_ms = ticks_ms()
        sending = asyncio.create_task(p.client.send(data))
        assert await soon(p.peer.readexactly(len(data))) == data
        assert ticks_diff(ticks_ms(), begin_ms) >= (200000 - 96000) * 1000 // 400000
        await soon(sending)


# vectored writes, tiny reads, after the close


async def test_writelines_shares_segments_and_takes_all_or_nothing():
    async with await pair(sndwnd=4, rcvwnd=4, write_limit=2000) as p:
        lines = [b"a" * 10, bytearray(b"b" * 20), memoryview(b"c" * 30), b""]
        p.client.writelines(lines)
        assert arq_of(p.client.session).wait_snd() == 1  # one segment
        assert await soon(p.peer.readexactly(60)) == b"".join([bytes(one) for one in lines])
        try:
            p.client.writelines([b"fine", "not bytes"])
        except TypeError:
            pass
        else:
            raise AssertionError("text was taken")
        p.client.writelines(b"%d" % (i % 10) for i in range(30000))
        try:
            p.client.writelines([b"too", b"much"])
        except OSError as error:
            assert error.errno == errno.ENOBUFS
        else:
            raise AssertionError("no limit")
        expected = b"".join([b"%d" % (i % 10) for i in range(30000)])
        assert await soon(p.peer.readexactly(30000)) == expected
        await soon(p.client.drain())
        p.client.writelines([])


async def test_a_reader_with_a_tiny_buffer():
    async with await pair() as p:
        data = pattern(3000)
        await soon(p.client.send(data))
        got = b""
        buf = bytearray(7)
        while len(got) < len(data):
            n = await soon(p.peer.readinto(buf))
            got += bytes(buf[:n])
        assert got == data


async def test_read_after_close_drains_and_write_after_close_fails():
    async with await pair() as p:
        await soon(p.client.send(b"still here"))
        while p.peer.session.readable < 10:
            await asyncio.sleep(0.01)
        p.peer.close()
        p.peer.close()  # a second one changes nothing
        assert await soon(p.peer.read(5)) == b"still"
        assert await soon(p.peer.read(50)) == b" here"
        assert await soon(p.peer.read(50)) == b"" and p.peer.at_eof()
        for attempt in (p.peer.write, lambda data: p.peer.writelines([data])):
            try:
                attempt(b"x")
            except OSError as error:
                assert error.errno == 32
                continue
            raise AssertionError("written after close()")
        assert (await raised(OSError, p.peer.send(b"x"))).errno == 32
