"""The blocking API and what comes from outside: signals, the end of the process, fork."""

import errno
import os
import select
import signal
import sys
import time
import warnings

import pytest
from blocking_support import PATIENCE_S, in_thread, run, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit"))

from blocking_pair import Pair, free_listener, pattern, raised, read_exactly

from kcp.session import CLOSED

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and fork are POSIX's")

# signals


class Interrupt(BaseException):
    """What our signal handler raises."""


@pytest.fixture
def interrupt():
    """interrupt(s): have SIGALRM raise Interrupt after so long; 0: do not."""

    def raise_it(number, frame):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, raise_it)
    yield lambda s: signal.setitimer(signal.ITIMER_REAL, s)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@POSIX
def test_an_interrupted_wait_loses_nothing(interrupt):
    with Pair(sndwnd=4, rcvwnd=4) as p:
        for call in (p.client.recv, p.peer.recv):
            interrupt(0.05)
            with pytest.raises(Interrupt):
                call(5)
        interrupt(0.2)
        with pytest.raises(Interrupt):
            p.client.sendall(pattern(100000))
        n = p.client.stats.BytesSent
        assert 0 < n < 100000
        assert read_exactly(p.peer, n) == pattern(100000)[:n]
        p.peer.sendall(b"both ways")
        assert read_exactly(p.client, 9) == b"both ways"
        interrupt(0.05)
        p.server.settimeout(None)
        with pytest.raises(Interrupt):
            p.server.accept()


@POSIX
def test_a_signal_handler_that_returns_disturbs_nothing():
    before = signal.signal(signal.SIGALRM, lambda number, frame: None)
    try:
        with Pair() as p:
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            time.sleep(0.05)
            p.client.settimeout(0.3)
            begin = time.monotonic()
            with pytest.raises(TimeoutError):
                p.client.recv(1)
            assert time.monotonic() - begin >= 0.29
            p.client.sendall(b"x")
            assert p.peer.recv(1) == b"x"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@POSIX
def test_an_interrupt_in_the_middle_ends_the_endpoint():
    with Pair() as p:
        session = p.client.session
        send = session.send

        def interrupted(data):
            send(data)
            raise Interrupt

        session.send = interrupted
        with pytest.raises(Interrupt):
            p.client.send(b"half done")
        assert session.state == CLOSED
        for call in (p.client.recv, lambda n: p.client.send(bytes(n))):
            with pytest.raises(ConnectionAbortedError, match="in the middle"):
                call(3)
        with pytest.raises(ConnectionAbortedError, match="bytes were not acknowledged"):
            p.client.close()


@POSIX
def test_an_interrupt_that_nobody_noticed():
    """The first exception's clean-up was interrupted too: the endpoint's thread does it."""
    with Pair() as p:
        with p.client._port.lock:  # (as the interrupted call had it)
            p.client._port._is_inside = True
            with pytest.raises(RuntimeError, match="in the middle"):
                p.client.close()
        until(lambda: p.client.session.state == CLOSED)
        with pytest.raises(ConnectionAbortedError, match="in the middle"):
            p.client.recv(1)


@POSIX
def test_a_signal_handler_must_not_use_what_it_interrupts():
    with Pair() as p:
        session = p.client.session
        send = session.send
        p.peer.sendall(b"something to receive")
        until(lambda: session.readable)

        def handled(data):
            for call in (p.client.recv, p.client.recv_into, p.client.close):
                arguments = {p.client.recv: [1], p.client.recv_into: [bytearray(1)]}.get(call, [])
                assert "signal handler" in str(raised(RuntimeError, call, *arguments))
            return send(data)

        session.send = handled
        p.client.sendall(b"and it goes on")
        assert read_exactly(p.peer, 14) == b"and it goes on"
        assert p.client.recv(9) == b"something"


