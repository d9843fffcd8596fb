"""exchange.py with the blocking API: `blocking_exchange.py PORT server|client HOST`."""

import sys

from kcp import blocking

PORT, ROLE, HOST = int(sys.argv[1]), sys.argv[2], sys.argv[3]
DATA = bytes(range(256)) * 400


def read_exactly(sock, n_bytes):
    data = b""
    while len(data) < n_bytes:
        data += sock.recv(n_bytes - len(data))
    return data


def serve():
    with blocking.listen(HOST, PORT, crypt="none") as server:
        print("serving")
        server.settimeout(60)
        sock, _ = server.accept()
        sock.settimeout(60)
        with sock:
            with sock.makefile("rb", 0) as file:
                question = file.readline()
            sock.sendall(b"you said: " + question)
            data = read_exactly(sock, len(DATA))
            sock.sendall(data)
        print("server:", question, data == DATA)


def ask():
    options = {"crypt": "none", "sndwnd": 256, "rcvwnd": 256}
    with blocking.connect(HOST, PORT, probe_ms=20000, timeout=60, **options) as sock:
        sock.sendall(b"how are you?\n")
        with sock.makefile("rb") as file:
            print("client:", file.readline())
            sock.sendall(DATA)  # one thread: the windows take all of it
            print("client:", file.read(len(DATA)) == DATA)


serve() if ROLE == "server" else ask()
