"""The C ARQ against kcp-go's: the same calls must give the same datagrams, byte for byte.

As test_conformance.py, with the C ARQ behind ctypes in the place of the Python one.
"""

import os
import random
import subprocess
import sys

import binaries
import trace_replay
from conformance import command

sys.path.append(os.path.join(os.path.dirname(binaries.HERE), "native", "twins"))
from native_arq import NativeArq

BATCH = 20
FIXED_SEED = 7
COUNT = int(os.environ.get("KCP_TRACE_COUNT", "100"))


def conform(seed, count):
    """Replay so many schedules: (totals, differences)."""
    totals, differences = trace_replay.Totals(), []
    for first in range(0, count, BATCH):
        argv = command(binaries.kcppeer(), seed, first, BATCH)
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as peer:
            trace_replay.replay(peer.stdout, totals, differences.append)
        assert peer.returncode == 0
    return totals, [str(difference) for difference in differences]


def check(seed, monkeypatch, capsys):
    monkeypatch.setattr(trace_replay, "Arq", NativeArq)
    totals, differences = conform(seed, COUNT)
    with capsys.disabled():
        print(f"\nC conformance: seed={seed} differences={len(differences)} {totals.line()}")
    assert not differences, "\n" + "\n\n".join(differences[:3])
    assert totals.counts["schedules"] == COUNT and totals.counts["push"] > 50 * COUNT


def test_fixed_schedules_are_the_same(monkeypatch, capsys):
    check(FIXED_SEED, monkeypatch, capsys)


def test_fresh_schedules_are_the_same(monkeypatch, capsys):
    seed = os.environ.get("KCP_TRACE_SEED")
    check(random.randrange(1 << 32) if seed is None else int(seed), monkeypatch, capsys)
