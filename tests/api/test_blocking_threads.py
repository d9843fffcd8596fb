"""The blocking API where CPython has more than MicroPython: files, select and threads."""

import errno
import io
import os
import select
import selectors
import socket
import sys
import threading
import time

import pytest
from blocking_support import PATIENCE_S, in_thread, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit"))

from blocking_pair import Pair, free_listener, lossy, pattern, raised, read_exactly

from kcp import blocking


def kcp_threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("kcp ")}


# exceptions and files are the socket module's


def test_exceptions_are_the_subclasses_that_cpython_has():
    with Pair() as p:
        p.client.settimeout(0)
        assert raised(BlockingIOError, p.client.recv, 1)
        p.client.settimeout(0.01)
        assert raised(TimeoutError, p.client.recv, 1)
        assert isinstance(raised(OSError, p.client.recv, 1), socket.timeout) == (
            sys.version_info >= (3, 10)
        )
        p.client.close()
        assert raised(BrokenPipeError, p.client.send, b"x")


def test_data_of_other_types():
    import array

    with Pair() as p:
        p.client.sendall(array.array("H", [0x4142, 0x4344]))
        assert read_exactly(p.peer, 4) == array.array("H", [0x4142, 0x4344]).tobytes()
        numbers = array.array("I", [0])
        p.client.sendall(b"abcd")
        assert p.peer.recv_into(numbers) == 4 and numbers.tobytes() == b"abcd"


def test_files_are_those_of_the_io_module():
    with Pair() as p:
        kinds = {
            "rb": io.BufferedReader,
            "wb": io.BufferedWriter,
            "rwb": io.BufferedRWPair,
            "r": io.TextIOWrapper,
        }
        for mode, kind in kinds.items():
            with p.client.makefile(mode) as file:
                assert isinstance(file, kind)
        with p.client.makefile("rb", buffering=0) as raw:
            assert isinstance(raw, io.RawIOBase) and raw.readable() and not raw.writable()
            assert raw.fileno() == p.client.fileno()
            with pytest.raises(io.UnsupportedOperation):
                raw.write(b"x")
        assert not raw.readable() and raw.fileno() == -1
        with pytest.raises(ValueError, match="closed"):
            raw.readinto(bytearray(1))
        with pytest.raises(ValueError, match="binary"):
            p.client.makefile("r", buffering=0)
        with (
            p.client.makefile("w", encoding="utf-8") as out,
            p.peer.makefile(encoding="utf-8") as f,
        ):
            print("ä line", "two", sep="\n", file=out, flush=True)
            assert (f.readline(), f.readline()) == ("ä line\n", "two\n")


def test_a_file_that_does_not_block_and_one_that_times_out():
    with Pair() as p, p.peer.makefile("rb") as file:
        p.peer.settimeout(0)
        assert file.read(1) is None
        p.peer.settimeout(0.02)
        with pytest.raises(TimeoutError):
            file.read(1)
        p.client.sendall(b"late")
        with pytest.raises(OSError, match="after a timeout"):
            file.read(1)
        assert read_exactly(p.peer, 4) == b"late"
    with Pair(sndwnd=2, rcvwnd=2) as p, p.client.makefile("wb", buffering=0) as file:
        p.client.settimeout(0)
        while file.write(bytes(1000)) is not None:
            pass


# select


def is_ready(sock):
    return bool(select.select([sock], [], [], 0)[0])


def test_select_shows_bytes_and_not_datagrams():
    with Pair() as p:
        assert not is_ready(p.peer) and p.peer.fileno() == p.peer.fileno()
        p.client.session.probe()  # a datagram without bytes, and its answer
        n = p.client.stats.InPkts
        p.client.set()
        until(lambda: p.client.stats.InPkts > n)
        assert not is_ready(p.peer) and not is_ready(p.client)
        p.client.sendall(b"abc")
        assert select.select([p.peer, p.client], [], [], PATIENCE_S)[0] == [p.peer]
        assert p.peer.recv(2) == b"ab"
        assert is_ready(p.peer)
        assert p.peer.recv(2) == b"c"
        assert not is_ready(p.peer)
        p.peer.settimeout(0)
        with pytest.raises(BlockingIOError):
            p.peer.recv(1)
        p.peer.close()
        assert p.peer.fileno() == -1


def test_select_shows_the_end_of_a_session():
    with Pair(client_options={"dead_ms": 200}) as p:
        lossy(p.client, 101)
        assert not is_ready(p.client)
        p.client.sendall(b"x")
        assert select.select([p.client], [], [], PATIENCE_S)[0]
        with pytest.raises(TimeoutError, match="bytes unanswered for"):
            p.client.recv(1)


