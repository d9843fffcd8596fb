"""What kcp-go did in the same runs, recorded in reference.json by `tools/sim_report.py --record`.

Per case and seed: `wire`, a checksum over everything that both sides sent and when; `update`, the
run's figure with kcp-go driven by its Update(), as our ARQ is; `session`, the figure when it is
driven as kcp-go's own sessions do it (see tests/interop/peers/sim/peer.go). A figure is the sum of
the round trips of an echo load, else the time to the last byte, in ms.
tests/interop/test_sim_vs_go.py holds the record against the real kcp-go.
"""

import json
import struct
from binascii import crc32

PATH = __file__.replace("\\", "/").rpartition("/")[0] + "/reference.json"


def _load():
    with open(PATH) as file:
        return json.load(file)


_reference = None


def of(case):
    """The record of a case: {"wire": [...], "update": [...], "session": [...]}, by seed."""
    global _reference
    if _reference is None:
        _reference = _load()
    return _reference[case["id"]]


def wire_id(result):
    """One number for the two wire checksums of a result."""
    return crc32(struct.pack("<II", *result["wire"]))


def figure(result):
    """A run's figure, see the top of this file."""
    return result.get("rtt_sum_ms") or result["done_ms"]


def n_trips(case):
    """By what to divide a figure for the mean round trip; 1 where it is a time."""
    return case["load"]["count"] if case["load"]["kind"] == "echo" else 1


def mean(values):
    """The mean of a sequence of numbers."""
    values = list(values)
    return sum(values) / len(values)


def spread(values):
    """The sample standard deviation."""
    middle = mean(values)
    return (sum((value - middle) ** 2 for value in values) / max(1, len(values) - 1)) ** 0.5


def bound(case, n_runs):
    """The most that a mean of n_runs figures of our sessions may be.

    5 % above kcp-go's mean, the greater of its two, and three standard errors of the difference of
    the two means, as the runs of a lossy link differ much. (Driven by Update(), kcp-go looks at
    its retransmission timers on the grid only, and so sends less in vain than its own sessions
    do.)
    """
    record = of(case)
    figures = max(record["update"], record["session"], key=mean)
    error = spread(figures) * (1 / n_runs + 1 / len(figures)) ** 0.5
    return 1.05 * mean(figures) + 3 * error
