"""Many clients of one `Listener`, each over a path of its own, in virtual time."""

from kcp.config import Config
from kcp.listener import Listener
from kcp.session import Session
from kcp_sim.load import pattern
from kcp_sim.net import Net
from kcp_sim.rng import Rng

_rng = Rng(7, 15)


def fill(view):
    for i in range(len(view)):
        view[i] = _rng.below(256)


class Client:
    """Sends `size` bytes and waits for their echo: done_ms."""

    def __init__(self, number, link, seed, config, size):
        self.net = Net((link, link), 1000 * seed + number, -1)
        self.session = Session(number + 1, config, fill, 0)
        self.buf = bytearray(self.session.buffer_bytes)
        self.expected = pattern(number, size)
        self.got = b""
        self.done_ms = -1
        self.session.send(self.expected)

    def take(self, now_ms, listener, key):
        """Hand over what has arrived at either end."""
        net = self.net
        net.now_ms = now_ms
        arrived = net.arrive()
        while arrived:
            direction, data = arrived
            self.buf[: len(data)] = data
            if direction == 0:
                listener.input(self.buf, len(data), key, now_ms)
            else:
                self.session.input(self.buf, len(data), now_ms)
            arrived = net.arrive()

    def pull(self, session, direction, now_ms):
        """Put on the path what a session has to send."""
        n = session.output(self.buf, now_ms)
        while n:
            self.net.send(direction, bytes(memoryview(self.buf)[:n]))
            n = session.output(self.buf, now_ms)

    def read(self, session):
        n = session.recv_into(self.buf)
        data = bytes(memoryview(self.buf)[:n])
        return data + self.read(session) if n else data

    def step(self, now_ms):
        self.pull(self.session, 0, now_ms)
        self.got += self.read(self.session)
        if self.done_ms < 0 and len(self.got) >= len(self.expected):
            assert self.got == self.expected
            self.done_ms = now_ms


def echoes(n_clients, size, link, seed, limit_ms, **options):
    """Every client's time to its echo in ms, -1 where none came within limit_ms."""
    config = Config(**options)
    listener = Listener(config, fill)
    clients = [Client(i, link, seed, config, size) for i in range(n_clients)]
    for now_ms in range(limit_ms):
        for key, client in enumerate(clients):
            if client.done_ms < 0:
                client.take(now_ms, listener, key)
                client.step(now_ms)
        listener.accept()
        for key, session in listener.sessions.items():
            client = clients[key]
            if client.done_ms < 0:
                data = client.read(session)
                if data:
                    assert session.send(data) == len(data)
                client.pull(session, 1, now_ms)
        if all(client.done_ms >= 0 for client in clients):
            break
    assert len(listener.sessions) == n_clients
    return [client.done_ms for client in clients]