def test_a_server_of_one_thread_with_selectors():
    """An echo server as the documentation of selectors has it."""
    server, port = free_listener(mode="fast3")
    server.setblocking(False)
    chooser = selectors.DefaultSelector()
    chooser.register(server, selectors.EVENT_READ)
    n_clients, n_bytes = 4, 30000

    def client(i):
        with blocking.connect("127.0.0.1", port, mode="fast3", timeout=PATIENCE_S) as sock:
            data = pattern(n_bytes, i)
            join = in_thread(sock.sendall, data)
            assert read_exactly(sock, n_bytes) == data
            join()

    joins = [in_thread(client, i) for i in range(n_clients)]
    left = n_clients * n_bytes
    socks = []
    while left:
        for key, _ in chooser.select(PATIENCE_S):
            if key.fileobj is server:
                sock = server.accept()[0]
                socks.append(sock)
                sock.setblocking(False)
                chooser.register(sock, selectors.EVENT_READ)
                continue
            data = key.fileobj.recv(1000)
            left -= len(data)
            key.fileobj.setblocking(True)
            key.fileobj.sendall(data)
            key.fileobj.setblocking(False)
    chooser.close()
    for join in joins:
        join()
    for sock in socks:
        sock.settimeout(1)
        sock.close()
    server.close()


# threads


def test_retransmission_goes_on_while_the_program_computes():
    """The main thread computes for much longer than the retransmission timeouts that it takes."""
    with Pair(mode="fast3") as p:
        for sock in (p.client, p.peer):
            lossy(sock, 20)
        data = pattern(60000)
        p.client.sendall(data[:30000])
        p.peer.sendall(data[30000:])
        number = 1
        end = time.monotonic() + PATIENCE_S
        while (p.client.session.unacked_bytes or p.peer.session.unacked_bytes) and (
            time.monotonic() < end
        ):
            for _ in range(10000):
                number = number * 1103515245 % 2147483647
        resent = p.client.stats.RetransSegs + p.peer.stats.RetransSegs
        assert resent > 0 and not p.client.session.unacked_bytes
        assert read_exactly(p.peer, 30000) == data[:30000]
        assert read_exactly(p.client, 30000) == data[30000:]


def test_one_thread_sends_and_one_receives():
    with Pair(mode="fast3") as p:
        lossy(p.client, 5)
        lossy(p.peer, 5, 3)
        data = pattern(400000)

        def echo():
            left = len(data)
            while left:
                part = p.peer.recv(10000)
                p.peer.sendall(part)
                left -= len(part)

        joins = [in_thread(echo), in_thread(p.client.sendall, data)]
        assert read_exactly(p.client, len(data)) == data
        for join in joins:
            join()


def test_two_threads_in_one_direction_are_an_error_at_once():
    with Pair(sndwnd=2, rcvwnd=2) as p:
        receiving = in_thread(p.client.recv, 10)
        until(lambda: p.client._link.is_reading)
        for call in (p.client.recv, lambda n: p.client.recv_into(bytearray(n))):
            with pytest.raises(RuntimeError, match="another thread"):
                call(1)
        sending = in_thread(p.client.sendall, pattern(30000))
        until(lambda: p.client._link.is_writing)
        for call in (p.client.send, p.client.sendall):
            with pytest.raises(RuntimeError, match="another thread"):
                call(b"x")
        p.peer.sendall(b"for one")
        assert receiving() == b"for one"
        assert read_exactly(p.peer, 30000) == pattern(30000)
        sending()


def test_closing_from_another_thread():
    with Pair(sndwnd=2, rcvwnd=2) as p:
        receiving = in_thread(p.client.recv, 10)
        sending = in_thread(p.client.sendall, bytes(30000))
        until(lambda: p.client._link.is_writing and p.client._link.is_reading)
        time.sleep(0.05)
        with pytest.raises(OSError, match="were not acknowledged"):
            p.client.close(100)
        assert receiving() == b""
        with pytest.raises(OSError) as caught:
            sending()
        assert caught.value.errno in (errno.EPIPE, errno.ETIMEDOUT)


def test_closing_while_another_thread_is_slow_to_notice():
    """The endpoint's thread ends first: who still looks must get the news all the same."""
    with Pair() as p:
        port, is_looking = p.peer._port, threading.Event()
        wait = port._eye.wait

        def slow(wait_ms):
            if threading.current_thread() is not port.thread:
                is_looking.set()
                port.thread.join(PATIENCE_S)
            return wait(wait_ms)

        port._eye.wait = slow
        receiving = in_thread(p.peer.recv, 1)
        assert is_looking.wait(PATIENCE_S)
        p.server.close()
        p.peer.close(0)
        assert receiving() == b""
        assert not port.thread.is_alive() and port._bell.fileno() < 0  # closed in the end


