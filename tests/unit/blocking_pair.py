"""Helpers for tests of the blocking API over real sockets, on both runtimes."""

import errno
import os

from loopback import pattern  # noqa: F401  (for the tests)

from kcp import blocking

PATIENCE_S = 30


def free_listener(host="127.0.0.1", **options):
    """A ServerSocket at a free port, and the port (MicroPython cannot ask which one it got)."""
    for _ in range(20):
        port = 20000 + int.from_bytes(os.urandom(2), "little") % 40000
        try:
            server = blocking.listen(host, port, **options)
            server.settimeout(PATIENCE_S)
            return server, port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no free port")


class Pair:
    """A client and the server's socket of the same session; in `with` they are closed."""

    def __init__(self, client_options=None, host="127.0.0.1", **options):
        self.server, self.port = free_listener(host, **options)
        options.update(client_options or {})
        self.client = blocking.connect(
            host, self.port, probe_ms=PATIENCE_S * 1000, timeout=PATIENCE_S, **options
        )
        self.peer, self.address = self.server.accept()
        self.peer.settimeout(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, tb):
        for sock in (self.client, self.peer):
            try:
                sock.close(0)
            except OSError:
                pass
        self.server.close()


def read_exactly(sock, n):
    """n bytes from a socket, or fewer at its end."""
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            break
        data += more
    return data


def raised(kind, function, *arguments, **options):
    """The exception of this kind that a call raises."""
    try:
        result = function(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError("no {} but {!r}".format(kind, result))


def lossy(sock, percent, seed=1):
    """Make this socket's endpoint lose datagrams on sending."""
    port = sock._port
    send = port.send
    state = [seed * 2 + 1]

    def unreliable(buf, n, key):
        state[0] = (state[0] * 1103 + 12345) % 0x1FFFFF
        return 1 if state[0] // 64 % 100 < percent else send(buf, n, key)

    port.send = unreliable
