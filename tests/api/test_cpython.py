"""What only CPython has: exception classes, other event loops, dual-stack sockets."""

import asyncio
import errno
import gc
import os
import socket
import sys
import warnings

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit"))

from loopback import pair, pattern, raised, serve, soon
from test_rebind import MOVING
from test_rebind import test_a_transfer_goes_on_over_many_sockets as many_sockets

import kcp


async def transfer(n_bytes=300000, n_clients=3):
    """Echo something through a server, with several clients at once."""

    async def echo(reader, writer):
        while data := await reader.read(65536):
            await writer.send(data)

    server, port = await serve(echo, mode="fast3")

    async def client(i):
        reader, writer = await kcp.open_connection("127.0.0.1", port, mode="fast3", probe_ms=5000)
        async with writer:
            data = pattern(n_bytes, i)
            sending = asyncio.create_task(writer.send(data))
            assert await reader.readexactly(n_bytes) == data
            await sending

    async with server:
        await soon(asyncio.gather(*[client(i) for i in range(n_clients)]))
    error = await raised(OSError, kcp.open_connection("127.0.0.1", port, probe_ms=200))
    assert error.errno == errno.ETIMEDOUT


class NoAddReader(asyncio.SelectorEventLoop):
    """Like the proactor loop of Windows in that one respect."""

    def add_reader(self, *args):
        raise NotImplementedError

    add_writer = add_reader


def run_in(loop, coroutine):
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_a_loop_without_add_reader():
    run_in(NoAddReader(), transfer())


def test_a_loop_without_add_reader_re_binds():
    """Also while data is on its way, and when the session ends meanwhile."""

    async def main():
        await many_sockets()
        for n_turns in range(6):
            async with await pair(**MOVING) as p:
                binding = asyncio.create_task(p.client.rebind())
                for _ in range(n_turns):
                    await asyncio.sleep(0)
                p.client.endpoint.close()
                try:
                    assert await soon(binding) is False
                except ConnectionAbortedError:
                    pass

    loop = NoAddReader()
    reports = []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        run_in(loop, main())
        gc.collect()
    assert reports == [] and not [one for one in caught if "unclosed" in str(one.message)]


def test_a_loop_without_add_reader_whose_transport_pauses():
    async def main():
        async with await pair(mode="fast3") as p:
            port = p.client.endpoint.port
            data = pattern(100000)
            port.set_paused(True)
            n_sent = p.client.session.stats.OutPkts
            sending = asyncio.create_task(p.client.send(data))
            reading = asyncio.create_task(p.peer.readexactly(len(data)))
            await asyncio.sleep(0.1)
            assert p.client.session.stats.OutPkts - n_sent == 1  # built, and held back
            assert p.peer.session.stats.BytesReceived == 0
            port.set_paused(False)
            assert await soon(reading) == data
            await soon(sending)

    run_in(NoAddReader(), main())


def test_uvloop():
    try:
        import uvloop
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("uvloop is not installed")
    run_in(uvloop.new_event_loop(), transfer())


def test_debug_mode_has_nothing_to_say():
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    reports = []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    run_in(loop, transfer(50000, 2))
    gc.collect()
    assert reports == []


async def test_exceptions_are_the_subclasses_that_cpython_has():
    async with await pair(client_options={"dead_ms": 200}) as p:
        await soon(p.peer.send(b"abc"))
        await asyncio.sleep(0.05)
        p.peer.close(0)
        assert (await raised(asyncio.IncompleteReadError, p.peer.readexactly(5))).expected == 5
        await soon(p.peer.wait_closed())
        p.client.write(b"x" * 5)
        p.peer.endpoint.close()
        error = await raised(asyncio.LimitOverrunError, p.client.readuntil(b"\n", limit=2))
        assert error.consumed == 3 and isinstance(error, ValueError)
        assert await raised(TimeoutError, p.client.readline())
        assert await raised(TimeoutError, p.client.drain())
    stream, _ = await kcp.open_connection("127.0.0.1", 9)
    stream.close()
    with pytest.raises(BrokenPipeError):
        stream.write(b"x")
    await stream.wait_closed()


@pytest.mark.parametrize("host", ["", None, "::"])
async def test_a_server_for_ipv4_and_ipv6(host):
    async def echo(reader, writer):
        writer.write(await reader.read(100))

    server, port = await serve(echo, host)
    async with server:
        for client_host in ("127.0.0.1", "::1"):
            reader, writer = await kcp.open_connection(client_host, port)
            writer.write(b"x")
            assert await soon(reader.read(1)) == b"x"
            await soon(writer.aclose())


async def test_ipv4_is_taken_where_a_name_has_both(monkeypatch):
    def both(host, port, family=0, type=0, proto=0, flags=0):
        if flags & socket.AI_NUMERICHOST and not host[0].isdigit():
            raise socket.gaierror
        return [
            (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    _, stream = await kcp.open_connection("two-faced.example", 9)
    assert stream.get_extra_info("peername") == ("127.0.0.1", 9)
    await soon(stream.aclose())


async def test_port_0_is_chosen_by_the_system():
    async with await kcp.start_server(lambda r, w: w.write(b"hi"), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await kcp.open_connection("127.0.0.1", port, probe_ms=5000)
        assert await soon(reader.read(2)) == b"hi"
        assert writer.get_extra_info("sockname")[0] == "127.0.0.1"
        await soon(writer.aclose())


async def test_the_socket_buffers_are_large():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        default = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    async with await pair() as p:
        sock = p.client.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= default
    async with await pair(sockbuf=20000) as p:
        sock = p.client.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (20000, 40000)


async def test_a_socket_that_is_full_blocks_and_loses_nothing():
    class Full:
        """A socket that refuses every third datagram with EAGAIN."""

        def __init__(self, sock):
            self.sock = sock
            self.n = self.n_refused = 0

        def send(self, data):
            self.n += 1
            if self.n % 3 == 0:
                self.n_refused += 1
                raise BlockingIOError
            return self.sock.send(data)

        def __getattr__(self, name):
            return getattr(self.sock, name)

    async with await pair() as p:
        port = p.client.endpoint.port
        full = port.sock = Full(port.sock)
        data = pattern(200000)
        sending = asyncio.create_task(p.client.send(data))
        assert await soon(p.peer.readexactly(len(data))) == data
        await soon(sending)
        stats = p.client.session.stats
        assert full.n_refused > 30 and stats.OutDrops == 0 and stats.RetransSegs < 20
        port.sock = full.sock


async def test_the_whole_public_surface_is_there():
    assert len(kcp.__all__) <= 15
    names = {}
    exec("from kcp import *", names)
    assert set(kcp.__all__) <= set(names)
    assert kcp.backend() == "python" and kcp.__version__.count(".") == 2
    with pytest.raises(AttributeError):
        kcp.nonsense  # noqa: B018
