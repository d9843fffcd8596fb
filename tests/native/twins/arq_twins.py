"""Drives the Python ARQ and the C ARQ side by side over a lossy link.

Every datagram, every wait and every number must be the same. A seed makes everything else.
"""

import random

from native_arq import NativeArq

from kcp.arq import Arq
from kcp.stats import NAMES

M30 = 0x3FFFFFFF
NUMBERS = (
    "rmt_wnd",
    "rx_srtt",
    "rx_rttvar",
    "rx_rto",
    "probe",
    "behind",
    "snd_bytes",
    "n_flight",
    "idle",
    "readable",
)


class Difference(Exception):
    """The twins do not agree."""


class Budget:
    """What all sessions of an endpoint may hold."""

    def __init__(self, limit_bytes):
        self.used_bytes, self.limit_bytes = 0, limit_bytes


class End:
    """Both twins of one end."""

    def __init__(self, rng, conv, settings, cc, pacing, pct, now_ms, budget_bytes):
        self.rng = rng
        budget = Budget(budget_bytes) if budget_bytes else None
        self.python = Arq(conv, budget=budget, **settings)
        self.native = NativeArq(conv, budget_bytes=budget_bytes, **settings)
        self.python.doubts = True
        self.native.doubt()
        self.twins = (self.python, self.native)
        self.stream = settings["stream"]
        self.room = bytearray(4000)
        self.both("set_cc", cc, pacing, pct)
        self.both("set_phase", now_ms)
        self.sent, self.got = bytearray(), bytearray()

    def both(self, name, *values):
        one, other = [getattr(twin, name)(*values) for twin in self.twins]
        if one != other:
            raise Difference(f"{name}{values}: Python {one}, C {other}")
        return one

    def compare(self):
        for name in NUMBERS:
            one, other = getattr(self.python, name), getattr(self.native, name)
            if one != other:
                raise Difference(f"{name}: Python {one}, C {other}")
        for name in ("snd_una", "snd_nxt", "rcv_nxt"):
            one, other = getattr(self.python, name) & 0xFFFFFFFF, getattr(self.native, name)
            if one != other:
                raise Difference(f"{name}: Python {one}, C {other}")
        if self.python.cc is not None and self.python.cc.rate != self.native.rate:
            raise Difference(f"rate: Python {self.python.cc.rate}, C {self.native.rate}")
        for name in NAMES:
            one, other = getattr(self.python.stats, name), getattr(self.native.stats, name)
            if one != other:
                raise Difference(f"{name}: Python {one}, C {other}")

    def input(self, datagram, now_ms, regular):
        data = bytearray(datagram)
        one = self.python.input(data, 0, len(data), now_ms, regular)
        other = self.native.input(data, 0, len(data), now_ms, regular)
        if one != other:
            raise Difference(f"input: Python {one}, C {other}")

    def output(self, now_ms):
        """The next datagram, or None."""
        found = []
        for twin in self.twins:
            n = twin.output(self.room, 0, now_ms)
            found.append(bytes(self.room[:n]))
        if found[0] != found[1]:
            raise Difference(f"Python: {found[0].hex()}\nC:      {found[1].hex()}")
        return found[0] or None

    def send(self, n):
        data = self.rng.randbytes(n)
        results = []
        for twin in self.twins:
            try:
                results.append(twin.queue(data))
            except ValueError:
                results.append(0)
        if results[0] != results[1]:
            raise Difference(f"queue: Python {results[0]}, C {results[1]}")
        self.sent += data[: results[0]]

    def read(self, n):
        if self.stream:
            found = []
            for twin in self.twins:
                size = twin.read_into(self.room)
                found.append(bytes(self.room[:size]))
            if found[0] != found[1]:
                raise Difference(f"read: Python {found[0]!r}, C {found[1]!r}")
            self.got += found[0]
            return
        results = []
        for twin in self.twins:
            buf = bytearray(n)
            results.append((twin.recv_into(buf), bytes(buf)))
        if results[0] != results[1]:
            raise Difference(f"recv: {results}")
        if results[0][0] > 0:
            self.got += results[0][1][: results[0][0]]

    def change(self):
        """Change a setting in mid-run."""
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            self.both("set_wndsize", rng.randrange(1, 200), rng.randrange(1, 200))
            self.both("tell_window")
        elif kind == 1:
            self.both(
                "set_nodelay", rng.randrange(-1, 2), rng.choice((-1, 10, 40)), rng.randrange(3)
            )
        elif kind == 2:
            self.both("set_mtu", rng.choice((100, 500, 1400)))
        elif kind == 3:
            self.both("set_cc", rng.choice(("none", "kcp", "rate")), rng.random() < 0.7, 100)
        else:
            self.both("let_acks_pass")


