"""Drives the Python session and the C session side by side over a lossy link.

Every datagram, every wait, every counter and every end must be the same. A seed makes all else.
"""

import random

from native_session import NativeSession, reason

from kcp import crypt
from kcp.config import Config
from kcp.session import Session
from kcp.stats import NAMES

M30 = 0x3FFFFFFF
KEY = bytes(range(40, 72))


class Difference(Exception):
    """The twins do not agree."""


def filler():
    """The nonces of the C shim."""
    state = [0]

    def fill(view):
        for i in range(len(view)):
            view[i] = (7 * state[0] + 13 * i) & 0xFF
        state[0] += 1

    return fill


def same(what, one, other):
    """Compare what the Python session and the C session gave; return it."""
    if one != other:
        raise Difference(f"{what}: Python {one!r}, C {other!r}")
    return one


class End:
    """Both twins of one end."""

    def __init__(self, rng, conv, config, now_ms):
        self.rng = rng
        self.config = config
        self.python = Session(conv, config, filler(), now_ms)
        self.native = NativeSession(conv, config, now_ms)
        self.opener = crypt.new(config.crypt, config.key, None)
        self.oob = []
        self.python.on_oob = self.oob.append
        self.buf = bytearray(4000)
        self.sent, self.got = bytearray(), bytearray()

    def input(self, datagram, now_ms):
        self.buf[: len(datagram)] = datagram
        before = len(self.oob)
        python = bool(self.python.input(self.buf, len(datagram), now_ms))
        native = self.native.input(datagram, now_ms)
        came = self.oob[-1] if len(self.oob) > before else None
        same("oob", came, self.native.oob())
        same("input", python or came is not None, native)

    def output(self, now_ms):
        n = self.python.output(self.buf, now_ms)
        python, native = bytes(self.buf[:n]), self.native.output(now_ms)
        if python != native and len(python) == len(native):
            # A CFB context that lives on makes the nonce another one, and all that follows it.
            return same("output", self.opened(python), self.opened(native)) and native
        return same("output", python, native)

    def opened(self, datagram):
        """What a datagram carries."""
        buf, codec = bytearray(datagram) + bytearray(40), self.opener
        off = codec.open(buf, len(datagram))
        if off < 0:
            raise Difference(f"a datagram that cannot be opened: {off}")
        return bytes(buf[off : len(datagram) - codec.tail])

    def timeout(self, now_ms):
        return same("timeout", self.python.timeout(now_ms), self.native.timeout(now_ms))

    def send(self, n):
        data = self.rng.randbytes(n)
        try:
            python = self.python.send(data)
        except (OSError, ValueError):
            python = 0
        taken = same("send", python, max(self.native.send(data), 0))
        self.sent += data[:taken]

    def read(self, n):
        room = bytearray(n)
        taken = self.python.recv_into(room)
        self.got += same("read", bytes(room[:taken]), self.native.recv(n))

    def send_oob(self, n):
        data = self.rng.randbytes(n)
        try:
            python = int(self.python.send_oob(data))
        except ValueError:
            python = -1
        except OSError:
            python = -3
        same("send_oob", python, self.native.send_oob(data))

    def close(self, now_ms):
        linger_ms = self.rng.choice((0, 50, 3000))
        self.python.close(now_ms, linger_ms)
        self.native.close(now_ms, linger_ms)

    def change(self):
        """Change a setting in mid-run."""
        rng = self.rng
        kind = rng.randrange(3)
        if kind == 0:
            self.python.probe()
            self.native.probe()
        elif kind == 1:
            mtu = rng.choice((300, 700, 1400))
            self.python.set(mtu=mtu)
            same("set_mtu", 0, self.native.set_mtu(mtu))
        elif self.config.keepalive_ms and self.config.idle_ms:
            times = rng.choice((2000, 60_000)), rng.choice((100, 900)), rng.choice((3000, 9000))
            self.python.set(dead_ms=times[0], keepalive_ms=times[1], idle_ms=times[2])
            self.native.change(*times)

    def compare(self):
        session = self.python
        encoder = session._encoder
        mine = (
            session.state,
            reason(session),
            session.lost_bytes,
            session.heard,
            session.unacked_bytes,
            session.rtt_ms,
            session.arq.behind,
        )
        state = self.native.state()
        same("state", mine, state[:7])
        if self.config.fec == "auto":
            same("parity", encoder.n_parity_used, state[8])
        if session.arq.pacer is not None:
            same("pacer", session.arq.pacer._bucket.bytes, state[9])
        for name in NAMES:
            same(name, getattr(session.stats, name), self.native.count(name))


