"""Clients that go on from another socket, over real sockets: docs/lifecycle.md. Asyncio and
blocking, both runtimes. Who cannot move a session: sim/test_roaming.py."""

# upy: heapsize=8m

import asyncio
import socket
from errno import ECONNABORTED, EPERM, ETIMEDOUT

from blocking_pair import Pair as BlockingPair
from blocking_pair import raised as raised_by
from blocking_pair import read_exactly
from loopback import lossy, pair, pattern, raised, soon

from kcp import _sockopt, _sync_port, blocking
from kcp.carrier import memory_pair

SECRET = {"crypt": "aes-128", "key": bytes(range(16)), "mode": "fast3"}
MOVING = dict(SECRET, roaming=True)
LONG_MS = 20000


def moves(p):
    return p.server.stats().RoamMoves if callable(p.server.stats) else p.server.stats.RoamMoves


async def echo_all(p, data):
    """The server's stream sends back as many bytes."""
    n = 0
    while n < len(data):
        got = await p.peer.read(4000)
        n += len(got)
        await p.peer.send(got)


async def moved_meanwhile(p, data, n_moves, **options):
    """Echo data; re-bind the client so often on the way. Return what came back."""
    server = asyncio.create_task(echo_all(p, data))
    sender = asyncio.create_task(p.client.send(data))
    got = b""
    answers = []
    for n in range(1, n_moves + 1):
        while len(got) < len(data) * n // (n_moves + 1):
            got += await soon(p.client.read(4000))
        answers.append(await soon(p.client.rebind(probe_ms=LONG_MS, **options)))
    got += await soon(p.client.readexactly(len(data) - len(got)))
    await soon(sender)
    await soon(server)
    assert answers == [True] * n_moves
    return got


async def test_a_transfer_goes_on_over_many_sockets():
    data = pattern(200000)
    async with await pair(**MOVING) as p:
        session = p.client.session
        homes = set()
        for _ in range(2):
            homes.add(p.peer.get_extra_info("peername"))
            assert await moved_meanwhile(p, data, 3) == data
            homes.add(p.peer.get_extra_info("peername"))
        assert moves(p) == 6 and len(homes) == 3 and p.client.session is session
        stats = p.server.stats()
        assert stats.PassiveOpens == 1 and stats.CurrEstab == 1
        assert len(p.server.endpoint.links) == 1 and session.error is None


async def test_another_address_and_losses():
    data = pattern(60000)
    async with await pair(**MOVING) as p:
        lossy(p.client, 10)
        lossy(p.peer, 10, 2)
        assert await moved_meanwhile(p, data, 2, local=("127.0.0.2", 0)) == data
        assert moves(p) == 2 and p.peer.get_extra_info("peername")[0] == "127.0.0.2"


async def test_a_quiet_client_is_found_at_its_new_address():
    async with await pair(**MOVING) as p:
        await p.client.send(b"x")
        await soon(p.peer.readexactly(1))
        assert await soon(p.client.rebind(probe_ms=LONG_MS)) is True
        await p.peer.send(b"news")
        assert await soon(p.client.readexactly(4)) == b"news"
        assert moves(p) == 1


async def test_a_name_and_a_port_may_be_given_again():
    async with await pair(**MOVING) as p:
        await p.client.send(b"x")
        await soon(p.peer.readexactly(1))
        assert await soon(p.client.rebind("127.0.0.1", p.port, probe_ms=LONG_MS)) is True
        assert moves(p) == 1


async def test_copies_from_a_third_socket_move_nothing():
    async with await pair(**MOVING) as p:
        udp = p.client.endpoint.port
        send, seen = udp.send, []

        def noted(buf, n, key):
            seen.append(bytes(memoryview(buf)[:n]))
            return send(buf, n, key)

        udp.send = noted
        data = pattern(20000)
        assert await moved_meanwhile(p, data, 0) == data
        home = p.peer.get_extra_info("peername")
        thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        address = socket.getaddrinfo("127.0.0.1", p.port)[0][-1]
        stats = p.server.stats()
        assert len(seen) >= 15
        for n, packet in enumerate(seen):
            while stats.RoamDrops < n + 1:  # (a datagram may get lost, even here)
                thief.sendto(packet, address)
                await asyncio.sleep(0.01)
        assert stats.RoamMoves == 0 and p.peer.get_extra_info("peername") == home
        thief.close()
        assert await moved_meanwhile(p, data, 1) == data  # the client may still move
        assert moves(p) == 1


