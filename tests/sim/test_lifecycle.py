"""Restarts, reused conversations, late packets, spoofed ones: docs/lifecycle.md, our peers. Both
runtimes, over a path of 15 ms, in virtual time."""  # upy: heapsize=8m arm=no timeout=120

import gc
from errno import ECONNRESET, ETIMEDOUT

from kcp.config import Config
from kcp.listener import Listener
from kcp.session import CLOSED, OPEN, Session

try:
    from gc import mem_alloc
except ImportError:  # CPython
    mem_alloc = None

DELAY_MS = 15
OPTIONS = {"mode": "fast3", "sndwnd": 32, "rcvwnd": 32}


def fill(view):
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


class World:
    """A listener that echoes, and clients by address; a server may be killed and started again."""

    def __init__(self, **options):
        self.now_ms = 1000
        self.flying = []  # (at_ms, from, to, bytes)
        self.clients = {}
        self.heard = {}  # what a client has received, by address
        self.seen = []  # every datagram for the server: (key, bytes)
        self.options = options
        self.echoes = True
        self.deaf = False
        self.start_server()

    def start_server(self):
        self.listener = Listener(Config(**dict(OPTIONS, **self.options)), fill)
        self.got = b""

    def start_client(self, key, conv, **options):
        """(A restarted one takes the place of the old.)"""
        config = Config(**dict(OPTIONS, **options))
        client = self.clients[key] = Session(conv, config, fill, self.now_ms)
        self.heard[key] = b""
        return client

    def put(self, key, data):
        """A datagram from that address arrives at the server now."""
        buf = bytearray(self.listener.buffer_bytes)
        buf[: len(data)] = data
        return self.listener.input(buf, len(data), key, self.now_ms)

    def run(self, span_ms):
        for _ in range(span_ms):
            self.now_ms += 1
            self._arrive()
            for key, client in self.clients.items():
                self._pull(client, key, "server")
                self.heard[key] += self._read(client)
            self._serve()

    def _arrive(self):
        while self.flying and self.flying[0][0] <= self.now_ms:
            _, source, target, data = self.flying.pop(0)
            if target != "server":
                self.clients[target].input(bytearray(data), len(data), self.now_ms)
            elif not self.deaf:
                self.seen.append((source, data))
                self.put(source, data)

    def _serve(self):
        listener = self.listener
        for key, session in list(listener.sessions.items()):
            data = self._read(session)
            self.got += data
            if data and self.echoes:
                session.send(data)
            self._pull(session, "server", key)
            if session.state == CLOSED:
                listener.remove(key, session, self.now_ms)
        while listener.accept():
            pass

    def _pull(self, session, source, target):
        buf = bytearray(session.buffer_bytes)
        while True:
            n = session.output(buf, self.now_ms)
            if not n:
                return
            if target in self.clients or target == "server":
                self.flying.append((self.now_ms + DELAY_MS, source, target, bytes(buf[:n])))

    @staticmethod
    def _read(session):
        buf, data = bytearray(2000), b""
        while True:
            n = session.recv_into(buf)
            if not n:
                return data
            data += bytes(buf[:n])


def talked(conv=7, data=b"first", **options):
    """A world in which a client has sent something, and had it echoed; and the client."""
    world = World(**options)
    client = world.start_client("a", conv)
    client.send(data)
    world.run(300)
    assert world.got == data and world.heard["a"] == (data if world.echoes else b"")
    return world, client


def drops(world):
    return world.listener.stats.GhostDrops


# restarts


def test_server_restart_under_a_living_client():
    """The new server makes nothing of it; the client is told in dead_ms."""
    world, client = talked()
    client.set(dead_ms=4000)
    world.start_server()
    client.send(b"second")
    world.run(3000)
    assert world.got == b"" and world.listener.sessions == {} and drops(world) > 0
    world.run(2000)
    assert client.error == ETIMEDOUT and client.lost_bytes == 6
    assert client.why == "6 bytes unanswered for 4000 ms (dead_ms)"
    again = world.start_client("a", 8)  # what a program does then
    again.send(b"third")
    world.run(300)
    assert world.heard["a"] == b"third"


def test_server_restart_under_a_quiet_client_with_keep_alive():
    world, client = talked()
    client.set(dead_ms=4000, keepalive_ms=1000)
    world.start_server()
    world.run(6000)
    assert client.error == ETIMEDOUT
    assert client.why == "keep-alive unanswered for 4000 ms (dead_ms)"
    assert world.listener.sessions == {} and drops(world) > 0


def test_client_restart_on_its_port_with_another_conversation():
    world, _ = talked()
    old = world.listener.sessions["a"]
    world.start_client("a", 8).send(b"second")
    world.run(300)
    assert world.got == b"firstsecond" and world.heard["a"] == b"second"
    assert old.error == ECONNRESET and old.why == "the peer has begun another conversation"
    assert world.listener.sessions["a"].conv == 8


