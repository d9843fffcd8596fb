"""One end of a measurement with the kernel's TCP: kcp_end.py says what the words mean.

    tcp_end.py sink|echo|send|ping HOST PORT WHAT OPTIONS

OPTIONS: JSON: {"cc": "cubic"} chooses the congestion control of what this end sends.
"""

import hashlib
import json
import socket
import sys
import threading
import time

CHUNK_BYTES = 16384
LIMIT_S = 60  # without a sign of life
PROGRESS_S = 0.25
STAGGER_S = 0.005
_lock = threading.Lock()


def report(**fields):
    """Print a line of JSON; those of two threads do not mix."""
    with _lock:
        print(json.dumps(fields), flush=True)


def configure(sock, options):
    """Choose the congestion control; small messages leave at once, as ours do."""
    if "cc" in options:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, options["cc"].encode())
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(LIMIT_S)


def dial(host, port, options):
    sock = socket.socket()
    configure(sock, options)
    sock.connect((host, port))
    return sock


def exactly(sock, n_bytes):
    """Read so many bytes. EOFError if it ends before."""
    data = bytearray()
    while len(data) < n_bytes:
        more = sock.recv(n_bytes - len(data))
        if not more:
            raise EOFError("the other end has closed")
        data += more
    return bytes(data)


class Server:
    """Serves every connection in a thread, as a sink or as an echo."""

    def __init__(self, kind, n_bytes, options):
        self.serve = self.swallow if kind == "sink" else self.echo
        self.n_bytes = n_bytes
        self.options = options
        self.n_received = 0

    def run(self, host, port):
        """Accept for ever; who started this process ends it."""
        listener = socket.create_server((host, port), backlog=128)
        report(event="listening", host=host, port=port)
        threading.Thread(target=self.tell, daemon=True).start()
        while True:
            sock, _address = listener.accept()
            configure(sock, self.options)
            threading.Thread(target=self.one, args=(sock,), daemon=True).start()

    def one(self, sock):
        with sock:
            try:
                self.serve(sock)
            except (OSError, EOFError) as error:
                report(event="gone", error=str(error))

    def swallow(self, sock):
        digest, left = hashlib.sha256(), self.n_bytes
        while left > 0:
            data = sock.recv(CHUNK_BYTES)
            if not data:
                raise EOFError("the other end has closed")
            digest.update(data)
            left -= len(data)
            self.n_received += len(data)
        sock.sendall(digest.digest())

    def echo(self, sock):
        data = sock.recv(CHUNK_BYTES)
        while data:
            sock.sendall(data)
            data = sock.recv(CHUNK_BYTES)

    def tell(self):
        """Say how much has come, for ever."""
        told = -1
        while True:
            if told != self.n_received:
                told = self.n_received
                report(event="progress", bytes=told)
            time.sleep(PROGRESS_S)


def send(host, port, n_bytes, options):
    """Send to a sink; the outcome."""
    digest, chunk, left = hashlib.sha256(), bytes(range(256)) * (CHUNK_BYTES // 256), n_bytes
    begin_s = time.monotonic()
    outcome = {"event": "sent", "bytes": n_bytes}
    try:
        with dial(host, port, options) as sock:
            while left > 0:
                part = chunk[:left]
                digest.update(part)
                sock.sendall(part)
                left -= len(part)
            outcome["ok"] = exactly(sock, 32) == digest.digest()
            # struct tcp_info: after 8 single bytes 24 words of 32 bits, the last: all retransmits
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            outcome["resent"] = int.from_bytes(info[100:104], sys.byteorder)
    except (OSError, EOFError) as error:
        outcome.update({"ok": False, "error": str(error), "left": left})
    outcome["seconds"] = time.monotonic() - begin_s
    return outcome


def client(number, address, n_messages, n_bytes, options, rtts_ms, errors):
    """One client of ping(); its first round trip holds the handshake."""
    message = bytes([number & 255]) * n_bytes
    time.sleep(number * STAGGER_S)
    try:
        begin_s = time.monotonic()
        with dial(*address, options) as sock:
            for _ in range(n_messages):
                sock.sendall(message)
                if exactly(sock, n_bytes) != message:
                    raise ValueError("something else came back")
                rtts_ms.append((time.monotonic() - begin_s) * 1000)
                begin_s = time.monotonic()
    except (OSError, EOFError) as error:
        errors.append(str(error))


def ping(host, port, what, options):
    """Messages there and back; the outcome."""
    n_clients, n_messages, n_bytes = [int(n) for n in what.split("x")]
    rtts_ms, errors = [], []
    begin_s = time.monotonic()
    threads = [
        threading.Thread(
            target=client, args=(i, (host, port), n_messages, n_bytes, options, rtts_ms, errors)
        )
        for i in range(n_clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome = {"event": "pinged", "ok": not errors, "echoed": len(rtts_ms)}
    outcome["seconds"] = time.monotonic() - begin_s
    if errors:
        outcome["error"] = errors[0]
    rtts_ms.sort()
    if rtts_ms:
        n = len(rtts_ms)
        outcome["mean_ms"] = sum(rtts_ms) / n
        outcome["p50_ms"], outcome["p99_ms"] = rtts_ms[n // 2], rtts_ms[n * 99 // 100]
        outcome["max_ms"] = rtts_ms[-1]
    return outcome


def main(kind, host, port, what, options):
    if kind in ("sink", "echo"):
        Server(kind, int(what), options).run(host, port)
    if kind == "send":
        outcome = send(host, port, int(what), options)
    else:
        outcome = ping(host, port, what, options)
    report(**outcome)
    return 0 if outcome["ok"] else 1


if __name__ == "__main__":
    _, kind, host, port, what, options = sys.argv
    sys.exit(main(kind, host, int(port), what, json.loads(options)))