def config_of(rng, stream, cipher):
    """Random settings of one end."""
    return Config(
        crypt=cipher,
        key=None if cipher in ("null", "none") else KEY,
        mtu=rng.choice((300, 512, 1400, 1400)),
        mode=rng.choice(("normal", "fast", "fast3")),
        sndwnd=rng.choice((4, 32, 128)),
        rcvwnd=rng.choice((8, 32, 128)),
        cc=rng.choice(("none", "kcp", "rate", "rate")),
        pacing=rng.random() < 0.7,
        stream=stream,
        acknodelay=rng.random() < 0.2,
        write_delay=rng.random() < 0.2,
        fec=rng.choice((None, (10, 3), (2, 1), "auto", "auto")),
        fec_acks=rng.random() < 0.2,
        max_fec_bytes=rng.choice((3000, 1 << 20)),
        dead_ms=rng.choice((2000, 60_000)),
        keepalive_ms=rng.choice((0, 0, 300)),
        idle_ms=rng.choice((0, 0, 5000)),
        linger_ms=3000,
    )


def damaged(rng, datagram):
    """The datagram with a byte changed, or cut short."""
    data = bytearray(datagram)
    if rng.random() < 0.7:
        data[rng.randrange(min(len(data), 80))] = rng.randrange(256)
    else:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


class Run:
    """One conversation."""

    def __init__(self, seed, crypts):
        rng = self.rng = random.Random(seed)
        self.now = rng.choice((0, 5000, M30 - 3000, rng.randrange(M30)))
        stream, conv, cipher = rng.random() < 0.7, rng.getrandbits(32), rng.choice(crypts)
        self.ends = [
            End(rng, conv, config_of(rng, stream, cipher), self.clock()) for _ in range(2)
        ]
        self.loss = rng.choice((0, 0.02, 0.1, 0.3))
        self.delay_ms, self.jitter_ms = rng.choice((1, 15, 100)), rng.choice((0, 0, 5, 40))
        self.damage = rng.choice((0, 0, 0.02))
        self.send_rate = rng.choice((0.02, 0.2))
        self.change_rate = rng.choice((0, 0.02))
        self.close_rate = rng.choice((0, 0, 0.002))
        self.is_cut = False
        self.cut_rate = rng.choice((0, 0, 0.01))
        self.queue = []
        self.n_datagrams = 0

    def clock(self):
        return self.now & M30

    def pull(self, i):
        """Have an end send what is due."""
        rng, end = self.rng, self.ends[i]
        while True:
            datagram = end.output(self.clock())
            if not datagram:
                return
            self.n_datagrams += 1
            if self.is_cut or rng.random() < self.loss:
                continue
            wait = self.delay_ms + rng.randrange(self.jitter_ms + 1)
            if rng.random() < self.damage:
                datagram = damaged(rng, datagram)
            self.queue.append((self.now + wait, self.n_datagrams, 1 - i, datagram))

    def step(self):
        """Some random acts, then on to the next moment at which something happens."""
        rng = self.rng
        if rng.random() < self.cut_rate:
            self.is_cut = not self.is_cut
        for i, end in enumerate(self.ends):
            if rng.random() < self.send_rate:
                end.send(rng.choice((1, 40, 900, 5000, 20000)))
            if rng.random() < 0.02:
                end.send_oob(rng.choice((0, 1, 100, 250, 1500)))
            if rng.random() < 0.5:
                end.read(rng.choice((50, 30000)))
            if rng.random() < self.change_rate:
                end.change()
            if rng.random() < self.close_rate:
                end.close(self.clock())
            self.pull(i)
        waits = [end.timeout(self.clock()) for end in self.ends]
        waits = [wait for wait in waits if wait >= 0]
        waits += [max(when - self.now, 0) for when, *_ in self.queue]
        self.now += min(min(waits, default=50), rng.choice((1, 5, 50, 400)))
        self.queue.sort()
        while self.queue and self.queue[0][0] <= self.now:
            _, _, i, datagram = self.queue.pop(0)
            self.ends[i].input(datagram, self.clock())
        for end in self.ends:
            end.compare()

    def free(self):
        """Give all memory back: Difference if some is lost."""
        for end in self.ends:
            same("memory lost", 0, end.native.free())


def run(seed, n_steps, crypts=("null", "none", "aes-128", "aes-128-gcm")):
    """Run one conversation; (datagrams that both twins agreed on, how the ends have ended)."""
    one = Run(seed, crypts)
    try:
        for _ in range(n_steps):
            one.step()
        reasons = {reason(end.python) for end in one.ends}
        if not one.damage:
            for i in range(2):
                got = one.ends[i].got
                if one.ends[1 - i].sent[: len(got)] != got:
                    raise Difference("what was received is not what was sent")
        one.free()
    except Difference as difference:
        raise Difference(f"seed={seed} now={one.now}: {difference}") from None
    return one.n_datagrams, reasons
