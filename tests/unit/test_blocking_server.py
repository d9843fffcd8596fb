"""The blocking API: listeners, files, what is beside the bytes, service(). On both runtimes."""

# upy: heapsize=8m

import errno
import select
import time

from blocking_pair import Pair, free_listener, lossy, pattern, raised, read_exactly

import kcp
from kcp import blocking
from kcp.session import CLOSED

EBADF = 9


def ms_since(begin_ns):
    return (time.time_ns() - begin_ns) // 1000000


# the listener


def test_closing_the_listener_leaves_the_accepted():
    with Pair() as p:
        waiting = blocking.connect("127.0.0.1", p.port, dead_ms=500)
        waiting.sendall(b"x")
        while p.server.stats.CurrEstab < 2 or waiting.session.unacked_bytes:
            blocking.service(5)
        p.server.close()
        p.server.close()
        assert raised(OSError, p.server.accept).errno == EBADF
        p.client.sendall(b"still here")
        assert read_exactly(p.peer, 10) == b"still here"
        late = raised(OSError, blocking.connect, "127.0.0.1", p.port, probe_ms=150)
        assert late.errno == errno.ETIMEDOUT
        waiting.close()  # what it sent had been acknowledged
    again = blocking.listen("127.0.0.1", p.port)  # the UDP socket was closed with the last
    again.close()


def test_the_backlog_has_a_limit():
    server, port = free_listener(backlog=2)
    with server:
        clients = [blocking.connect("127.0.0.1", port, mode="fast3") for _ in range(4)]
        for client in clients:
            client.sendall(b"x")
        while server.stats.BacklogDrops < 2:
            blocking.service(5)
        assert server.stats.CurrEstab == 2
        peers = [server.accept()[0] for _ in range(2)]  # makes room for the other two
        peers += [server.accept()[0] for _ in range(2)]
        assert [peer.recv(5) for peer in peers] == [b"x"] * 4
        for sock in clients + peers:
            sock.close()


def test_a_session_that_ended_in_the_backlog():
    server, port = free_listener()
    with server:
        with blocking.connect("127.0.0.1", port) as first:
            first.sendall(b"sent and gone")
        with blocking.connect("127.0.0.1", port) as second:
            second.sendall(b"second")
            for expected in (b"sent and gone", b"second"):
                sock, _ = server.accept()
                assert read_exactly(sock, len(expected)) == expected
                sock.close()


def test_a_port_in_use():
    server, port = free_listener()
    with server:
        assert raised(OSError, blocking.listen, "127.0.0.1", port).errno == errno.EADDRINUSE


def test_misuse():
    assert raised(ValueError, blocking.connect, "127.0.0.1", 9, color="red")
    assert raised(ValueError, blocking.connect, "127.0.0.1", 9, timeout=-1)
    assert raised(ValueError, blocking.listen, "127.0.0.1", 9, mtu=3)
    with Pair() as p:
        assert raised(OSError, p.client.shutdown, 1)
        assert raised(ValueError, p.client.makefile, "x")


# files


def test_files():
    with Pair() as p:
        with p.client.makefile("wb") as out, p.peer.makefile("rb") as file:
            out.write(b"first\nsecond\n\nthe rest of it")
            out.flush()
            assert file.readline() == b"first\n"
            assert file.readline(2) == b"se"
            assert file.readline() == b"cond\n"
            assert file.read(2) == b"\nt"
            buf = bytearray(3)
            assert file.readinto(buf) == 3 and buf == b"he "
            assert file.read(0) == b""
            assert file.read(8) == b"rest of "
        p.peer.sendall(b"it stays open")
        assert p.client.recv(100) == b"it stays open"


def test_a_file_is_iterated_to_the_end():
    with Pair() as p:
        p.client.sendall(b"one\ntwo\nthree")
        while p.peer.session.readable < 13:
            blocking.service(5)
        file = p.peer.makefile("rb")
        p.peer.close(0)
        assert p.peer.session.state != CLOSED  # it has a file
        lines = [file.readline(), file.readline()]
        file.close()
        assert lines == [b"one\n", b"two\n"]
        while p.peer.session.state != CLOSED:
            blocking.service(5)
        assert p.peer.recv(10) == b""  # what the file had taken in is gone with it


