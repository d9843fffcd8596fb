"""Our ARQ against kcp-go's: the same calls must give the same datagrams, byte for byte.

Some schedules are always the same, more are drawn anew in each run, which prints its seed:
KCP_TRACE_SEED repeats it, KCP_TRACE_COUNT says how many. Any number: tests/interop/conformance.py.
"""

import os
import random
import subprocess

import binaries
import pytest
import trace_replay
from conformance import command, conform

FIXED_SEED = 7
FIXED_COUNT = 200
FRESH_COUNT = int(os.environ.get("KCP_TRACE_COUNT", "200"))
N_PROCESSES = os.cpu_count() or 1


def check(seed, count, capsys):
    totals, differences = conform(binaries.kcppeer(), seed, 0, count, N_PROCESSES)
    with capsys.disabled():
        print(f"\nconformance: seed={seed} differences={len(differences)} {totals.line()}")
    assert not differences, "\n" + "\n\n".join(differences[:3])
    assert totals.counts["schedules"] == count
    assert totals.counts["endpoints"] == 2 * count
    return totals.counts


def test_fixed_schedules_are_the_same_and_cover_everything(capsys):
    counts = check(FIXED_SEED, FIXED_COUNT, capsys)
    assert not [name for name, n in counts.items() if n == 0]


def test_fresh_schedules_are_the_same(capsys):
    seed = os.environ.get("KCP_TRACE_SEED")
    check(random.randrange(1 << 32) if seed is None else int(seed), FRESH_COUNT, capsys)


def record(seed, first, count):
    done = subprocess.run(
        command(binaries.kcppeer(), seed, first, count), capture_output=True, text=True, check=True
    )
    return done.stdout


def test_recording_is_repeatable():
    assert record(3, 0, 10) == record(3, 0, 10)


@pytest.mark.parametrize(
    ("variable", "count"), [("KCP_MICROPYTHON", 24), ("KCP_UPY_ARM", 4)], ids=["unix", "arm"]
)
def test_micropython_is_the_same(variable, count, tmp_path):
    interpreter = binaries.micropython(variable)
    trace = tmp_path / "some.trace"
    trace.write_text(record(FIXED_SEED, 0, count))
    program = os.path.join(binaries.HERE, "trace_replay.py")
    done = subprocess.run(
        [*interpreter, "-X", "heapsize=16m", program, str(trace)],
        capture_output=True,
        text=True,
        env=binaries.environment(),
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"differences=0 schedules={count} endpoints={2 * count} " in done.stdout


# What is not the same must be noticed: each of these damages one line of a good trace.


def flip_ts(line):
    return line[:18] + format(int(line[18:20], 16) ^ 1, "02x") + line[20:]


def more_read(line):
    r, time, room, got, crc = line.split()
    return f"{r} {time} {int(room) + 1} {int(got) + 1} {crc}"


def other_bytes(line):
    r, time, room, got, crc = line.split()
    return line if int(got) <= 0 else f"{r} {time} {room} {got} {int(crc, 16) ^ 1:08x}"


DAMAGES = {
    "datagram left out": ("o ", lambda line: ""),
    "datagram twice": ("o ", lambda line: line + "\n" + line),
    "another time stamp": ("o ", flip_ts),
    "another payload": ("o ", lambda line: line.replace("@", "@1")),
    "another border": ("o ", lambda line: line.replace(" ", "\no ").replace("o\no", "o", 1)),
    "another result of Recv": ("r ", more_read),
    "other bytes read": ("r ", other_bytes),
    "another result of Input": ("i ", lambda line: line.replace(" 1 0 ", " 1 -1 ", 1)),
    "another state": ("q ", lambda line: line.replace("rx_rto=", "rx_rto=1")),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_trace_is_noticed(name):
    kind, damage = DAMAGES[name]
    lines = record(FIXED_SEED, 0, 3).splitlines()
    damaged = next(
        (i, line)
        for i, line in reversed(list(enumerate(lines)))
        if line.startswith(kind) and damage(line) != line
    )
    lines[damaged[0]] = damage(damaged[1])
    text = "\n".join(lines).replace("\n\n", "\n")
    with pytest.raises(trace_replay.Difference):
        trace_replay.replay(text.splitlines(), trace_replay.Totals())