async def test_a_server_that_does_not_let_sessions_move():
    async with await pair(client_options={"dead_ms": 1500}, **SECRET) as p:
        await p.client.send(b"x")
        await p.peer.send(b"y")
        await soon(p.peer.readexactly(1))
        await soon(p.client.readexactly(1))
        assert await soon(p.client.rebind(probe_ms=300)) is False
        await p.client.send(b"z")
        error = await raised(OSError, p.client.read(1))
        assert error.args[0] == ETIMEDOUT and "(dead_ms)" in error.args[1]
        assert moves(p) == 0 and p.server.stats().GhostDrops > 0


async def test_who_cannot_rebind():
    async with await pair(**MOVING) as p:
        assert "for clients" in str(await raised(ValueError, p.peer.rebind()))
        sock = p.client.get_extra_info("socket")
        await raised(OSError, p.client.rebind(local=("192.0.2.1", 0)))  # nobody's here
        assert p.client.get_extra_info("socket") is sock
        await p.client.send(b"x")
        assert await soon(p.peer.readexactly(1)) == b"x"
        p.client.endpoint.close()
        assert (await raised(OSError, p.client.rebind())).args[0] == ECONNABORTED


def test_sessions_on_a_carrier_or_a_callers_socket_cannot():
    a, _ = memory_pair()
    with blocking.connect(carrier=a, **SECRET) as client:
        assert "carrier=" in str(raised_by(ValueError, client.rebind))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with blocking.connect("127.0.0.1", 9, sock=sock, **SECRET) as client:
        assert "sock=" in str(raised_by(ValueError, client.rebind))
    sock.close()


def test_blocking():
    data = pattern(30000)
    with BlockingPair(**MOVING) as p:
        before = p.peer.getpeername()
        for n in range(1, 5):
            p.client.sendall(data[:15000])  # partly on its way when the socket changes
            assert p.client.rebind(probe_ms=LONG_MS) is True
            p.client.sendall(data[15000:])
            assert read_exactly(p.peer, len(data)) == data
            p.peer.sendall(data)
            assert read_exactly(p.client, len(data)) == data
            assert moves(p) == n
        assert p.peer.getpeername() != before
        assert "for clients" in str(raised_by(ValueError, p.peer.rebind))


def test_blocking_while_nobody_reads():
    """The server's data waits for the client to be found."""
    with BlockingPair(**MOVING) as p:
        p.client.sendall(b"x")
        assert read_exactly(p.peer, 1) == b"x"
        p.peer.sendall(b"y" * 5000)
        assert p.client.rebind(probe_ms=LONG_MS) is True
        assert read_exactly(p.client, 5000) == b"y" * 5000


class Noted:
    """A socket that says whether it was closed."""

    def __init__(self, sock):
        self.sock = sock
        self.is_closed = False

    def close(self):
        self.is_closed = True
        self.sock.close()


def test_blocking_a_new_socket_that_will_not_do_ends_nothing():
    made = []
    reopened, from_config = _sync_port.reopened, _sockopt.from_config

    def noted(*arguments):
        sock, address = reopened(*arguments)
        made.append(Noted(sock))
        return made[-1], address

    def refuse(sock, config):
        raise OSError(EPERM, "not allowed")

    with BlockingPair(dscp=8, **MOVING) as p:
        _sync_port.reopened, _sockopt.from_config = noted, refuse
        try:
            assert raised_by(OSError, p.client.rebind).args[0] == EPERM
        finally:
            _sync_port.reopened, _sockopt.from_config = reopened, from_config
        assert len(made) == 1 and made[0].is_closed
        p.client.sendall(b"goes on")
        assert read_exactly(p.peer, 7) == b"goes on"
        assert "probe_ms" in str(raised_by(ValueError, p.client.rebind, probe_ms=0.5))
        assert p.client.rebind(probe_ms=LONG_MS) is True