def test_reading_a_file_to_the_end():
    with Pair() as p:
        p.client.sendall(pattern(5000))
        while p.peer.stats.InBytes < 5000 or p.client.session.unacked_bytes:
            blocking.service(5)
        with p.peer.makefile("rb") as file:
            assert file.read(1000) == pattern(5000)[:1000]
            p.peer.settimeout(0.1)
            p.peer._link.start_closing(0)  # (as another thread's close does)
            assert file.read() == pattern(5000)[1000:]
            assert file.read() == b"" and file.readline() == b""


def test_a_file_is_large():
    with Pair(mode="fast3") as p:
        data = pattern(20000)
        with p.client.makefile("rwb") as out, p.peer.makefile("rwb") as file:
            out.write(data)
            out.flush()
            assert file.read(20000) == data
            file.write(data[:3000])
            file.flush()
            assert out.read(3000) == data[:3000]


# beside the bytes


def test_addresses():
    with Pair() as p:
        assert p.client.getpeername() == ("127.0.0.1", p.port)
        assert p.server.getsockname() == ("127.0.0.1", p.port) == p.peer.getsockname()
        assert p.peer.getpeername() == p.address
        assert p.client.getsockname() in (None, p.address)


def test_ipv6():
    with Pair(host="::1") as p:
        p.client.sendall(b"six")
        assert p.peer.recv(10) == b"six" and p.address[0] == "::1"


def test_the_session_and_its_counters():
    with Pair(client_options={"conv": 0xFEDCBA98}) as p:
        assert p.client.session.conv == p.peer.session.conv == 0xFEDCBA98
        p.client.sendall(b"12345")
        assert read_exactly(p.peer, 5) == b"12345"
        assert p.client.stats.BytesSent == 5 == p.peer.stats.BytesReceived
        assert p.client.session.rtt_ms >= 0 and p.server.stats.PassiveOpens == 1


def test_settings_at_run_time():
    with Pair(mode="fast3") as p:
        p.client.set(sndwnd=2, mtu=300, nodelay=0)
        p.client.settimeout(0)
        n = 0
        try:
            while True:
                n += p.client.send(bytes(1000))
        except OSError as error:
            assert error.errno == errno.EAGAIN
        assert 0 < n <= 3000
        p.client.settimeout(20)
        assert read_exactly(p.peer, n) == bytes(n)
        p.client.set(sndwnd=64, mtu=1400, dup=1, dead_ms=5000)
        p.client.sendall(pattern(20000))
        assert read_exactly(p.peer, 20000) == pattern(20000)
        assert p.peer.stats.RepeatSegs > 10
        assert raised(ValueError, p.client.set, crypt="none")
        assert raised(ValueError, p.client.set, sndwnd=-1)
        assert raised(ValueError, p.peer.set, dscp=1)
        p.client.sendall(b"still good")
        assert read_exactly(p.peer, 10) == b"still good"
        p.client.set(dscp=46)
        p.server.set(dscp=46, read_buffer=100000)
        assert raised(ValueError, p.server.set, dscp=64)
        p.peer.sendall(b"marked")
        assert read_exactly(p.client, 6) == b"marked"
    with Pair(dscp=10, rate_limit=50000, client_options={"write_buffer": 50000}) as p:
        p.client.sendall(b"limited")
        assert read_exactly(p.peer, 7) == b"limited"
    assert raised(ValueError, blocking.listen, "127.0.0.1", 9, dscp=99)


def test_out_of_band():
    with Pair(fec=(3, 1)) as p:
        got = []
        p.peer.set_oob_handler(got.append)
        assert p.client.send_oob(b"beside") and p.client.send_oob(b"")
        while len(got) < 2:
            blocking.service(5)
        assert sorted(got) == [b"", b"beside"]
        assert raised(ValueError, p.client.send_oob, bytes(2000))
        p.peer.set_oob_handler(None)
        p.client.send_oob(b"unheard")
        p.client.sendall(b"x")
        assert p.peer.recv(1) == b"x" and len(got) == 2
    with Pair() as p:
        assert raised(ValueError, p.client.send_oob, b"without FEC")
        p.client.sendall(b"still good")
        assert read_exactly(p.peer, 10) == b"still good"


