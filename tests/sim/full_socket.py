"""T18: a transfer between two endpoints whose UDP sockets fail now and then (ENOMEM, ENOBUFS), as
those of lwIP do, with the real ports around them. In virtual time; both runtimes."""

from kcp.config import Config
from kcp.endpoint import Endpoint, Link
from kcp.session import Session
from kcp_sim.load import pattern
from kcp_sim.rng import Rng

try:
    from kcp._port_upy import UdpPort
except ImportError:
    from kcp._port_cpy import UdpPort

ENOMEM, ENOBUFS = 12, 105
DELAY_MS = 5
CHUNK = 1000


class FailingSocket:
    """What a port uses of a UDP socket; pct of the datagrams are refused."""

    def __init__(self, pct, rng):
        self.pct = pct
        self.n_failed = 0
        self.sent = []
        self._rng = rng

    def getsockname(self):
        return ("127.0.0.1", 1)

    def send(self, data):
        if self._rng.below(100) < self.pct:
            self.n_failed += 1
            raise OSError(ENOMEM if self.n_failed & 1 else ENOBUFS)
        self.sent.append(bytes(data))
        return len(data)

    def write(self, buf, n):
        return self.send(memoryview(buf)[:n])

    def close(self):
        pass


def new_port(sock):
    try:
        return UdpPort(sock, ("127.0.0.1", 2))
    except TypeError:  # MicroPython's
        return UdpPort(sock, ("127.0.0.1", 2), True)


class End:
    """One end: a socket, an endpoint, a session."""

    def __init__(self, pct, rng, config):
        self.sock = FailingSocket(pct, rng)
        session = Session(1, config, lambda view: None, 0)
        self.endpoint = Endpoint(new_port(self.sock), session.buffer_bytes)
        self.session = session
        self.endpoint.attach(Link(self.endpoint, session))
        self.flying = []  # (at_ms, datagram): to this end

    def step(self, now_ms, other):
        while self.flying and self.flying[0][0] <= now_ms:
            data = self.flying.pop(0)[1]
            self.endpoint.rx[: len(data)] = data
            self.endpoint.input(len(data), None, now_ms)
        self.endpoint.turn(now_ms)
        other.flying += [(now_ms + DELAY_MS, data) for data in self.sock.sent]
        self.sock.sent = []


def transfer(n_bytes, pct, seed):
    """n_bytes from one end to the other; {"done_ms", "failed", "drops"}."""
    rng = Rng(seed, 18)
    config = Config(mode="fast3", sndwnd=32, rcvwnd=32)
    a, b = End(pct, rng, config), End(pct, rng, config)
    n_sent = n_got = now_ms = 0
    buf = bytearray(4000)
    while n_got < n_bytes:
        now_ms += 1
        assert now_ms < 600000, (seed, n_got)
        while n_sent < n_bytes:
            n = a.session.send(pattern(n_sent, min(CHUNK, n_bytes - n_sent)))
            if not n:
                break
            n_sent += n
        a.endpoint.kick(next(iter(a.endpoint.links.values())))
        a.step(now_ms, b)
        b.step(now_ms, a)
        n = b.session.recv_into(buf)
        while n:
            assert buf[:n] == pattern(n_got, n), (seed, n_got)
            n_got += n
            n = b.session.recv_into(buf)
    n_failed = a.sock.n_failed + b.sock.n_failed
    n_drops = a.session.stats.OutDrops + b.session.stats.OutDrops
    assert n_drops == n_failed and a.session.error is None is b.session.error
    return {"done_ms": now_ms, "failed": n_failed, "drops": n_drops}
