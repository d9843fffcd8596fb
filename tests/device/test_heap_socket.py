# upy: heapsize=8m arm=no twins=python
"""What real sockets allocate: their own recv a buffer per datagram, the C module's nothing."""

import errno
import gc
import os
import socket

import micropython

from kcp import Config, Session, _sync_port_upy
from kcp._clock import ticks_ms
from kcp._sync import SyncLink
from kcp._sync_socket import Socket
from kcp._udp_upy import recv_into
from kcp.endpoint import Endpoint

N_ROUNDS = 340  # of three packets each way


def fill(view):
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


def bound():
    """A socket on a free port, and its address."""
    for _ in range(20):
        port = 20000 + int.from_bytes(os.urandom(2), "little") % 40000
        address = socket.getaddrinfo("127.0.0.1", port)[0][-1]
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(address)
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        sock.setblocking(False)
        return sock, address
    raise OSError(errno.EADDRINUSE)


def pair():
    """Two sockets, each connected to the other."""
    (a, address_a), (b, address_b) = bound(), bound()
    a.connect(address_b)
    b.connect(address_a)
    return a, b


def test_one_datagram_at_a_time():
    if recv_into is None:
        return  # the plain twins have their socket's recv only: see below
    a, b = pair()
    for data in (b"hello", bytes(59), b""):
        a.send(data)
    page = bytearray(100)
    assert recv_into(b, page) == 5 and page[:5] == b"hello"
    assert recv_into(b, memoryview(page)[10:20]) == 10  # what does not fit is gone
    assert recv_into(b, page) == 0
    assert recv_into(b, page) is None
    a.close()
    b.send(b"nobody is there")
    try:
        while recv_into(b, page) is None:
            pass
    except OSError as error:
        assert error.errno == errno.ECONNREFUSED
    b.close()


def test_a_sockets_own_recv_allocates():
    a, b = pair()
    a.send(b"x" * 100)
    a.send(b"y" * 100)
    page = bytearray(1500)
    n = 0
    micropython.heap_lock()
    try:
        b.recv(1500)
    except MemoryError:
        pass
    else:
        n += 1
    if recv_into is not None:
        n += recv_into(b, page)
    micropython.heap_unlock()
    assert n == (0 if recv_into is None else 100)
    a.close()
    b.close()


def end(sock, address, config):
    """A client's socket of the blocking API on a UDP socket."""
    session = Session(7, config, fill, ticks_ms())
    session.reserve()
    port = _sync_port_upy.SyncPort(sock, address, True)
    endpoint = Endpoint(port, session.buffer_bytes)
    link = SyncLink(endpoint, session)
    port.start(endpoint)
    port.begin()
    endpoint.attach(link)
    port.end()
    return Socket(link)


def pass_on(source, sink, message, page):
    source.sendall(message)
    left = len(message)
    while left:
        left -= sink.recv_into(page)


def exchange(one, other, message, page, n_rounds):
    """A message there and one back, n_rounds times."""
    for _ in range(n_rounds):
        pass_on(one, other, message, page)
        pass_on(other, one, message, page)


def test_a_conversation_allocates_nothing():
    """Only where C takes the datagrams; else it is one recv() each, as shown above."""
    if recv_into is None:
        return
    a, b = pair()
    config = Config(mode="fast3", sndwnd=32, rcvwnd=32, crypt="none")
    one, other = end(a, (), config), end(b, (), config)
    message, page = memoryview(bytes(range(250)) * 12), memoryview(bytearray(1700))
    exchange(one, other, message, page, 20)
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        exchange(one, other, message, page, N_ROUNDS)
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == before
    assert one.stats.InPkts > 1000 and other.stats.InPkts > 1000
    for sock in (one, other):
        try:
            sock.close(0)
        except OSError:
            pass  # the last acknowledgement is not here yet
