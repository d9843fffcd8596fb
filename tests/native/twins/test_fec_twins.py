"""The C encoder and decoder against the Python ones: the same packets, repairs and numbers.

KCP_TWIN_SEED repeats a seed that failed; KCP_TWIN_COUNT says how many are drawn anew.
"""

import os
import random

import pytest
from native_fec import NativeDecoder, NativeEncoder

from kcp.fec import Decoder, Encoder, paws
from kcp.stats import Stats

RATIOS = ((10, 3), (3, 1), (2, 2), (1, 1), (5, 2), (20, 10), (1, 3), (128, 127), (250, 6))
COUNTERS = (
    "FECFullShards",
    "FECParityShards",
    "FECErrs",
    "FECRecovered",
    "FECShardSet",
    "FECShardMin",
)
SIZE = 300
FRESH = int(os.environ.get("KCP_TWIN_COUNT", "30"))


class Encoders:
    """Both twins of a sender."""

    def __init__(self, rng, data, parity):
        n = data + parity
        seqid = rng.choice(
            (0, rng.randrange(1 << 20) * n, paws(n) - 2 * n, paws(n) - 5000 // n * n)
        )
        self.rng = rng
        self.python = Encoder(data, parity, SIZE, seqid)
        self.native = NativeEncoder(data, parity, SIZE, seqid)

    def packets(self, now_ms):
        """One data packet, and the parity packets that follow."""
        body = self.rng.randbytes(self.rng.choice((1, 24, 200, 290, self.rng.randrange(1, 290))))
        found = []
        bufs = [bytearray(8) + body + bytearray(400) for _ in range(2)]
        for twin, buf in zip((self.python, self.native), bufs):
            twin.data_packet(buf, 0, 8 + len(body), now_ms)
        assert bufs[0] == bufs[1]
        found.append(bytes(bufs[0][: 8 + len(body)]))
        assert self.python.n_parity == self.native.n_parity
        while self.python.n_parity:
            ends = [
                twin.parity_packet(buf, 0) for twin, buf in zip((self.python, self.native), bufs)
            ]
            assert ends[0] == ends[1]
            assert bufs[0][: ends[0]] == bufs[1][: ends[0]]
            found.append(bytes(bufs[0][: ends[0]]))
        return found


class Decoders:
    """Both twins of a receiver."""

    def __init__(self, rng):
        data, parity = rng.choice(((0, 0), *RATIOS))
        limit_bytes = rng.choice((2000, 20_000, 1 << 20))
        is_sure = rng.random() < 0.5
        self.stats = Stats()
        self.python = Decoder(data, parity, SIZE, self.stats, limit_bytes, is_sure)
        self.native = NativeDecoder(data, parity, SIZE, limit_bytes, is_sure)
        self.repaired = 0

    def input(self, packet):
        self.python.input(bytearray(packet), 0, len(packet))
        self.native.input(packet)
        while True:
            n = self.python.repair(self.python.scratch)
            one, other = bytes(self.python.scratch[:n]), self.native.repair()
            assert one == other
            if not n:
                break
            self.repaired += 1
        d = self.python
        state = (d.data, d.parity, int(d.is_tuning), d._doubt, d._held_bytes)
        assert self.native.state() == state
        for name in COUNTERS:
            assert self.native.count(name) == getattr(self.stats, name), name


def stream(rng, n_packets):
    """Packets of one sender, or of several with other ratios one after the other, as they come."""
    now_ms, found = 0, []
    while len(found) < n_packets:
        encoders = Encoders(rng, *rng.choice(RATIOS))
        for _ in range(rng.choice((30, 300, 700))):
            now_ms = (now_ms + rng.choice((0, 1, 20, 20, 600))) & 0x3FFFFFFF
            found += encoders.packets(now_ms)
        assert encoders.native.free() == 0
    return found


def as_they_come(rng, packets):
    """Lose, repeat, delay and damage some."""
    loss, late = rng.choice((0, 0.02, 0.2)), rng.choice((0, 0, 0.05))
    damage = rng.choice((0, 0, 0.002))
    waiting = []
    for packet in packets:
        if rng.random() < loss:
            continue
        if rng.random() < damage:
            packet = bytearray(packet)
            packet[rng.randrange(4 if rng.random() < 0.5 else 6)] ^= 1 << rng.randrange(8)
            packet = bytes(packet)
        if rng.random() < late:
            waiting.append(packet)
            continue
        yield packet
        if rng.random() < late / 4:
            yield packet
        if waiting and rng.random() < 0.2:
            yield waiting.pop(rng.randrange(len(waiting)))


def run(seed):
    """Returns how many packets were repaired."""
    rng = random.Random(seed)
    decoders = Decoders(rng)
    for packet in as_they_come(rng, stream(rng, 1500)):
        decoders.input(packet)
    assert decoders.native.free() == 0
    return decoders.repaired


def test_fixed_seeds():
    assert sum(run(seed) for seed in range(20)) > 200


def test_fresh_seeds(capsys):
    seed = int(os.environ.get("KCP_TWIN_SEED", random.randrange(1 << 32)))
    with capsys.disabled():
        print(f"\nFEC twins: seed={seed} count={FRESH}")
    for i in range(FRESH):
        run(seed + i)


def test_packets_that_grow():
    rng = random.Random(4)
    encoders = Encoders(rng, 3, 2)
    encoders.packets(0)
    encoders.python.grow(900)
    encoders.native.grow(900)
    for now_ms in range(1, 9):
        encoders.packets(now_ms)
    assert encoders.native.free() == 0


def forging(rng, packets):
    """Some numbers are forged, far ahead or anywhere."""
    for packet in packets:
        if rng.random() < 0.004:
            head, ahead = int.from_bytes(packet[:4], "little"), rng.choice((1 << 20, 1 << 31))
            yield ((head + rng.randrange(ahead)) % (1 << 32)).to_bytes(4, "little") + packet[4:]
        yield packet


def test_forged_numbers():
    n_repaired = 0
    for seed in range(10):
        rng = random.Random(seed)
        decoders = Decoders(rng)
        for packet in forging(rng, as_they_come(rng, stream(rng, 1500))):
            decoders.input(packet)
        assert decoders.native.free() == 0
        n_repaired += decoders.repaired
    assert n_repaired > 30


@pytest.mark.parametrize("ratio", [(0, 1), (1, 0), (255, 2), (-1, 5), (300, 1)])
def test_ratios_that_are_none(ratio):
    with pytest.raises(ValueError):
        NativeEncoder(*ratio, SIZE)
    with pytest.raises(ValueError):
        NativeDecoder(*ratio, SIZE, 1000)
