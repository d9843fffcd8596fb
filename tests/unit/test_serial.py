"""Frames on a serial line: both framings against every cut, garbage and partial writes."""

# upy: heapsize=8m

import asyncio
import random

from loopback import pattern, soon

import kcp
from kcp import blocking
from kcp.serial import SerialCarrier

COBS, SERIALPACKET = "cobs", "serialpacket"


class Line:
    """One end of a line of bytes. Takes at most `room` bytes per write; `spoil(bytes) -> bytes`
    changes what passes; at most `limit` wait."""

    def __init__(self, room=10000, limit=100000):
        self.into = bytearray()
        self.other = None
        self.room = room
        self.limit = limit
        self.spoil = None

    def write(self, view):
        n = min(len(view), self.room, self.limit - len(self.other.into))
        if n <= 0:
            return None
        data = bytes(view[:n])
        self.other.into.extend(data if self.spoil is None else self.spoil(data))
        return n

    def readinto(self, view):
        n = min(len(view), len(self.into))
        if n:
            view[:n] = self.into[:n]
            self.into = self.into[n:]
        return n or None


def line_pair(*limits):
    a, b = Line(*limits), Line(*limits)
    a.other, b.other = b, a
    return a, b


def on_wire(framing, *datagrams):
    a, b = line_pair()
    carrier = SerialCarrier(a, framing)
    for data in datagrams:
        assert carrier.send(bytearray(data), len(data)) > 0
    return bytes(b.into)


def read(framing, *parts, **options):
    """The datagrams that come out when the parts come one after the other, and the carrier."""
    a, _ = line_pair()
    carrier = SerialCarrier(a, framing, **options)
    buf = bytearray(1500)
    found = []
    for part in parts:
        a.into.extend(part)
        while True:
            n = carrier.recv_into(buf)
            if not n and not a.into:
                break
            if n:
                found.append(bytes(buf[:n]))
    return found, carrier


SAMPLES = (
    bytes(24),
    bytes(range(256)),
    b"\xff" * 254,
    b"\x01" * 253 + b"\0",
    b"\x01" * 254 + b"\0",
    b"\x01" * 508,
    b"\xff\x00\xaa\x55" * 10,
    pattern(990),
)


def test_every_sample_in_both_framings():
    for framing in (COBS, SERIALPACKET):
        found, carrier = read(framing, on_wire(framing, *SAMPLES))
        assert found == list(SAMPLES)
        assert carrier.n_bad == carrier.n_garbage == 0


def test_the_bytes_on_the_wire():
    assert on_wire(SERIALPACKET, b"abcd") == b"\xff\x00\xaa\x55\x04\x00abcd"
    # CRC-32 of "123456789" is cbf43926
    assert on_wire(COBS, b"123456789") == b"\0\x0e123456789\x26\x39\xf4\xcb\0"
    wire = on_wire(COBS, b"12\x0045")
    assert wire[:5] == b"\0\x0312\x07" and wire[5:7] == b"45" and wire[-1] == 0 and len(wire) == 12


def test_cobs_has_no_zero_inside_and_costs_what_it_says():
    rng = random.Random() if hasattr(random, "Random") else random
    rng.seed(5)
    for n in (4, 24, 249, 250, 251, 252, 253, 254, 255, 256, 500, 504, 505, 1000):
        for alphabet in (1, 2, 256):
            data = bytes(rng.getrandbits(8) % alphabet for _ in range(n))
            wire = on_wire(COBS, data)
            assert wire[0] == wire[-1] == 0 and 0 not in wire[1:-1]
            assert len(wire) <= n + 7 + (n + 4) // 254
            assert read(COBS, wire)[0] == [data]


def test_every_split_point():
    for framing in (COBS, SERIALPACKET):
        wire = on_wire(framing, b"first one", bytes(30), b"\xff" * 20)
        for i in range(len(wire)):
            assert len(read(framing, wire[:i], wire[i:])[0]) == 3
        assert len(read(framing, *[wire[i : i + 1] for i in range(len(wire))])[0]) == 3


def test_cobs_resynchronises_after_anything():
    good = on_wire(COBS, pattern(100))
    for i in range(len(good) - 1):  # cut short, the next one follows at once
        found, carrier = read(COBS, good[:i] + good)
        assert found == [pattern(100)], i
        assert carrier.n_bad == (1 if i > 1 else 0)
    for i in range(1, len(good) - 1):  # every byte changed
        for bit in (1, 0x80):
            bad = bytearray(good)
            bad[i] ^= bit
            found, carrier = read(COBS, bad, good)
            assert found == [pattern(100)] and carrier.n_bad >= 1
    noise = pattern(5000, 3).replace(b"\0", b"\x01")  # longer than any frame
    found, carrier = read(COBS, noise, good)
    assert found == [pattern(100)] and carrier.n_bad == 1
    assert len(carrier._framing.ready) < 1100


