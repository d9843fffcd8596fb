"""Sessions over carriers that are not UDP, both APIs: the in-memory pair, and carriers that can
only be looked at."""

# upy: heapsize=8m

import asyncio
import errno

from loopback import pattern, raised, soon

import kcp
from kcp import blocking
from kcp.carrier import Carrier, memory_pair

N = 60000


class Keyed(Carrier):
    """What a server sees of many peers: datagrams of several pairs, each with a key."""

    def __init__(self, ends):
        self.ends = ends
        self.poll_ms = 2

    def send(self, buf, n, key):
        return self.ends[key].send(buf, n)

    def recv_into(self, buf):
        for key in self.ends:
            n = self.ends[key].recv_into(buf)
            if n:
                self.key = key
                return n
        return 0


async def echo(reader, writer):
    while True:
        data = await reader.read(4096)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()


async def exchange(stream, data):
    """Write data and read as much at the same time."""

    async def write():
        for i in range(0, len(data), 3000):
            stream.write(data[i : i + 3000])
            await stream.drain()

    task = asyncio.create_task(write())
    got = await soon(stream.readexactly(len(data)))
    await soon(task)
    return got


async def end(server, *streams):
    for stream in streams:
        stream.close(0)
    for link in list(server.endpoint.links.values()):
        link.close(0)
    server.close()
    await soon(server.wait_closed())
    for stream in streams:
        try:
            await soon(stream.wait_closed())
        except OSError:
            pass


async def test_asyncio_over_memory():
    for limit in (1, 32):  # with 1 every datagram but the first is refused once
        a, b = memory_pair(limit=limit)
        server = await kcp.start_server(echo, carrier=a)
        stream, _ = await soon(kcp.open_connection(carrier=b, probe_ms=20000))
        data = pattern(N)
        assert await exchange(stream, data) == data
        assert stream.get_extra_info("peername") is None
        await end(server, stream)
        assert a.on_ready is b.on_ready is None  # both are free again


async def test_one_session_after_the_other():
    a, b = memory_pair()
    for i in range(3):
        server = await kcp.start_server(echo, carrier=a)
        stream, _ = await kcp.open_connection(carrier=b)
        data = pattern(2000, i)
        assert await exchange(stream, data) == data
        await end(server, stream)
        while a.recv_into(bytearray(1500)) or b.recv_into(bytearray(1500)):
            pass


async def test_a_server_with_several_peers_that_can_only_be_looked_at():
    pairs = [memory_pair() for _ in range(3)]
    server = await kcp.start_server(echo, carrier=Keyed({i: pairs[i][0] for i in range(3)}))
    streams = []
    for p in pairs:
        streams.append((await kcp.open_connection(carrier=p[1]))[0])
    for i, stream in enumerate(streams):
        data = pattern(5000, i)
        assert await exchange(stream, data) == data
    assert len(server.endpoint.links) == 3
    await end(server, *streams)


async def test_the_mtu_is_the_carriers():
    a, b = memory_pair(mtu=120)
    server = await kcp.start_server(echo, carrier=a, crypt="none")
    stream, _ = await kcp.open_connection(carrier=b, crypt="none")
    assert stream.get_extra_info("mss") == 120 - 20 - 24
    data = pattern(3000)
    assert await exchange(stream, data) == data
    assert a.n_too_long == b.n_too_long == 0
    await end(server, stream)
    error = await raised(ValueError, kcp.open_connection(carrier=b, mtu=121))
    assert "at most 120" in str(error)


