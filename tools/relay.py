#!/usr/bin/env python3
"""A UDP relay that loses and delays datagrams on purpose, for loopback tests and the demo.

    client  <-->  relay  <-->  target          up = towards the target, down = back to the client

One seed gives one pattern of losses: each direction draws one number per datagram from its own
generator, in order of arrival, so that `--loss 10 --seed 1` loses the same datagrams of the same
traffic every time. Jitter is drawn elsewhere and does not disturb the losses; it may reorder.

Everything has a limit: datagrams waiting (`queue_limit`, further ones are dropped and counted)
and clients remembered (`max_clients`, the one silent for longest is forgotten).

Run it by hand (prints one JSON line with its address, counters as JSON at the end):

    python tools/relay.py --target 127.0.0.1:4000 --loss 10 --delay 30
"""

import argparse
import heapq
import json
import random
import selectors
import signal
import socket
import sys
import threading
import time

_BUFFER_BYTES = 65536
_SOCKBUF_BYTES = 4 * 1024 * 1024
_BATCH = 256  # datagrams taken from one socket before the others, and the clock, have a turn


class Lane:
    """One direction: its losses, its delays and its counters."""

    def __init__(self, loss, delay_ms, jitter_ms, seed):
        if not 0 <= loss <= 1:
            raise ValueError(f"loss is a fraction from 0 to 1, not {loss!r}: for 10 % give 0.1")
        if delay_ms < 0 or jitter_ms < 0:
            raise ValueError("delay_ms and jitter_ms cannot be negative")
        self.loss = loss
        self.delay_s = delay_ms / 1000
        self.jitter_s = jitter_ms / 1000
        self._losses = random.Random(f"loss {seed}")
        self._jitters = random.Random(f"jitter {seed}")
        self.counters = dict.fromkeys(
            ("received", "received_bytes", "lost", "queue_full", "send_errors", "delivered"), 0
        )

    def due(self, n_bytes, now_s):
        """When a datagram that arrives now is to be passed on; None = lost."""
        self.counters["received"] += 1
        self.counters["received_bytes"] += n_bytes
        if self._losses.random() < self.loss:
            self.counters["lost"] += 1
            return None
        due_s = now_s + self.delay_s
        return due_s + self._jitters.uniform(0, self.jitter_s) if self.jitter_s else due_s


