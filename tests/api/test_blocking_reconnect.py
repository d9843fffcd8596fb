"""The reconnecting client for programs with threads: CPython only. What it does by itself is
tested with the asyncio one: unit/test_reconnect*.py."""

import errno
import os
import threading

import pytest
from blocking_support import in_thread, run, until
from test_blocking_threads import free_listener

from kcp import blocking
from kcp.blocking import ReconnectingClient

PATIENCE_S = 30
FAST = {"mode": "fast3", "first_ms": 2, "max_ms": 20, "probe_ms": 1000, "dead_ms": 300}


class Server:
    """Collects the lines of every session, and answers "who" by "me"; can be killed."""

    def __init__(self):
        self.lines = []
        self.socks = []
        self.listener, self.port = free_listener()
        self._taking = in_thread(self._take)

    def _take(self):
        joins = []
        try:
            while True:
                sock, _ = self.listener.accept()
                self.socks.append(sock)
                joins.append(in_thread(self._serve, sock))
        except OSError:
            pass
        for join in joins:
            join()

    def _serve(self, sock):
        rest = b""
        try:
            while data := sock.recv(1000):
                *lines, rest = (rest + data).split(b"\n")
                self.lines += lines
                for _ in range(lines.count(b"who")):
                    sock.sendall(b"me\n")
        except OSError:
            pass

    def kill(self):
        """End without a word: whoever is connected has to notice."""
        self.listener.close()
        for sock in self.socks:
            try:
                sock.close(0)
            except OSError:
                pass
        self._taking()

    def restart(self):
        self.listener = blocking.listen("127.0.0.1", self.port)
        self._taking = in_thread(self._take)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, tb):
        self.kill()


def threads():
    return [one for one in threading.enumerate() if one.name == "kcp reconnecting"]


def test_threads_write_and_read_while_the_server_goes_and_comes():
    downs = []
    options = {"on_down": lambda client, error, lost: downs.append(str(error)), "limit_records": 8}
    with Server() as server, ReconnectingClient("127.0.0.1", server.port, **FAST, **options) as c:

        def write(me):
            for n in range(100):
                c.send(b"%d %d\n" % (me, n), PATIENCE_S)

        writing = [in_thread(write, me) for me in range(3)]
        reading = in_thread(c.readline, PATIENCE_S)
        until(lambda: len(server.lines) > 30)
        server.kill()
        c.wait_down(PATIENCE_S)
        server.restart()
        c.wait_up(PATIENCE_S)
        for join in writing:
            join()
        c.flush(PATIENCE_S)
        assert c.n_sessions >= 2 and c.n_unacked == 0 and len(downs) >= 1
        until(lambda: len(set(server.lines)) == 300)
        assert c.write(b"who\n") is True
        assert reading() == b"me\n"
    assert not threads()


def test_timeouts_lose_nothing():
    with Server() as server:
        client = ReconnectingClient("127.0.0.1", server.port, limit_records=1, **FAST)
        for call in (client.readline, client.flush, client.wait_up):
            if call == client.flush:
                client.write(b"who\n")
            with pytest.raises(TimeoutError, match="timed out"):
                call(timeout=0.02)
        with pytest.raises(TimeoutError):
            client.send(b"too many\n", 0.02)
        with pytest.raises(OSError) as caught:
            client.write(b"too many\n")
        assert caught.value.errno == errno.ENOBUFS
        client.start()
        assert client.readline(PATIENCE_S) == b"me\n"
        client.flush(PATIENCE_S)
        client.close()
        assert server.lines == [b"who"]
        client.close()
        with pytest.raises(OSError, match="closed"):
            client.write(b"x")


def test_close_ends_the_calls_of_other_threads_and_says_what_was_lost():
    client = ReconnectingClient("127.0.0.1", 9, **FAST)
    client.start()
    client.write(b"x\n")
    reading, flushing = in_thread(client.read), in_thread(client.flush)
    closing = [in_thread(client.close, 100) for _ in range(2)]
    errors = []
    for join in closing:
        try:
            join()
        except OSError as error:
            errors.append(str(error))
    assert len(errors) == 1 and "1 records were not acknowledged" in errors[0]
    assert reading() == b""
    with pytest.raises(OSError, match="the client was closed"):
        flushing()
    assert not threads()


def test_hooks_may_write_and_await_but_not_wait():
    errors = []

    async def on_session(async_client, stream):
        stream.write(b"who\n")
        assert await stream.readline() == b"me\n"
        client.write(b"from a hook\n")
        for call in (client.flush, client.close):
            try:
                call()
            except RuntimeError as error:
                errors.append(str(error))

    with Server() as server:
        client = ReconnectingClient("127.0.0.1", server.port, on_session=on_session, **FAST)
        with client:
            until(lambda: server.lines == [b"who", b"from a hook"])
            client.flush(PATIENCE_S)
    assert len(errors) == 2 and "hook cannot wait" in errors[0]


def test_what_is_wrong_raises_at_once_and_leaves_no_thread():
    with pytest.raises(ValueError, match="host"):
        ReconnectingClient()
    assert not threads()
    with ReconnectingClient("127.0.0.1", 9) as client, pytest.raises(AttributeError):
        client.up  # noqa: B018


def test_at_exit_it_says_what_was_not_acknowledged():
    program = """
        from kcp.blocking import ReconnectingClient
        client = ReconnectingClient("127.0.0.1", 9, first_ms=5)
        client.close = lambda close=client.close: close(100)
        client.start()
        client.write(b"x")
    """
    code, out, err, _ = run(program)
    assert code == 0 and out == ""
    assert err == "kcp: when the program ended, 1 records were not acknowledged\n"


def test_a_child_after_fork_is_refused():
    with ReconnectingClient("127.0.0.1", 9) as client:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                client.write(b"x")
            except OSError as error:
                code = 0 if error.errno == errno.ECONNABORTED else 2
            os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0