async def test_misuse():
    a, _ = memory_pair()
    await raised(ValueError, kcp.open_connection("127.0.0.1", 1, carrier=a))
    await raised(ValueError, kcp.open_connection(carrier=a, dscp=1))
    await raised(ValueError, kcp.open_connection())
    await raised(ValueError, kcp.start_server(echo))
    stream, _ = await kcp.open_connection(carrier=a)
    error = await raised(ValueError, kcp.open_connection(carrier=a))
    assert "one at a time" in str(error)
    stream.close(0)
    await soon(stream.wait_closed())
    stream, _ = await kcp.open_connection(carrier=a)  # it is free again
    stream.close(0)
    for wrong in (0, 1501):
        try:
            memory_pair(mtu=wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


async def test_nobody_there():
    a, _ = memory_pair()
    error = await raised(OSError, kcp.open_connection(carrier=a, probe_ms=150))
    assert error.errno == errno.ETIMEDOUT
    assert a.on_ready is None


def blocking_exchange(a, b):
    server = blocking.listen(carrier=a)
    server.settimeout(30)
    client = blocking.connect(carrier=b, timeout=30)
    sent = 0
    got = b""
    back = b""
    data = pattern(N)
    client.send(data[:100])
    peer, _ = server.accept()
    peer.settimeout(30)
    sent = 100
    while len(back) < N:
        if sent < N and sent - len(back) < 4000:
            sent += client.send(data[sent : sent + 2000])
        if len(got) < sent:
            more = peer.recv(2000)
            got += more
            peer.sendall(more)
        back += client.recv(2000)
    assert got == back == data
    for sock in (client, peer):
        sock.close()
    server.close()
    assert a.on_ready is b.on_ready is None


def test_blocking_over_memory():
    blocking_exchange(*memory_pair())
    blocking_exchange(*memory_pair(limit=1))


def test_blocking_when_it_can_only_be_looked_at():
    a, b = memory_pair()
    blocking_exchange(Keyed({None: a}), b)


class Shaky(Carrier):
    """An end of a pair that raises now and then, and forgets to return a number."""

    poll_ms = 2

    def __init__(self, end):
        self.end = end
        self.n_calls = 0
        self.n_raised = 0

    def _shake(self):
        self.n_calls += 1
        if self.n_calls % 7 == 3:
            self.n_raised += 1
            raise KeyError("a bug in a carrier")

    def send(self, buf, n, key=None):
        self._shake()
        return self.end.send(buf, n)

    def recv_into(self, buf):
        self._shake()
        return self.end.recv_into(buf) or None


def test_what_a_carrier_raises_is_a_loss():
    async def run():
        a, b = memory_pair()
        carriers = Shaky(a), Shaky(b)
        server = await kcp.start_server(echo_all, carrier=carriers[0], mode="fast3")
        stream, _ = await kcp.open_connection(carrier=carriers[1], mode="fast3")
        reports = []
        for one in (server.endpoint.port, stream.endpoint.port):
            one.report = lambda error, message: reports.append(error)
        data = pattern(20000)
        stream.write(data)
        assert await soon(stream.readexactly(len(data))) == data
        assert len(reports) == 2 and min(one.n_raised for one in carriers) > 5
        stream.close(0)
        for link in list(server.endpoint.links.values()):
            link.close(0)
        server.close()
        await soon(server.wait_closed())

    asyncio.run(run())


async def echo_all(reader, writer):
    try:
        while True:
            data = await reader.read(4096)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass


class Wedged(Carrier):
    """Has no room, ever: a serial line whose other end holds it up."""

    mtu = 300
    poll_ms = 5

    def send(self, buf, n, key=None):
        return 0

    def recv_into(self, buf):
        return 0


def test_a_carrier_that_never_has_room_is_a_dead_path():
    async def run():
        options = {"dead_ms": 300, "linger_ms": 300}
        stream, _ = await kcp.open_connection(carrier=Wedged(), **options)
        stream.write(b"x" * 100)
        error = await raised(OSError, stream.read(10))
        assert error.errno == errno.ETIMEDOUT and stream.session.lost_bytes == 100
        stream, _ = await kcp.open_connection(carrier=Wedged(), linger_ms=300)
        stream.write(b"x" * 100)
        stream.close()
        assert (await raised(OSError, stream.wait_closed())).errno == errno.ETIMEDOUT
        sock = blocking.connect(carrier=Wedged(), **options)
        sock.send(b"x")
        try:
            sock.recv(10)
        except OSError as error:
            assert error.errno == errno.ETIMEDOUT
        else:
            raise AssertionError("nothing was raised")

    asyncio.run(run())