@POSIX
def test_interrupts_at_any_moment_never_make_wrong_bytes():
    """All goes on as if nothing had been, or the endpoint says that it has ended."""
    code, out, errors, _ = run(
        """
        import random, signal, threading, time
        from blocking_pair import Pair, blocking, pattern

        class Interrupt(BaseException):
            pass

        def interrupt(number, frame):
            raise Interrupt

        signal.signal(signal.SIGALRM, interrupt)
        data = pattern(1 << 22)
        chance = random.Random(3)
        n_interrupts = n_ended = n_right = 0

        def echo(sock):
            try:
                while part := sock.recv(5000):
                    sock.sendall(part)
            except OSError:
                pass

        def exchange(sock, stats):
            global n_right
            while stats.BytesSent < len(data) - 5000:
                sock.sendall(data[stats.BytesSent :][:3000])
                part = sock.recv(3000)
                end = stats.BytesReceived  # (an interrupt may come before we get what was taken)
                assert part == data[end - len(part) : end], (end, len(part))
                n_right += len(part)

        end = time.monotonic() + 5
        while time.monotonic() < end:
            with Pair(mode="fast3") as p:
                threading.Thread(target=echo, args=(p.peer,), daemon=True).start()
                p.client.settimeout(1)
                while p.client.session.error is None and time.monotonic() < end:
                    try:
                        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.001, 0.02))
                        exchange(p.client, p.client.stats)
                        break
                    except Interrupt:
                        n_interrupts += 1
                signal.setitimer(signal.ITIMER_REAL, 0)
                if p.client.session.error is not None:
                    n_ended += 1
                    try:
                        p.client.recv(1)
                    except ConnectionAbortedError as error:
                        assert "in the middle" in str(error)
        assert n_right > 10000 and n_interrupts > 30, (n_right, n_interrupts)
        print("ended", n_ended)
        """,
        timeout_s=60,
    )
    assert (code, errors) == (0, ""), errors
    assert out.startswith("ended")


# exit and fork


def test_at_exit_what_was_sent_still_arrives():
    """A program that ends without close(), over a link that loses a third."""
    server, port = free_listener()
    with server:
        join = in_thread(
            run,
            f"""
            from blocking_pair import blocking, lossy, pattern
            sock = blocking.connect("127.0.0.1", {port}, mode="fast3")
            lossy(sock, 33)
            sock.sendall(pattern(50000))
            """,
        )
        sock, _ = server.accept()
        sock.settimeout(PATIENCE_S)
        assert read_exactly(sock, 50000) == pattern(50000)
        code, out, errors, _ = join()
        assert (code, out, errors) == (0, "", "")
        sock.close()


def test_at_exit_what_does_not_arrive_is_told():
    code, out, errors, seconds = run(
        """
        from blocking_pair import blocking
        import atexit, sys
        server = blocking.listen("127.0.0.1", 0)  # stays open too
        sock = blocking.connect("127.0.0.1", 9, linger_ms=700)
        sock.sendall(bytes(5000))
        print("the end")
        """
    )
    assert (code, out) == (0, "the end\n") and 0.7 <= seconds < 15
    assert (
        errors
        == "kcp: 5000 bytes to ('127.0.0.1', 9) were not acknowledged when the program ended\n"
    )


def test_at_exit_it_is_not_told_of_too_many():
    code, _, errors, _ = run(
        """
        from blocking_pair import blocking
        socks = [blocking.connect("127.0.0.1", 9, linger_ms=100) for _ in range(8)]
        for sock in socks:
            sock.sendall(bytes(100))
        """
    )
    lines = errors.splitlines()
    assert code == 0 and len(lines) == 6 and lines[5] == "kcp: nor 300 bytes to 3 others"


@POSIX
def test_at_exit_after_ctrl_c():
    program = """
    import os, signal, threading
    from blocking_pair import Pair
    p = Pair()
    p.client.sendall(b"x")
    assert p.peer.recv(1) == b"x"
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    p.client.settimeout(None)
    p.client.recv(1)
    """
    code, _, errors, seconds = run(program)
    assert code not in (0, None) and seconds < 15
    assert errors.rstrip().endswith("KeyboardInterrupt") and "acknowledged" not in errors


@POSIX
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_dead_copies():
    with Pair() as p:
        p.client.sendall(b"for the parent")
        select.select([p.peer, p.server], [], [], PATIENCE_S)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    for call in (p.client.recv, p.peer.recv):
                        assert "fork" in str(raised(ConnectionAbortedError, call, 1))
                    assert raised(ConnectionAbortedError, p.client.send, b"x")
                    assert raised(OSError, p.server.accept).errno == errno.EBADF
                    p.server.close()
                    with Pair() as own:  # and can make its own
                        own.client.sendall(b"mine")
                        assert read_exactly(own.peer, 4) == b"mine"
                    code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert read_exactly(p.peer, 14) == b"for the parent"
        p.peer.sendall(b"as if nothing had been")
        assert read_exactly(p.client, 22) == b"as if nothing had been"


def test_no_asyncio_underneath():
    code, out, errors, _ = run(
        """
        import sys
        from kcp import blocking
        server = blocking.listen("127.0.0.1", 0)
        with server, blocking.connect("127.0.0.1", server.getsockname()[1]) as sock:
            sock.sendall(b"x")
            server.accept()[0].close(0)
        print("asyncio" in sys.modules)
        """
    )
    assert (code, out, errors) == (0, "False\n", "")
