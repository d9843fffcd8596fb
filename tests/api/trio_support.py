"""Pairs of trio streams over links in memory, in trio's virtual time."""

import random

import trio
import trio.testing

import kcp_trio
from kcp.carrier import Carrier

#: A session whose peer has gone without a word is over after 25 seconds.
OPTIONS = {"mode": "fast3", "dead_ms": 20000, "keepalive_ms": 5000, "sndwnd": 64, "rcvwnd": 64}

BYTES = bytes(range(256)) * 1200


class Wire(Carrier):
    """One end of a link with a delay that loses `loss` of the datagrams. It is told by trio."""

    poll_ms = 0

    def __init__(self, delay_s=0.0, loss=0.0, seed=1):
        self.peer = None
        self._delay_s = delay_s
        self._loss = loss
        self._random = random.Random(seed)
        self._queue = []
        self.n_lost = 0

    def send(self, buf, n, key=None):
        if self._random.random() < self._loss:
            self.n_lost += 1
            return n
        self.peer._queue.append((trio.current_time() + self._delay_s, bytes(buf[:n])))
        trio.lowlevel.spawn_system_task(self.peer._tell)
        return n

    async def _tell(self):
        await trio.sleep(self._delay_s)
        if self.on_ready is not None:
            self.on_ready()

    def recv_into(self, buf):
        if not self._queue or self._queue[0][0] > trio.current_time():
            return 0
        data = self._queue.pop(0)[1]
        buf[: len(data)] = data
        return len(data)


def wires(**options):
    """Return the two ends of a link."""
    a, b = Wire(**options), Wire(**options)
    a.peer, b.peer = b, a
    return a, b


async def pair(wire=None, **options):
    """Return (client, server): two streams with a session between them."""
    a, b = wires(**(wire or {}))
    options = {**OPTIONS, **options}
    listener = await kcp_trio.open_listener(carrier=b, **options)
    client = await kcp_trio.open_stream(carrier=a, probe_ms=5000, **options)
    server = await listener.accept()
    await listener.aclose()
    return client, server


async def clogged(**options):
    """The same, with both ways full."""
    both = await pair(**options)
    for stream in both:
        while stream.session.snd_room_bytes:
            with trio.move_on_after(10):  # time for what is under way to be acknowledged
                await stream.send_all(bytes(1000000))
    return both


def run(function, *arguments):
    """Run an async function in virtual time, for at most an hour of it; return what it returns."""

    async def limited():
        with trio.fail_after(3600):
            return await function(*arguments)

    return trio.run(limited, clock=trio.testing.MockClock(autojump_threshold=0))


async def receive(stream, n):
    data = bytearray()
    while len(data) < n:
        data += await stream.receive_some()
    return bytes(data)