def settings_of(rng, stream):
    """Random settings of one end."""
    return {
        "mtu": rng.choice((60, 512, 1400, 1400)),
        "snd_wnd": rng.choice((1, 4, 32, 128)),
        "rcv_wnd": rng.choice((1, 8, 32, 128)),
        "nodelay": rng.randrange(3),
        "interval_ms": rng.choice((10, 20, 40, 100)),
        "resend": rng.randrange(3),
        "nc": 1,
        "stream": stream,
        "ack_nodelay": rng.random() < 0.3,
        "max_queue": rng.choice((8, 64, 300)),
    }


def damaged(rng, datagram):
    """The datagram with some bytes of its heads changed, cut short, or as it is."""
    data = bytearray(datagram)
    if rng.random() < 0.5:
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(min(len(data), 72))] = rng.randrange(256)
    else:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


class Run:
    """One conversation. hostile: some datagrams are damaged in ways that no checksum noticed."""

    def __init__(self, seed, hostile=False):
        rng = self.rng = random.Random(seed)
        self.hostile = hostile
        self.now = rng.choice((0, 5000, M30 - 3000, rng.randrange(M30)))
        stream = rng.random() < 0.6
        conv = rng.getrandbits(32)
        first = [rng.choice((0, 0, 0xFFFFFFF0, 0x7FFFFFF8, 0x3FFFFFF8)) for _ in range(2)]
        cc = rng.choice(("none", "kcp", "rate", "rate"))
        self.ends = []
        for i in range(2):
            numbers = {"snd_sn": first[i], "rcv_sn": first[1 - i]}
            self.ends.append(
                End(
                    rng,
                    conv,
                    {**settings_of(rng, stream), **numbers},
                    cc,
                    rng.random() < 0.7,
                    rng.choice((100, 76)),
                    self.clock(),
                    rng.choice((0, 0, 4000)),
                )
            )
        self.loss = rng.choice((0, 0, 0.02, 0.1, 0.3))
        self.delay_ms, self.jitter_ms = rng.choice((1, 15, 100)), rng.choice((0, 0, 5, 40))
        self.change_rate = rng.choice((0, 0, 0.02))
        self.fec_rate = rng.choice((0, 0.1))
        self.queue = []  # (when, order, to whom, datagram, regular)
        self.n_datagrams = 0

    def clock(self):
        return self.now & M30

    def pull(self, i):
        """Have an end send what is due."""
        rng, end, now = self.rng, self.ends[i], self.clock()
        end.both("tick", now)
        while True:
            datagram = end.output(now)
            if datagram is None:
                return
            self.n_datagrams += 1
            for _ in range(2 if rng.random() < 0.02 else 1):
                if rng.random() < self.loss:
                    continue
                wait = self.delay_ms + rng.randrange(self.jitter_ms + 1)
                if self.hostile and rng.random() < 0.02:
                    datagram = damaged(rng, datagram)
                regular = rng.random() >= self.fec_rate
                self.queue.append((self.now + wait, self.n_datagrams, 1 - i, datagram, regular))

    def step(self):
        """Some random acts, then on to the next moment at which something happens."""
        rng = self.rng
        for i, end in enumerate(self.ends):
            if rng.random() < 0.2:
                end.send(rng.choice((1, 40, 900, 5000, 20000)))
                if rng.random() < 0.7:
                    end.both("flush")
            if rng.random() < 0.5:
                end.read(rng.choice((50, 30000)))
            if rng.random() < self.change_rate:
                end.change()
            self.pull(i)
        waits = [end.both("timeout", self.clock()) for end in self.ends]
        waits = [wait for wait in waits if wait >= 0]
        waits += [max(when - self.now, 0) for when, *_ in self.queue]
        self.now += min(min(waits, default=50), rng.choice((1, 5, 50)))
        self.deliver()
        for end in self.ends:
            end.compare()

    def deliver(self):
        self.queue.sort()
        while self.queue and self.queue[0][0] <= self.now:
            _, _, i, datagram, regular = self.queue.pop(0)
            self.ends[i].input(datagram, self.clock(), regular)

    def free(self):
        """Give all memory back: Difference if some is lost."""
        for end in self.ends:
            lost = end.native.free()
            if lost:
                raise Difference(f"{lost} bytes of memory are lost")


def run(seed, n_steps, hostile=False):
    """Run one conversation; the number of datagrams that both twins agreed on."""
    one = Run(seed, hostile)
    try:
        for _ in range(n_steps):
            one.step()
        if not hostile:
            for i in range(2):
                got = one.ends[i].got
                if one.ends[1 - i].sent[: len(got)] != got:
                    raise Difference("what was received is not what was sent")
        one.free()
    except Difference as difference:
        raise Difference(f"seed={seed} hostile={hostile} now={one.now}: {difference}") from None
    return one.n_datagrams
