"""The C session against the Python session: the same datagrams, waits, counters and ends.

KCP_TWIN_SEED repeats a seed that failed; KCP_TWIN_COUNT says how many are drawn anew.
"""

import os
import random

import pytest
import session_twins
from native_session import KEY_KINDS, NativeSession

from kcp.config import Config

FIXED = 40
FRESH = int(os.environ.get("KCP_TWIN_COUNT", "30"))
STEPS = 250
KEY = bytes(range(32))


def test_fixed_seeds():
    n_datagrams, reasons = 0, set()
    for seed in range(FIXED):
        n, ends = session_twins.run(seed, STEPS)
        n_datagrams += n
        reasons |= ends
    assert n_datagrams > 5000
    assert {0, 2, 4} <= reasons


def test_fresh_seeds(capsys):
    seed = int(os.environ.get("KCP_TWIN_SEED", random.randrange(1 << 32)))
    with capsys.disabled():
        print(f"\nsession twins: seed={seed} count={FRESH}")
    for i in range(FRESH):
        session_twins.run(seed + i, STEPS)


@pytest.mark.parametrize("cipher", sorted(KEY_KINDS))
def test_every_cipher(cipher):
    assert session_twins.run(3, 60, (cipher,))[0] > 20


def test_a_difference_is_noticed(monkeypatch):
    output = NativeSession.output
    monkeypatch.setattr(NativeSession, "output", lambda self, now_ms: output(self, now_ms + 1))
    with pytest.raises(session_twins.Difference):
        for seed in range(3):
            session_twins.run(seed, STEPS)


def test_without_memory_it_is_not_made():
    for limit_bytes in (0, 100, 1000):
        with pytest.raises(ValueError):
            NativeSession(1, Config(fec=(10, 3), sndwnd=8, rcvwnd=8), 0, limit_bytes)


def test_fec_without_memory_for_its_decoder():
    """What needs no repair goes through; nothing is lost of what was allocated."""
    sender = NativeSession(1, Config(mode="fast3", fec=(3, 1), sndwnd=8, rcvwnd=8), 0)
    taker = NativeSession(1, Config(mode="fast3", sndwnd=8, rcvwnd=8), 0, limit_bytes=3000)
    got, now_ms = b"", 0
    data = bytes(range(200))
    sender.send(data)
    for _ in range(20):
        for one, other in ((sender, taker), (taker, sender)):
            while True:
                datagram = one.output(now_ms)
                if not datagram:
                    break
                other.input(datagram, now_ms)
        got += taker.recv(1000)
        now_ms += 10
    assert got == data
    assert (sender.free(), taker.free()) == (0, 0)
