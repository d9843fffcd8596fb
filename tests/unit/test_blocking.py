"""The blocking API over real sockets, one thread at both ends. The same on both runtimes."""

# upy: heapsize=8m

import errno
import time

from blocking_pair import Pair, free_listener, lossy, pattern, raised, read_exactly

from kcp import blocking
from kcp.session import CLOSED

EPIPE = 32
EBADF = 9


def ms_since(begin_ns):
    return (time.time_ns() - begin_ns) // 1000000


# bytes


def test_both_ways():
    with Pair() as p:
        assert p.client.send(b"hello") == 5
        assert p.peer.recv(100) == b"hello"
        p.peer.sendall(b"you too")
        assert p.client.recv(3) == b"you"
        assert p.client.recv(0) == b""
        assert p.client.recv(100) == b" too"


def test_tiny_reads():
    with Pair() as p:
        data = pattern(3000)
        p.client.sendall(data)
        got = bytearray()
        one = bytearray(1)
        for i in range(1500):
            if i % 2:
                got += p.peer.recv(2)
            else:
                assert p.peer.recv_into(one) == 1
                got += one
                got += read_exactly(p.peer, 1)
        assert got == data


def test_recv_into_a_part_of_a_buffer():
    with Pair() as p:
        buf = bytearray(b"....................")
        p.client.sendall(b"abcdefghij")
        assert p.peer.recv_into(buf, 4) == 4 and buf[:5] == b"abcd."
        assert p.peer.recv_into(memoryview(buf)[10:13]) == 3 and buf[9:14] == b".efg."
        assert p.peer.recv_into(buf) == 3 and buf[:4] == b"hijd"
        assert p.peer.recv_into(bytearray(0)) == 0
        assert raised(ValueError, p.peer.recv_into, buf, 21)
        assert raised(ValueError, p.peer.recv_into, buf, -1)
        assert raised(ValueError, p.peer.recv, -1)


def exchange(p, n_bytes):
    """Send so much each way, through both ends at the same time; nobody may block."""
    out = pattern(n_bytes), pattern(n_bytes, 2)
    back = bytearray(), bytearray()
    n_sent = [0, 0]
    socks = p.client, p.peer
    for sock in socks:
        sock.settimeout(0)
    while len(back[0]) < n_bytes or len(back[1]) < n_bytes:
        for i in range(2):
            try:
                chunk = out[i][n_sent[i] : n_sent[i] + 4000]
                n_sent[i] += socks[i].send(chunk) if chunk else 0
            except OSError as error:
                assert error.errno == errno.EAGAIN
            try:
                back[1 - i].extend(socks[1 - i].recv(5000))
            except OSError as error:
                assert error.errno == errno.EAGAIN
        blocking.service(1)
    assert back[1] == out[0] and back[0] == out[1]


def test_many_bytes_both_ways():
    with Pair(mode="fast3") as p:
        exchange(p, 200000)


def test_small_windows_and_loss():
    with Pair(mode="fast3", sndwnd=8, rcvwnd=8, crypt="none", fec=(4, 2)) as p:
        lossy(p.client, 10)
        lossy(p.peer, 10, 7)
        exchange(p, 60000)
        assert p.client.stats.FECRecovered + p.client.stats.RetransSegs > 0


def test_messages_are_cut_into_segments():
    with Pair(stream=False, mtu=200) as p:
        p.client.sendall(pattern(2000))
        assert read_exactly(p.peer, 2000) == pattern(2000)
        n_segments = p.peer.stats.InSegs
        p.client.sendall(b"ab")
        p.client.sendall(b"cd")
        assert read_exactly(p.peer, 4) == b"abcd"
        assert p.peer.stats.InSegs - n_segments >= 2


def test_what_can_be_sent():
    with Pair() as p:
        assert p.client.send(b"") == 0
        p.client.sendall(b"")
        p.client.sendall(bytearray(b"ab"))
        assert p.client.send(memoryview(b"xcdx")[1:3]) == 2
        assert read_exactly(p.peer, 4) == b"abcd"
        for call in (p.client.send, p.client.sendall):
            assert raised(TypeError, call, "text")
            assert raised(TypeError, call, 7)
        assert raised(TypeError, p.client.recv_into, 7)


def test_several_clients_of_one_server():
    server, port = free_listener()
    with server:
        clients = [blocking.connect("127.0.0.1", port, timeout=30) for _ in range(5)]
        for i, client in enumerate(clients):
            client.sendall(bytes([65 + i]) * 3)
        peers = [server.accept()[0] for _ in clients]
        names = sorted(read_exactly(peer, 3) for peer in peers)
        assert names == [bytes([65 + i]) * 3 for i in range(5)]
        assert server.stats.CurrEstab == 5
        for sock in clients + peers:
            sock.close()


# timeouts


