# upy: heapsize=8m arm=no
"""Endpoints and streams allocate nothing per datagram or write (64-bit; the socket apart)."""

import gc

import micropython

from kcp import Config, Listener, Session, Stream
from kcp.endpoint import Endpoint

LOSE_EVERY = 9
N_MESSAGES = 60


def fill(view):
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


class Wire:
    """A port that hands every datagram straight to another endpoint, but for some."""

    def __init__(self):
        self.peer = self.key = None
        self.now_ms = self.n_sent = 0
        self.peer_key = None

    def send(self, buf, n, key):
        self.n_sent += 1
        if self.n_sent % LOSE_EVERY:
            rx = self.peer.rx
            rx[:] = buf
            self.peer.input(n, self.peer_key, self.now_ms)
        return 1

    def wake(self):
        pass

    def close(self):
        pass


class World:
    """A client's stream and a server's, without sockets and loop."""

    def __init__(self, **options):
        self.config = Config(mode="fast3", sndwnd=32, rcvwnd=32, **options)
        session = Session(7, self.config, fill, 0)
        listener = Listener(self.config, fill)
        self.wires = Wire(), Wire()
        self.client = Endpoint(self.wires[0], session.buffer_bytes)
        self.server = Endpoint(self.wires[1], session.buffer_bytes, listener, self.accept)
        self.wires[0].peer, self.wires[1].peer = self.server, self.client
        self.wires[0].peer_key = ("10.0.0.1", 4000)
        self.stream = Stream(self.client, session)
        self.client.attach(self.stream)
        self.other = None
        self.message = bytearray(bytes(range(250)) * 4)
        self.page = bytearray(1400)
        self.now_ms = 0

    def accept(self, session, key):
        self.other = Stream(self.server, session, key)
        session.reserve()
        return self.other

    def exchange(self, n_messages):
        """Send messages each way; end when all have arrived and all is quiet."""
        goal = n_messages * len(self.message)
        n_sent = got = got_other = wait_ms = 0
        while got < goal or got_other < goal or wait_ms >= 0:
            if n_sent < n_messages and self.stream.session.snd_room_bytes > 3000:
                self.stream.write(self.message)
                self.other.write(self.message)
                n_sent += 1
            got += self.take(self.stream)
            got_other += self.take(self.other)
            wait_ms = self.client.turn(self.now_ms)
            other_ms = self.server.turn(self.now_ms)
            if other_ms > wait_ms:
                wait_ms = other_ms
            self.now_ms += 5
            self.wires[0].now_ms = self.wires[1].now_ms = self.now_ms

    def take(self, stream):
        total = 0
        while True:
            n = stream.session.recv_into(self.page)
            if n == 0:
                return total
            total += n
            stream.endpoint.kick(stream)


def check(**options):
    world = World(**options)
    world.stream.session.reserve()
    world.stream.write(b"x")
    while world.other is None or world.stream.session.unacked_bytes:
        world.client.turn(world.now_ms)
        world.server.turn(world.now_ms)
        world.now_ms += 5
    world.take(world.other)
    world.exchange(N_MESSAGES)  # everything has grown to its size now
    before = world.wires[0].n_sent
    gc.collect()
    used = gc.mem_alloc()
    micropython.heap_lock()
    try:
        world.exchange(N_MESSAGES)
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == used
    assert world.wires[0].n_sent - before > N_MESSAGES
    assert world.stream.session.stats.RetransSegs > 0


def test_no_allocation_without_a_frame():
    check()


def test_no_allocation_with_checksums():
    check(crypt="none")
