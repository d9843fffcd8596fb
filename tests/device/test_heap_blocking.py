# upy: heapsize=8m arm=no
"""The blocking API allocates nothing per call or datagram (64-bit; the socket's recv apart)."""

import gc
import io

import micropython

from kcp import Config, Session, _sync_port_upy, blocking
from kcp._clock import ticks_ms
from kcp._sync import SyncLink
from kcp._sync_socket import Socket
from kcp.endpoint import Endpoint

_sync_port_upy.recv_into = None  # (a Wire has recv() only; test_heap_socket.py is about sockets)
N_ROUNDS = 60
LOSE_EVERY = 23
N_SLOTS = 64
IOCTL_POLL = 3


def fill(view):
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


class Wire(io.IOBase):
    """A UDP socket whose recv allocates nothing; what is written comes out at `other`."""

    def __init__(self, n_bytes):
        self.other = None
        self._slots = [bytearray(n_bytes) for _ in range(N_SLOTS)]
        self._lengths = [0] * N_SLOTS
        self._head = self._tail = 0
        self._out = bytearray(n_bytes)
        self._views = [memoryview(self._out)[:n] for n in range(n_bytes)]
        self.n_sent = 0

    def ioctl(self, request, arg):
        if request != IOCTL_POLL:
            return -1
        return 1 if self._head != self._tail else 0

    def write(self, buf, n):
        self.n_sent += 1
        if self.n_sent % LOSE_EVERY:
            self.other.put(buf, n)
        return n

    def put(self, buf, n):
        if self._tail - self._head < N_SLOTS:
            i = self._tail % N_SLOTS
            self._slots[i][:] = buf
            self._lengths[i] = n
            self._tail += 1

    def recv(self, n):
        i = self._head % N_SLOTS
        self._head += 1
        self._out[:] = self._slots[i]
        return self._views[self._lengths[i]]

    def close(self):
        pass


def end(wire, config):
    """A client's socket on a wire."""
    session = Session(7, config, fill, ticks_ms())
    session.reserve()
    port = _sync_port_upy.SyncPort(wire, ("wire", 0), True)
    endpoint = Endpoint(port, session.buffer_bytes)
    link = SyncLink(endpoint, session)
    port.start(endpoint)
    port.begin()
    endpoint.attach(link)
    port.end()
    return Socket(link)


class World:
    """Two sockets, one wire between them."""

    def __init__(self, **options):
        config = Config(mode="fast3", sndwnd=32, rcvwnd=32, **options)
        n_bytes = Session(7, config, fill, 0).buffer_bytes
        self.wires = Wire(n_bytes), Wire(n_bytes)
        self.wires[0].other, self.wires[1].other = self.wires[1], self.wires[0]
        self.one, self.other = end(self.wires[0], config), end(self.wires[1], config)
        self.message = memoryview(bytes(range(250)) * 12)
        self.page = memoryview(bytearray(1700))

    def exchange(self, n_rounds):
        """A message there, read in two sizes, and one back; and service() at the end."""
        for _ in range(n_rounds):
            self.one.sendall(self.message)
            self.read(self.other)
            self.other.sendall(self.message)
            self.read(self.one)
        while self.one.session.unacked_bytes or self.other.session.unacked_bytes:
            blocking.service(1)

    def read(self, sock):
        left = len(self.message)
        while left:
            left -= sock.recv_into(self.page)


def check(**options):
    world = World(**options)
    world.exchange(N_ROUNDS)  # everything has grown to its size now
    before = world.wires[0].n_sent
    gc.collect()
    used = gc.mem_alloc()
    micropython.heap_lock()
    try:
        world.exchange(N_ROUNDS)
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == used
    assert world.wires[0].n_sent - before > N_ROUNDS
    assert world.one.stats.RetransSegs + world.other.stats.RetransSegs > 0
    world.one.close(0)
    world.other.close(0)


def test_no_allocation_without_a_frame():
    check()


def test_no_allocation_with_checksums():
    check(crypt="none")
