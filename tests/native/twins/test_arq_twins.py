"""The C ARQ against the Python ARQ: the same datagrams, waits and numbers, whatever the link does.

KCP_TWIN_SEED repeats a seed that failed; KCP_TWIN_COUNT says how many are drawn anew.
"""

import os
import random
import re
import struct

import arq_twins
import pytest
from compiled import CORE
from native_arq import NativeArq

from kcp.arq import Arq
from kcp.stats import NAMES

FIXED = 24
FRESH = int(os.environ.get("KCP_TWIN_COUNT", "24"))
STEPS = 250


def test_the_counters_are_the_same():
    with open(os.path.join(CORE, "kcp_stats.h"), encoding="utf-8") as file:
        names = re.findall(r"^    KCP_(\w+),$", file.read(), re.MULTILINE)
    spelt = [name.replace("_", "").lower() for name in names]
    assert spelt == [name.lower() for name in NAMES] + ["ncounters"]


def test_fixed_seeds():
    assert sum(arq_twins.run(seed, STEPS) for seed in range(FIXED)) > 5000


def test_fixed_seeds_with_damaged_datagrams():
    for seed in range(FIXED):
        arq_twins.run(seed, STEPS, hostile=True)


def test_fresh_seeds(capsys):
    seed = int(os.environ.get("KCP_TWIN_SEED", random.randrange(1 << 32)))
    with capsys.disabled():
        print(f"\nARQ twins: seed={seed} count={FRESH}")
    for i in range(FRESH):
        arq_twins.run(seed + i, STEPS, hostile=i % 3 == 2)


def test_a_difference_is_noticed(monkeypatch):
    take = NativeArq.input
    monkeypatch.setattr(
        NativeArq, "input", lambda self, *args: take(self, *args[:3], args[3] + 1, *args[4:])
    )
    with pytest.raises(arq_twins.Difference):
        for seed in range(3):
            arq_twins.run(seed, STEPS)


def exchange(one, other, n_steps):
    """Let two ends talk without loss; what `other` has read."""
    buf, got, now = bytearray(1500), bytearray(), 0
    for _ in range(n_steps):
        for a, b in ((one, other), (other, one)):
            a.tick(now)
            while True:
                n = a.output(buf, 0, now)
                if not n:
                    break
                b.input(buf, 0, n, now)
        room = bytearray(4096)
        got += room[: other.read_into(room)]
        now += 10
    return bytes(got)


def test_a_refused_packet_does_not_open_kcp_gos_window():
    """One that acknowledges, and ends in noise; then one that acknowledges nothing new by una."""
    windows = []
    for kind in (Arq, NativeArq):
        arq = kind(7, nc=0, snd_wnd=64, rcv_wnd=64, nodelay=1, interval_ms=10)
        for _ in range(20):
            arq.send(b"x")
        acks = [
            struct.pack("<IBBHIIII", 7, 82, 0, 64, 0, sn, una, 0) for sn, una in ((0, 1), (2, 1))
        ]
        buf, found = bytearray(3000), []
        for packet in (b"", b"", acks[0] + bytes(24), acks[1], acks[1]):
            if packet:
                arq.input(bytearray(packet), 0, len(packet), 10)
            arq.flush()
            while arq.output(buf, 0, 10):
                pass
            found.append((arq.snd_una, arq._kcp_cc.cwnd))
        windows.append(found)
    assert windows[0] == windows[1] and windows[0][-1] == (1, 1)


SETTINGS = {"nodelay": 1, "interval_ms": 10, "resend": 2, "nc": 1, "stream": True}


def test_without_memory_nothing_is_lost():
    """What is refused for lack of memory is counted, and sent again by the peer."""
    data = random.Random(5).randbytes(60_000)
    for limit_bytes in (4000, 6000, 20_000):
        one = NativeArq(7, **SETTINGS)
        other = NativeArq(7, limit_bytes=limit_bytes, **SETTINGS)
        sent, got = 0, b""
        for _ in range(400):
            sent += one.send(data[sent : sent + 3000]) if sent < len(data) else 0
            got += exchange(one, other, 5)
        assert got == data
        assert other.held_bytes <= limit_bytes
        assert (other.stats.MemoryDrops > 0) == (limit_bytes == 4000)
        assert (one.free(), other.free()) == (0, 0)


def test_without_memory_less_is_taken():
    arq = NativeArq(7, limit_bytes=5000, **SETTINGS)
    taken = arq.send(bytes(9000))
    assert 0 < taken < 5000
    assert arq.free() == 0
    arq = NativeArq(7, limit_bytes=5000, **{**SETTINGS, "stream": False})
    assert arq.send(bytes(9000)) == 0 and arq.wait_snd() == 0
    assert arq.free() == 0
    with pytest.raises(ValueError):
        NativeArq(7, limit_bytes=100)
