"""The blocking API: an exchange in one thread, files, timeouts, misuse, data that is lost."""

import binascii
import errno
import hashlib
import sys

import kcp
from kcp import blocking

PORT = int(sys.argv[1])
NAMES = {32: "EPIPE", 95: "EOPNOTSUPP"}  # which the runtimes call otherwise, or nothing
OPTIONS = {"sndwnd": 16, "rcvwnd": 16, "mode": "fast3", "crypt": "none"}


def kind(error):
    """What a portable program can tell about an exception."""
    for known in (EOFError, RuntimeError, ValueError, TypeError, OSError):
        if isinstance(error, known):
            number = error.errno if known is OSError else None
            return known.__name__, NAMES.get(number) or errno.errorcode.get(number, number)
    return ("other", repr(error))


def report(what, call, *arguments, **options):
    try:
        print(what, call(*arguments, **options))
    except Exception as error:
        print(what, kind(error))


def pump(sender, receiver, n_bytes):
    """Send and receive in turns, without waiting; return the SHA-256 of what came."""
    digest = hashlib.sha256()
    n_sent = n_got = 0
    sender.settimeout(0)
    receiver.settimeout(0)
    while n_got < n_bytes:
        try:
            n_sent += sender.send(bytes([n_sent & 0xFF]) * min(1000, n_bytes - n_sent))
        except OSError as error:
            assert error.errno == errno.EAGAIN
        try:
            data = receiver.recv(5000)
            n_got += len(data)
            digest.update(data)
        except OSError as error:
            assert error.errno == errno.EAGAIN
            blocking.service(5)
    sender.settimeout(None)
    receiver.settimeout(None)
    return n_got, len(binascii.hexlify(digest.digest()))


report("no answer:", blocking.connect, "127.0.0.1", PORT, probe_ms=200)
report("bad option:", blocking.connect, "127.0.0.1", PORT, color="red")
report("bad mtu:", kcp.blocking.listen, "127.0.0.1", PORT, mtu=3)

with blocking.listen("127.0.0.1", PORT, **OPTIONS) as server:
    report("port in use:", blocking.listen, "127.0.0.1", PORT)
    server.settimeout(0.05)
    report("nobody:", server.accept)
    server.settimeout(30)
    with blocking.connect("127.0.0.1", PORT, probe_ms=20000, **OPTIONS) as client:
        peer, address = server.accept()
        print("address:", address[0], client.getpeername() == ("127.0.0.1", PORT))
        print("sent:", client.send(b"hello\nyou\n"), client.sendall(b"there"))
        file = peer.makefile("rb")
        print("lines:", file.readline(), file.readline(), file.read(5))
        file.close()
        print("pumped:", pump(client, peer, 200000))
        print("and back:", pump(peer, client, 50000))
        client.settimeout(0.02)
        report("nothing:", client.recv, 1)
        client.setblocking(False)
        report("nothing yet:", client.recv_into, bytearray(1))
        report("text:", client.send, "text")
        report("half:", client.shutdown, 1)
        client.setblocking(True)
        report("too small:", client.recv_into, bytearray(1), 2)
        print("timeouts:", client.gettimeout(), peer.gettimeout(), server.gettimeout())
        client.sendall(b"last words")
        while peer.session.readable < 10:
            blocking.service(5)
        peer.close()
        print("after close:", peer.recv(4), peer.recv(100), peer.recv(100))
        report("too late:", peer.sendall, b"x")
        peer.close()
        client.set(linger_ms=100)
        client.sendall(b"nobody takes this")
        report("not acknowledged:", client.close, 100)
        report("closed:", client.send, b"x")
report("no listener:", server.accept)
print("done")