def test_client_restart_on_its_port_with_its_old_conversation():
    """As with kcp-go: what has the numbers of old data is taken for old data."""
    world, _ = talked()
    old = world.listener.sessions["a"]
    client = world.start_client("a", 7)
    client.send(b"second")
    world.run(1000)
    assert client.unacked_bytes == 0 and world.got == b"first" and old.stats.RepeatSegs > 0
    old.set(idle_ms=3000)  # with which the server lets it go, once the client is quiet
    world.run(4000)
    assert old.error == ETIMEDOUT and world.listener.sessions == {}
    world.start_client("a", 7).send(b"third")
    world.run(300)
    assert world.heard["a"] == b"third"


def test_conversation_reuse_after_close():
    """The same pair again at once: its data begins at sn 0 and una 0, so it gets in."""
    world, client = talked()
    for n in range(20):
        client.close(world.now_ms)
        world.listener.sessions["a"].close(world.now_ms)
        world.run(1000)
        assert client.state == CLOSED and client.lost_bytes == 0 and not world.listener.sessions
        client = world.start_client("a", 7)
        client.send(b"%d" % n)
        world.run(300)
        assert world.heard["a"] == b"%d" % n
    assert len(world.listener._ghosts) == 1


# late packets


def test_every_late_packet_of_a_dead_session_is_dropped():
    for echoes in (True, False):  # False: una stays 0, so only the memory tells
        world = World()
        world.echoes = echoes
        client = world.start_client("a", 7)
        for n in range(40):
            client.send(bytes([n]) * 1000)
            world.run(20)
        world.run(300)
        late = list(world.seen)
        world.listener.sessions["a"].abort()
        world.run(1)
        assert len(late) >= 40 and world.listener.sessions == {}
        before = drops(world)
        for key, data in late:
            assert world.put(key, data) is None
        assert drops(world) == before + len(late)
        assert world.listener.stats.PassiveOpens == 1


def test_late_packets_of_a_conversation_do_not_end_the_next_one():
    world, _ = talked()
    late = list(world.seen)
    new = world.start_client("a", 8)
    new.send(b"second")
    world.run(300)
    session = world.listener.sessions["a"]
    for key, data in late:
        assert world.put(key, data) is None
    assert session.state == OPEN and world.listener.sessions["a"] is session
    new.send(b"third")
    world.run(300)
    assert world.heard["a"] == b"secondthird"


def test_a_living_peer_of_a_dead_session_is_told_by_its_own_limit():
    world, client = talked()
    client.set(dead_ms=3000)
    world.listener.sessions["a"].abort()
    client.send(b"second")
    world.run(4000)
    assert client.error == ETIMEDOUT and world.listener.stats.PassiveOpens == 1


def test_late_packets_after_the_listener_closed():
    """What is open goes on; nothing new begins."""
    world, client = talked()
    world.listener.takes_new = False
    client.send(b"second")
    world.start_client("b", 9).send(b"new")
    world.run(300)
    assert world.heard == {"a": b"firstsecond", "b": b""}
    assert world.listener.stats.BacklogDrops > 0 and len(world.listener.sessions) == 1


# spoofed packets


def spoof(n):
    """The n-th forged first packet: another address and another conversation each time."""
    data = bytearray(25)
    data[0], data[1], data[2], data[3] = n & 0xFF, n >> 8 & 0xFF, n >> 16, 0x11
    data[4], data[6], data[20] = 81, 32, 1
    return ("spoofed", n), bytes(data)


def memory_bytes(world):
    gc.collect()
    return mem_alloc() if mem_alloc else len(gc.get_objects())


def test_a_flood_of_first_packets_takes_no_memory_and_no_rate():
    """10 packets per ms from ever new addresses, and an echo all the while."""
    world, client = talked(max_sessions=40, backlog=20)
    world.heard["a"] = b""
    n_echoed = n_spoofed = 0
    used = []
    for _ in range(12):
        client.send(bytes(500))
        for _ in range(60):
            for _ in range(10):
                world.put(*spoof(n_spoofed))
                n_spoofed += 1
            world.run(1)
        n_echoed += len(world.heard["a"])
        world.heard["a"], world.got = b"", b""
        world.seen = []
        used.append(memory_bytes(world))
        assert len(world.listener.sessions) <= 40 and len(world.listener.backlog) <= 20
    world.run(100)
    n_echoed += len(world.heard["a"])
    assert n_echoed == 12 * 500 and client.stats.LostSegs == 0
    assert world.listener.stats.BacklogDrops == n_spoofed - 39
    assert max(used[3:]) <= used[2] * 1.01 + 50, used


def test_idle_ms_gives_the_places_back_after_a_flood():
    world = World(max_sessions=10, idle_ms=2000)
    for n in range(50):
        world.put(*spoof(n))
    world.run(100)
    client = world.start_client("a", 7)
    client.send(b"hello")
    world.run(1000)
    assert world.heard["a"] == b"" and len(world.listener.sessions) == 10
    world.run(3000)
    assert world.heard["a"] == b"hello" and len(world.listener.sessions) == 1