def test_serialpacket_finds_its_magic_again():
    good = on_wire(SERIALPACKET, pattern(50))
    cuts = (b"\xff", b"\xff\xff", b"\xff\x00", b"\xff\x00\xaa", b"\xff\x00\xff\x00\xaa", b"z")
    for noise in cuts:
        found, carrier = read(SERIALPACKET, noise + good)
        assert found == [pattern(50)], noise
        assert carrier.n_garbage == len(noise)
    for size in (b"\x00\x00", b"\xe3\x03", b"\xff\xff"):  # 0, 995, 65535
        found, carrier = read(SERIALPACKET, b"\xff\x00\xaa\x55" + size + good)
        assert found == [pattern(50)] and carrier.n_bad == 1
    found, _ = read(SERIALPACKET, on_wire(SERIALPACKET, pattern(994)))
    assert found == [pattern(994)]


def test_partial_writes():
    for room in (1, 7, 100):
        a, b = line_pair(room, 150)
        sender, receiver = SerialCarrier(a), SerialCarrier(b)
        buf = bytearray(1500)
        for i in range(5):
            data = pattern(400 + i, i)
            found = n_tries = 0
            while not sender.send(bytearray(data), len(data)):
                n_tries += 1
                found = found or receiver.recv_into(buf)
            found = found or receiver.recv_into(buf)
            assert n_tries and buf[:found] == data


def test_another_datagram_after_one_that_was_given_up():
    a, b = line_pair(10000, 50)
    sender, receiver = SerialCarrier(a), SerialCarrier(b)
    first, second = bytearray(pattern(80, 1)), bytearray(pattern(80, 2))
    assert sender.send(first, 80) == 0
    buf = bytearray(1500)
    assert receiver.recv_into(buf) == 0
    while not sender.send(second, 80):  # the session of the first one has ended
        assert receiver.recv_into(buf) in (0, 80)
    while buf[:80] != second:
        assert receiver.recv_into(buf) == 80


def test_misuse():
    a, _ = line_pair()
    for options in ({"framing": "slip"}, {"mtu": 49}, {"mtu": 1401}):
        try:
            SerialCarrier(a, **options)
        except ValueError:
            continue
        raise AssertionError(options)
    try:
        SerialCarrier(a, SERIALPACKET, mtu=995)
    except ValueError as error:
        assert "994" in str(error)
    else:
        raise AssertionError
    carrier = SerialCarrier(a, mtu=100)
    assert carrier.send(bytearray(101), 101) == -1 and carrier.n_too_long == 1


class Spoiler:
    """Changes, drops or inserts a few bytes, once per `every` writes."""

    def __init__(self, every):
        self.every = every
        self.n = 0

    def __call__(self, data):
        self.n += 1
        if self.n % self.every:
            return data
        i = self.n * 7 % len(data)
        kind = self.n // self.every % 3
        if kind == 0:
            return data[:i] + b"\xff\x00garbage\x00\xff\x00\xaa\x55" + data[i:]
        if kind == 1:
            return data[:i] + data[i + 3 :]
        return data[:i] + bytes([data[i] ^ 0x10]) + data[i + 1 :]


async def test_a_session_over_a_bad_line():
    for framing, options in ((COBS, {}), (SERIALPACKET, {"crypt": "none"})):
        a, b = line_pair()
        a.spoil = b.spoil = Spoiler(7)
        ours, theirs = SerialCarrier(a, framing, 250), SerialCarrier(b, framing, 250)
        server = await kcp.start_server(None, carrier=ours, **options)
        stream, _ = await kcp.open_connection(carrier=theirs, mode="fast3", **options)
        data = pattern(8000)
        stream.write(data)
        peer, _ = await soon(server.accept())
        assert await soon(peer.readexactly(len(data))) == data
        assert ours.n_bad + ours.n_garbage > 0
        stream.close(0)
        peer.close(0)
        server.close()
        await asyncio.sleep(0)


def test_blocking():
    a, b = line_pair(50, 300)
    server = blocking.listen(carrier=SerialCarrier(a))
    server.settimeout(30)
    client = blocking.connect(carrier=SerialCarrier(b), timeout=30)
    data = pattern(3000)
    client.send(data)
    peer, _ = server.accept()
    peer.settimeout(30)
    got = b""
    while len(got) < len(data):
        got += peer.recv(4096)
    assert got == data
    client.close()
    peer.close()
    server.close()
