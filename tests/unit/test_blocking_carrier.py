"""The blocking API on UDP sockets that the caller owns (kcp-go: NewConn, ServeConn)."""

# upy: heapsize=8m

import os
import socket

from blocking_pair import PATIENCE_S, Pair, free_listener, pattern, raised, read_exactly

from kcp import blocking
from kcp.session import CLOSED


def udp_socket():
    """A bound UDP socket of the test's own, and its port."""
    while True:
        port = 20000 + int.from_bytes(os.urandom(2), "little") % 40000
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            return sock, port
        except OSError:
            sock.close()


def is_open(sock):
    try:
        sock.setblocking(False)
    except OSError:
        return False
    return sock.fileno() >= 0


def exchange(client, server):
    """A few bytes each way over a session that is new; close both ends."""
    client.sendall(pattern(5000))
    sock, address = server.accept()
    sock.settimeout(PATIENCE_S)
    assert read_exactly(sock, 5000) == pattern(5000)
    sock.sendall(b"back")
    assert read_exactly(client, 4) == b"back"
    client.close()
    sock.close()
    return address


def test_sessions_on_a_socket_one_after_the_other():
    own, own_port = udp_socket()
    server, port = free_listener()
    with server:
        for _ in range(3):
            client = blocking.connect("127.0.0.1", port, sock=own, probe_ms=20000, timeout=30)
            assert client.getpeername() == ("127.0.0.1", port)
            assert raised(ValueError, blocking.connect, "127.0.0.1", port, sock=own)
            assert raised(ValueError, blocking.listen, sock=own)
            assert exchange(client, server) == ("127.0.0.1", own_port)
            assert client.session.state == CLOSED and is_open(own)
    own.close()


def test_listeners_on_a_socket_one_after_the_other():
    own, port = udp_socket()
    for _ in range(2):
        with blocking.listen(sock=own) as server:
            server.settimeout(PATIENCE_S)
            exchange(blocking.connect("127.0.0.1", port, timeout=30), server)
        while not server._backlog.is_gone:
            blocking.service(5)
        assert is_open(own)
    own.close()


def test_datagrams_of_others_are_dropped():
    own, own_port = udp_socket()
    other, _ = udp_socket()
    with Pair() as p:
        client = blocking.connect("127.0.0.1", p.port, sock=own, timeout=30)
        other.sendto(bytes(100), socket.getaddrinfo("127.0.0.1", own_port)[0][-1])
        while not client.stats.InErrs:
            blocking.service(5)
        exchange(client, p.server)
    other.close()
    own.close()


def test_an_owner_who_closes_it_too_early():
    own, _ = udp_socket()
    with Pair() as p:
        client = blocking.connect("127.0.0.1", p.port, sock=own, linger_ms=200, dead_ms=400)
        own.close()
        try:
            client.sendall(b"x")
            client.recv(1)
            raise AssertionError
        except OSError:
            pass
        raised(OSError, client.close)


def test_what_cannot_be_adopted():
    assert raised(ValueError, blocking.listen)
    with Pair() as p:
        assert raised(ValueError, blocking.listen, "127.0.0.1")
        p.client.sendall(b"x")
        assert p.peer.recv(1) == b"x"
