#!/usr/bin/env python3
"""Congestion controllers compared on simulated links, alone and beside a TCP-CUBIC flow.

    make cc-report CONTROL="--seeds 3 --window 128"

Prints the Markdown tables of docs/congestion.md. Bulk transfers, one way, mode fast3, mtu 1400,
crypt none, for a fixed time; means over the seeds. "wait" is the time that datagrams spend in the
bottleneck's queue (mean / 95 %), "dropped" what part of the sender's datagrams found it full.
Beside CUBIC (RFC 9438, `kcp_sim.cubic`) both start at once, and what comes after the first seconds
counts; "share" is Jain's index of the two goodputs: 1 is an even split, 0.5 all for one.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "lib"))

from kcp_sim import crossing  # noqa: E402

CONTROLLERS = (
    ("kcp-go: none", {"cc": "none"}),
    ("kcp-go: nc=0", {"cc": "kcp", "pacing": False}),
    ("kcp", {"cc": "kcp"}),
    ("rate", {"cc": "rate"}),
)
TCP = "TCP-CUBIC"
WINDOWS = (48, 128, 1024)
RCVWND = 1024
QUEUE25 = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}
FAR = {"delay_ms": 40, "rate_kbps": 50000, "queue": 100}
#: name of the link, its options, seconds
ALONE = (
    ("10 Mbit/s, 15 ms, queue 25", QUEUE25, 8),
    ("the same, queue 200", dict(QUEUE25, queue=200), 8),
    ("queue 25, 2 % lost", dict(QUEUE25, loss_pct=2), 8),
    ("queue 25, 5 % lost", dict(QUEUE25, loss_pct=5), 8),
    ("50 Mbit/s, 40 ms, queue 100", FAR, 6),
    ("10 Mbit/s, 750 ms, queue 100", dict(QUEUE25, delay_ms=750, queue=100), 30),
    ("10, then 2, then 10 Mbit/s", dict(QUEUE25, rates=[(5000, 2000), (10000, 10000)]), 15),
)
#: the same, and the seconds that do not count
BESIDE = (
    ("10 Mbit/s, 15 ms, queue 25", QUEUE25, 20, 4),
    ("the same, queue 200", dict(QUEUE25, queue=200), 20, 4),
    ("50 Mbit/s, 40 ms, queue 100", FAR, 12, 4),
)


def flow_of(options, wnd):
    if options is None:
        return {"kind": "cubic"}
    return {"kind": "kcp", "config": dict(options, sndwnd=wnd, rcvwnd=RCVWND)}


def measure(job):
    """The mean figures of one cell."""
    link, flows, seconds, skip_s, n_seeds = job
    case = {"link": link, "flows": flows, "run_ms": 1000 * seconds, "from_ms": 1000 * skip_s}
    runs = [crossing.run(case, seed) for seed in range(n_seeds)]

    def mean(pick):
        return sum(pick(run) for run in runs) / n_seeds

    return {
        "mbits": [mean(lambda run, i=i: run["mbits"][i]) for i in range(len(flows))],
        "dropped": [mean(lambda run, i=i: run["dropped_pct"][i]) for i in range(len(flows))],
        "wait": mean(lambda run: run["wait_mean_ms"]),
        "wait_95": mean(lambda run: run["wait_p95_ms"]),
        "share": mean(lambda run: run["jain"]),
    }


def cell_alone(found):
    return "%.2f · %.0f / %.0f ms · %.1f %%" % (
        found["mbits"][0],
        found["wait"],
        found["wait_95"],
        found["dropped"][0],
    )


def cell_beside(found):
    return "%.2f : %.2f · %.2f · %.0f ms · %.1f / %.1f %%" % (
        found["mbits"][0],
        found["mbits"][1],
        found["share"],
        found["wait"],
        found["dropped"][0],
        found["dropped"][1],
    )


def table(pool, title, links, cell, windows, n_seeds, is_beside):
    """Print one table, row by row as they are done."""
    names = [name for name, _ in CONTROLLERS]
    print("| %s |" % " | ".join([title, "window", *names, TCP]))
    print("| --- | ---: |%s" % (" --- |" * (len(names) + 1)), flush=True)
    for name, link, seconds, *skip in links:
        tcp = ([{"kind": "cubic"}, {"kind": "cubic"}] if is_beside else [{"kind": "cubic"}], "")
        jobs = []
        for wnd in windows:
            for _, options in CONTROLLERS:
                flows = [flow_of(options, wnd)]
                jobs.append(flows + [{"kind": "cubic"}] if is_beside else flows)
        jobs.append(tcp[0])
        skip_s = skip[0] if skip else 0
        found = list(pool.map(measure, [(link, f, seconds, skip_s, n_seeds) for f in jobs]))
        for i, wnd in enumerate(windows):
            row = found[i * len(names) : (i + 1) * len(names)] + ([found[-1]] if i == 0 else [])
            cells = [cell(one) for one in row] + ([""] if i else [])
            print("| %s |" % " | ".join([name, str(wnd), *cells]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="runs per cell")
    parser.add_argument("--window", type=int, action="append", help="only this one")
    parser.add_argument("--table", choices=("alone", "beside"), help="only this one")
    arguments = parser.parse_args()
    windows = arguments.window or WINDOWS
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        if arguments.table != "beside":
            print("Mbit/s · wait mean / 95 % · dropped\n")
            table(pool, "alone on", ALONE, cell_alone, windows, arguments.seeds, False)
        if arguments.table is None:
            print()
        if arguments.table != "alone":
            print("Mbit/s : CUBIC's · share · wait · dropped / CUBIC's\n")
            table(pool, "beside CUBIC", BESIDE, cell_beside, windows, arguments.seeds, True)


if __name__ == "__main__":
    main()