def test_any_number_of_threads_may_accept():
    server, port = free_listener()
    socks = []

    def accept():
        socks.append(server.accept()[0])

    joins = [in_thread(accept) for _ in range(5)]
    clients = [blocking.connect("127.0.0.1", port) for _ in range(4)]
    for client in clients:
        client.sendall(b"hello")
    until(lambda: len(socks) == 4)  # (close() drops those that nobody has accepted)
    server.close()
    n_refused = 0
    for join in joins:
        try:
            join()
        except OSError as error:
            assert error.errno == errno.EBADF
            n_refused += 1
    assert n_refused == 1 and [sock.recv(9) for sock in socks] == [b"hello"] * 4
    for sock in clients + socks:
        sock.close()


def test_no_thread_wakes_while_nothing_happens():
    with Pair() as p:
        p.client.sendall(b"x")
        assert p.peer.recv(1) == b"x"
        time.sleep(1)
        begin = time.process_time(), p.client.stats.InPkts + p.client.stats.OutPkts
        receiving = in_thread(p.client.recv, 1)
        time.sleep(1)
        assert time.process_time() - begin[0] < 0.05
        assert p.client.stats.InPkts + p.client.stats.OutPkts == begin[1]
        p.peer.sendall(b"y")
        assert receiving() == b"y"


def test_the_threads_end_with_their_endpoints():
    before = kcp_threads()
    with Pair() as p:
        assert len(kcp_threads() - before) == 2
        p.client.sendall(b"x")
        assert p.peer.recv(1) == b"x"
    until(lambda: not kcp_threads() - before)


def test_a_forgotten_socket_is_closed_and_warned_about():
    before = kcp_threads()
    server, port = free_listener()
    client = blocking.connect("127.0.0.1", port)
    client.sendall(b"last words")
    sock, _ = server.accept()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del client
    assert read_exactly(sock, 10) == b"last words"
    with pytest.warns(ResourceWarning, match="unclosed"):
        del server
    with pytest.warns(ResourceWarning, match="unclosed"):
        del sock
    until(lambda: not kcp_threads() - before)


def test_a_handler_must_not_wait_and_its_exceptions_are_reported(monkeypatch):
    reports = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    with Pair(fec=(2, 1)) as p:
        p.peer.set_oob_handler(lambda data: p.peer.recv(1))
        p.client.send_oob(b"?")
        until(lambda: reports)
        assert "must not wait" in str(reports[0].exc_value)
        p.client.sendall(b"goes on")
        assert read_exactly(p.peer, 7) == b"goes on"


def test_the_endpoints_thread_fails(monkeypatch):
    """A defect there must not leave anybody waiting."""
    reports = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    with Pair() as p:
        p.client._link.endpoint.turn = lambda now_ms: 1 / 0
        p.peer.sendall(b"x")
        until(lambda: reports)
        assert reports[0].exc_type is ZeroDivisionError
        with pytest.raises(ConnectionAbortedError, match="failed"):
            p.client.recv(1)


def test_a_call_that_does_the_threads_work_fails():
    with Pair() as p:
        receiving = in_thread(p.client.recv, 1)
        until(lambda: p.client._port._is_watched)
        p.client._link.endpoint.turn = lambda now_ms: 1 / 0
        p.peer.sendall(b"x")
        with pytest.raises(ZeroDivisionError):
            receiving()
        with pytest.raises(ConnectionAbortedError, match="in the middle"):
            p.client.recv(1)


def parks_long(port):
    """Does the endpoint's thread see that another one watches, once it wakes? (A datagram may wake
    only that other one.)"""
    port.ring()
    try_until = time.monotonic() + 1
    while not port._is_parked_long and time.monotonic() < try_until:
        time.sleep(0.005)
    return port._is_parked_long


def test_the_thread_takes_over_from_a_call_and_gives_up_again():
    """Whoever watches, answers come: during a call, just after one, and long after."""
    with Pair(mode="fast3") as p:
        port = p.client._port
        for wait_s in (0, 0.002, 0.01, 0.1):
            for _ in range(5):
                n = p.peer.session.stats.OutPkts
                p.peer.sendall(b"x")
                assert p.client.recv(1) == b"x"  # watched here
                p.peer.sendall(b"yz")
                time.sleep(wait_s)
                until(lambda: not p.peer.session.unacked_bytes)  # by the client's thread
                assert read_exactly(p.client, 2) == b"yz" and p.peer.stats.OutPkts > n
        receiving = in_thread(p.client.recv, 1)
        until(lambda: port._is_watched)
        p.client.sendall(b"sent while another thread watches")
        assert read_exactly(p.peer, 33) == b"sent while another thread watches"
        until(lambda: parks_long(port))
        p.peer.sendall(b"!")
        assert receiving() == b"!"
        until(lambda: not port._is_parked)
        assert p.peer.stats.RetransSegs + p.client.stats.RetransSegs < 20


def test_service_wakes_another_thread():
    with Pair() as p:
        while blocking.service(0):
            pass
        serving = in_thread(blocking.service, PATIENCE_S * 1000)
        p.client.sendall(b"x")
        assert serving() is True