def test_a_handler_that_answers():
    with Pair(fec=(3, 1)) as p:
        p.peer.set_oob_handler(lambda data: p.peer.sendall(b"heard " + data))
        p.client.send_oob(b"it")
        assert read_exactly(p.client, 8) == b"heard it"


# in the middle of a call


class Interrupt(BaseException):
    """What Ctrl-C or a signal handler may raise."""


def test_an_exception_in_the_middle_ends_the_endpoint():
    with Pair() as p:
        session = p.client.session

        def interrupted(data):
            raise Interrupt

        session.send = interrupted
        try:
            p.client.sendall(b"x")
            raise AssertionError
        except Interrupt:
            pass
        assert session.state == CLOSED
        for call in (p.client.recv, lambda n: p.client.send(bytes(n))):
            error = raised(OSError, call, 3)
            assert error.errno == errno.ECONNABORTED and "in the middle" in str(error)


def test_an_exception_while_waiting_harms_nothing():
    with Pair() as p:
        wait = p.client._link.reader.wait

        def interrupted(ms):
            raise Interrupt

        gate = p.client._link.reader = Gate(interrupted)
        try:
            p.client.recv(1)
            raise AssertionError
        except Interrupt:
            gate.wait = wait
        p.peer.sendall(b"still")
        assert read_exactly(p.client, 5) == b"still"


class Gate:
    """Stands in for a gate of the port."""

    is_busy = False

    def __init__(self, wait):
        self.wait = wait

    def wake(self):
        pass


def test_a_call_from_within_a_call_is_refused():
    with Pair() as p:
        session = p.client.session
        send = session.send
        refused = []
        p.peer.sendall(b"something to receive")
        while not session.readable:
            blocking.service(5)

        def reenter(data):
            session.send = send
            for call in (p.client.recv, lambda n: p.client.send(bytes(n)), p.client.close):
                refused.append(raised(RuntimeError, call, 1))
            return send(data)

        session.send = reenter
        p.client.sendall(b"goes on")
        assert len(refused) == 3
        assert read_exactly(p.peer, 7) == b"goes on"
        assert read_exactly(p.client, 20) == b"something to receive"


# select


def test_poll_shows_bytes_and_sessions():
    server, port = free_listener()
    with server:
        poll = select.poll()
        poll.register(server, select.POLLIN)
        assert poll.poll(0) == []
        with blocking.connect("127.0.0.1", port) as client:
            poll.register(client, select.POLLIN)
            client.sendall(b"abc")
            assert len(poll.poll(20000)) == 1
            sock, _ = server.accept()
            poll.register(sock, select.POLLIN)
            assert len(poll.poll(20000)) == 1
            assert sock.recv(2) == b"ab"
            assert len(poll.poll(0)) == 1
            assert sock.recv(2) == b"c"
            assert poll.poll(20) == []
            sock.sendall(b"back")
            assert len(poll.poll(20000)) == 1 and client.recv(10) == b"back"
            for one in (client, sock, server):
                poll.unregister(one)
            sock.close()


# service


def test_service_tells_of_news_once():
    with Pair() as p:
        while blocking.service(20):
            pass
        begin_ns = time.time_ns()
        assert not blocking.service(50) and ms_since(begin_ns) >= 45
        p.client.sendall(b"news")
        assert blocking.service(20000)
        assert not blocking.service(20)  # nothing new
        assert p.peer.recv(10) == b"news"
        p.client.sendall(b"more")
        assert blocking.service(20000) and p.peer.recv(2) == b"mo"
        assert blocking.service(20000) and p.peer.recv(10) == b"re"
        assert not blocking.service(20)


def test_service_keeps_an_idle_program_alive():
    with Pair(mode="fast3") as p:
        lossy(p.client, 40)
        p.client.settimeout(0)
        p.client.sendall(pattern(10000))
        while p.client.session.unacked_bytes:
            blocking.service(5)
        assert read_exactly(p.peer, 10000) == pattern(10000)


def test_no_endpoint_is_no_trouble():
    begin_ns = time.time_ns()
    while blocking.service(0):  # news of earlier tests
        pass
    assert not blocking.service(30) and ms_since(begin_ns) >= 25


def test_the_names():
    assert kcp.blocking is blocking and "blocking" in kcp.__all__
    for name in blocking.__all__:
        assert hasattr(blocking, name)