def test_timeouts():
    with Pair() as p:
        p.client.settimeout(0.15)
        assert p.client.gettimeout() == 0.15 and p.client.getblocking()
        begin_ns = time.time_ns()
        error = raised(OSError, p.client.recv, 1)
        assert error.errno == errno.ETIMEDOUT and ms_since(begin_ns) >= 140
        p.peer.sendall(b"late")
        assert p.client.recv(10) == b"late"
        p.client.settimeout(0)
        assert p.client.gettimeout() == 0 and not p.client.getblocking()
        assert raised(OSError, p.client.recv, 1).errno == errno.EAGAIN
        assert raised(OSError, p.client.recv_into, bytearray(1)).errno == errno.EAGAIN
        p.client.setblocking(True)
        assert p.client.gettimeout() is None
        p.client.setblocking(False)
        assert p.client.gettimeout() == 0
        p.client.settimeout(1e9)
        assert p.client.gettimeout() is None
        p.client.settimeout(0.00001)  # not the same as 0
        assert raised(OSError, p.client.recv, 1).errno == errno.ETIMEDOUT
        assert raised(ValueError, p.client.settimeout, -1)


def test_accept_with_a_timeout():
    server, port = free_listener()
    with server:
        server.settimeout(0.05)
        assert raised(OSError, server.accept).errno == errno.ETIMEDOUT
        server.settimeout(0)
        assert raised(OSError, server.accept).errno == errno.EAGAIN
        server.settimeout(20)
        with blocking.connect("127.0.0.1", port) as client:
            client.sendall(b"x")
            sock, address = server.accept()
            assert address[0] == "127.0.0.1" and sock.getpeername() == address
            assert sock.gettimeout() is None
            assert sock.recv(1) == b"x"
            sock.close()


def test_a_sender_whose_peer_does_not_read():
    with Pair(sndwnd=4, rcvwnd=4) as p:
        p.client.settimeout(0)
        n_sent = 0
        try:
            while n_sent < 100000:
                n_sent += p.client.send(bytes(1000))
        except OSError as error:
            assert error.errno == errno.EAGAIN
        assert n_sent < 100000
        p.client.settimeout(0.1)
        assert raised(OSError, p.client.sendall, bytes(60000)).errno == errno.ETIMEDOUT
        n_queued = p.client.stats.BytesSent
        p.client.settimeout(20)
        assert read_exactly(p.peer, n_queued) == bytes(n_queued)
        p.client.sendall(b"end")
        assert read_exactly(p.peer, 3) == b"end"


# closing


def test_close_waits_until_all_is_acknowledged():
    with Pair(mode="fast3") as p:
        lossy(p.client, 30)
        p.client.sendall(pattern(20000))
        p.client.close()
        assert p.client.session.state == CLOSED and p.client.session.lost_bytes == 0
        assert read_exactly(p.peer, 20000) == pattern(20000)
        p.client.close()


def test_close_says_what_was_not_acknowledged():
    with Pair() as p:
        lossy(p.client, 101)
        p.client.sendall(bytes(3000))
        begin_ns = time.time_ns()
        error = raised(OSError, p.client.close, 200)
        assert "3000 bytes" in str(error) and error.errno == errno.ETIMEDOUT
        assert 190 <= ms_since(begin_ns) < 5000
        p.client.close()


def test_close_without_waiting():
    with Pair() as p:
        lossy(p.client, 101)
        p.client.sendall(bytes(3000))
        p.client.settimeout(0)
        begin_ns = time.time_ns()
        p.client.close(300)
        assert ms_since(begin_ns) < 200
        while p.client.session.state != CLOSED:
            blocking.service(10)
        assert p.client.session.lost_bytes == 3000


def test_with_does_not_hide_an_exception():
    with Pair(client_options={"linger_ms": 200}) as p:
        lossy(p.client, 101)
        try:
            with p.client:
                p.client.sendall(b"x")
                raise KeyError
        except KeyError:
            pass
        assert p.client.session.state == CLOSED and p.client.session.lost_bytes == 1


def test_reading_after_close():
    with Pair() as p:
        p.client.sendall(b"last words")
        assert p.peer.recv(5) == b"last "
        p.peer.close()
        assert p.peer.recv(2) == b"wo"
        assert p.peer.recv(100) == b"rds"
        assert p.peer.recv(100) == b""
        assert p.peer.recv_into(bytearray(3)) == 0


def test_writing_after_close():
    with Pair() as p:
        p.client.close()
        for call in (p.client.send, p.client.sendall):
            assert raised(OSError, call, b"x").errno == EPIPE
        assert raised(OSError, p.client.makefile, "rb").errno == EBADF


def test_a_dead_peer():
    with Pair(client_options={"dead_ms": 300}) as p:
        lossy(p.client, 101)
        p.client.sendall(b"anybody?")
        assert raised(OSError, p.client.recv, 1).errno == errno.ETIMEDOUT
        assert p.client.session.state == CLOSED
        assert raised(OSError, p.client.send, b"x").errno == errno.ETIMEDOUT
        assert "8 bytes" in str(raised(OSError, p.client.close))


def test_nobody_there():
    begin_ns = time.time_ns()
    error = raised(OSError, blocking.connect, "127.0.0.1", 9, probe_ms=250)
    assert error.errno == errno.ETIMEDOUT and ms_since(begin_ns) >= 240


def test_another_key():
    server, port = free_listener(crypt="aes-128", key=bytes(16))
    with server:
        options = {"crypt": "aes-128", "key": b"x" * 16, "probe_ms": 200}
        assert raised(OSError, blocking.connect, "127.0.0.1", port, **options)
        assert server.stats.InCsumErrors > 0
