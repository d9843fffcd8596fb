"""An echo server, and a client for it, without asyncio; on MicroPython and on CPython.

    blocking_echo.py serve [PORT]
    blocking_echo.py ask [HOST [PORT]]

The server has one thread for all its clients: it waits in service(), and then asks every socket
whether it has something. On CPython it could as well use `selectors`, or a thread per client.
"""

import sys
from errno import EAGAIN, ETIMEDOUT

from kcp import blocking


def accepted(server):
    """The next session that waits, or None."""
    try:
        return server.accept()[0]
    except OSError as error:
        if error.errno != EAGAIN:
            raise
        return None


def echo(sock):
    """Send back what has come; False once the client does not answer any more."""
    try:
        sock.settimeout(0)
        data = sock.recv(4096)
        sock.settimeout(5)  # a client that takes nothing for so long is given up
        sock.sendall(data)
    except OSError as error:
        if error.errno != EAGAIN:
            print("a client is gone:", error)
            sock.close(0 if error.errno == ETIMEDOUT else None)
            return False
    return True


def serve(port=4000):
    with blocking.listen("0.0.0.0", int(port), crypt="none") as server:
        server.settimeout(0)
        socks = []
        print("listening on port", port)
        while True:
            blocking.service(1000)
            sock = accepted(server)
            while sock is not None:
                socks.append(sock)
                sock = accepted(server)
            socks = [sock for sock in socks if echo(sock)]


def ask(host="127.0.0.1", port=4000):
    # OSError(ETIMEDOUT) if nothing answers
    sock = blocking.connect(host, int(port), crypt="none", probe_ms=3000, timeout=5)
    with sock, sock.makefile("rb") as lines:
        for line in (b"hello\n", b"how are you?\n", b"bye\n"):
            sock.sendall(line)
            print(lines.readline())


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
