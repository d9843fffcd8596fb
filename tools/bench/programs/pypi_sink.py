"""A sink over loopback with the raw object of a package from PyPI in a poll loop of our own.

    pypi_sink.py PACKAGE serve PORT BYTES    takes one peer
    pypi_sink.py PACKAGE send PORT BYTES     prints {"value": MB/s, "unit": ...}

Their own network layers are slower by far: this is what their protocol code could do.
"""

import json
import select
import socket
import sys
import time

from pypi_objects import INTERVAL_MS, OBJECTS, WINDOW

HOST = "127.0.0.1"
WRITE_BYTES = 65536
SOCKBUF = 4194304
DRAIN = 64  # datagrams taken before the object may answer
LONGEST_S = 120


class End:
    """A socket and an object, polled."""

    def __init__(self, new):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKBUF)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKBUF)
        self.peer = None
        self.one = new(self._send)
        self.begin_s = time.monotonic()
        self.one.update(0)

    def _send(self, data):
        try:
            self.sock.sendto(data, self.peer)
        except BlockingIOError:
            pass  # lost: it will be sent again

    def turn(self):
        """Take what has come, or wait a moment for it, and answer."""
        if not select.select([self.sock], [], [], INTERVAL_MS / 1000)[0]:
            self._tick()
            return
        for _ in range(DRAIN):
            try:
                data, self.peer = self.sock.recvfrom(2048)
            except BlockingIOError:
                break
            self.one.input(data)
        self._tick()
        self.one.flush()

    def _tick(self):
        passed_s = time.monotonic() - self.begin_s
        if passed_s > LONGEST_S:
            sys.exit("the other end has gone")
        if self.peer:
            self.one.update(int(passed_s * 1000))


def serve(end, n_bytes):
    while n_bytes > 0:
        end.turn()
        while True:
            data = end.one.recv()
            if not data:
                break
            n_bytes -= len(data)
    end.one.send(b"!")
    while True:  # who started this process ends it
        end.turn()


def send(end, n_bytes):
    chunk, left = bytes(WRITE_BYTES), n_bytes
    begin_ns = time.perf_counter_ns()
    while not end.one.recv():
        while left > 0 and end.one.waiting() < WINDOW:
            end.one.send(chunk)
            left -= WRITE_BYTES
        end.turn()
    seconds = (time.perf_counter_ns() - begin_ns) / 1e9
    print(json.dumps({"value": (n_bytes - left) / 1e6 / seconds, "unit": "MB/s"}))


def main(package, role, port, n_bytes):
    end = End(OBJECTS[package])
    if role == "serve":
        end.sock.bind((HOST, port))
        print(json.dumps({"event": "listening", "port": port}), flush=True)
        serve(end, n_bytes)
    else:
        end.peer = (HOST, port)
        send(end, n_bytes)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