class Relay:
    """Passes datagrams between any number of clients and one target, in a thread of its own.

    target, listen: (host, port); port 0 = the system chooses, see `.port` afterwards.
    loss, loss_down: fraction lost towards the target and on the way back (default: the same).
    delay_ms, jitter_ms: each datagram waits delay_ms plus 0..jitter_ms, in each direction.
    Raises ValueError for numbers that make no sense, OSError if the address cannot be used.
    """

    def __init__(self, target, listen=("127.0.0.1", 0), *, loss=0.0, loss_down=None, delay_ms=0,
                 jitter_ms=0, seed=1, queue_limit=8192, max_clients=256):  # fmt: skip
        loss_down = loss if loss_down is None else loss_down
        self.up = Lane(loss, delay_ms, jitter_ms, f"up {seed}")
        self.down = Lane(loss_down, delay_ms, jitter_ms, f"down {seed}")
        self.queue_limit = queue_limit
        self.max_clients = max_clients
        self.clients_forgotten = 0
        self._target = _resolve(target)
        self._clients = {}  # client's address -> socket connected to the target; oldest first
        self._queue = []  # heap of (due_s, serial, socket, data, address or None, lane)
        self._serial = 0
        self._selector = selectors.DefaultSelector()
        self._front = _open_socket(*_resolve(listen), connect=False)
        self._wake_out, self._wake_in = socket.socketpair()
        self._selector.register(self._front, selectors.EVENT_READ, None)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self.host, self.port = self._front.getsockname()[:2]
        self._stopping = False
        self._thread = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def start(self):
        """Run in a thread until stop()."""
        self._thread = threading.Thread(target=self.run, name="relay", daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """End the relay; what still waits is dropped. Returns the counters. Twice is harmless."""
        self.request_stop()
        if self._thread is None:
            self._close()
        else:
            self._thread.join()
        return self.counters()

    def request_stop(self, *_signal_and_frame):
        """Let run() return soon. Fit for a signal handler."""
        self._stopping = True
        try:
            self._wake_out.send(b"x")
        except OSError:  # it has ended already
            pass

    def counters(self):
        """Datagrams and bytes per direction, losses, drops, clients: a dict fit for JSON."""
        return {
            "up": dict(self.up.counters),
            "down": dict(self.down.counters),
            "clients": len(self._clients),
            "clients_forgotten": self.clients_forgotten,
        }

    def run(self, seconds=None):
        """Work in the calling thread until stop() or for so many seconds."""
        end_s = None if seconds is None else time.monotonic() + seconds
        try:
            while not self._stopping and (end_s is None or time.monotonic() < end_s):
                for key, _mask in self._selector.select(self._wait_s(end_s)):
                    self._receive(key.fileobj, key.data)
                self._deliver(time.monotonic())
        finally:
            self._close()

    def _wait_s(self, end_s):
        times = [t for t in (end_s, self._queue[0][0] if self._queue else None) if t is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _receive(self, sock, client):
        """Take what a socket has. client: whose answers these are; None = the front."""
        if sock is self._wake_in:
            return
        for _ in range(_BATCH):
            try:
                data, address = sock.recvfrom(_BUFFER_BYTES)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error about an earlier datagram: nobody listens there (yet)
                self.up.counters["send_errors"] += 1
                return
            if client is None:
                back = self._clients.get(address) or self._remember(address)
                self._clients[address] = self._clients.pop(address)  # now the youngest
                self._enqueue(self.up, back, data, None)
            else:
                self._enqueue(self.down, self._front, data, client)

    def _remember(self, address):
        if len(self._clients) >= self.max_clients:
            oldest = next(iter(self._clients))
            self._forget(oldest)
            self.clients_forgotten += 1
        back = _open_socket(*self._target, connect=True)
        self._selector.register(back, selectors.EVENT_READ, address)
        self._clients[address] = back
        return back

    def _forget(self, address):
        back = self._clients.pop(address)
        self._selector.unregister(back)
        back.close()

    def _enqueue(self, lane, sock, data, address):
        due_s = lane.due(len(data), time.monotonic())
        if due_s is None:
            return
        if len(self._queue) >= self.queue_limit:
            lane.counters["queue_full"] += 1
            return
        self._serial += 1  # equal times keep their order, and sockets are never compared
        heapq.heappush(self._queue, (due_s, self._serial, sock, data, address, lane))

    def _deliver(self, now_s):
        while self._queue and self._queue[0][0] <= now_s:
            _due_s, _serial, sock, data, address, lane = heapq.heappop(self._queue)
            try:
                sock.send(data) if address is None else sock.sendto(data, address)
            except OSError:  # full buffer, refused, or a client that was forgotten: a loss
                lane.counters["send_errors"] += 1
            else:
                lane.counters["delivered"] += 1

    def _close(self):
        self._selector.close()
        for sock in (self._front, self._wake_in, self._wake_out, *self._clients.values()):
            sock.close()
        self._queue.clear()


def _resolve(address):
    """(host, port) -> (family, sockaddr)."""
    family, _type, _proto, _name, sockaddr = socket.getaddrinfo(
        address[0], address[1], type=socket.SOCK_DGRAM
    )[0]
    return family, sockaddr


def _open_socket(family, sockaddr, connect):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # the system caps what it does not allow
        sock.setsockopt(socket.SOL_SOCKET, option, _SOCKBUF_BYTES)
    try:
        sock.connect(sockaddr) if connect else sock.bind(sockaddr)
    except OSError:
        sock.close()
        raise
    return sock


def _host_port(text):
    host, _colon, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, for example 127.0.0.1:4000")
    return host.strip("[]"), int(port)


def _arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", type=_host_port, required=True, metavar="HOST:PORT")
    parser.add_argument("--listen", type=_host_port, default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--loss", type=float, default=0, metavar="PERCENT", help="each way")
    parser.add_argument("--loss-down", type=float, metavar="PERCENT", help="on the way back only")
    parser.add_argument("--delay", type=float, default=0, metavar="MS", help="each way")
    parser.add_argument("--jitter", type=float, default=0, metavar="MS", help="0..MS on top")
    parser.add_argument("--seed", type=int, default=1, help="one seed, one pattern of losses")
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    return parser.parse_args(argv)


def main(argv=None):
    """Run the relay in the foreground until interrupted; counters as JSON on stdout."""
    args = _arguments(argv)
    loss_down = None if args.loss_down is None else args.loss_down / 100
    try:
        relay = Relay(args.target, args.listen, loss=args.loss / 100, loss_down=loss_down,
                      delay_ms=args.delay, jitter_ms=args.jitter, seed=args.seed)  # fmt: skip
    except (OSError, ValueError) as error:
        sys.exit(f"relay: {error}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, relay.request_stop)
    host = f"[{relay.host}]" if ":" in relay.host else relay.host
    print(json.dumps({"listen": f"{host}:{relay.port}"}), flush=True)
    relay.run(args.seconds)
    print(json.dumps(relay.counters()), flush=True)


if __name__ == "__main__":
    main()
