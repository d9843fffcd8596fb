#!/usr/bin/env python3
"""What pacing brings: our sessions with and without it on simulated links, as a Markdown table.

    make pacing-report PACING="--seeds 5"

Bulk transfers in mode fast3, mtu 1400, crypt none, one way. "Drops" are datagrams that overflowed
a queue on the way, "resent" segments sent more than once; per cent of those needed. Without pacing
our sessions send as kcp-go's do, a window at once.
"""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "lib")]

from sim import workers  # noqa: E402 (tests/ is no package)

MSS = 1348
LINK = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}
#: name of the row, link, bytes, window, further options
ROWS = (
    ("T01 10 Mbit/s, queue 25", LINK, 10485760, 32, {}),
    ("T01", LINK, 10485760, 48, {}),
    ("T02 FEC 10/3", LINK, 10485760, 48, {"fec": (10, 3)}),
    ("T03", LINK, 10485760, 128, {}),
    ("T03", LINK, 10485760, 512, {}),
    ("T04 750 ms each way", dict(LINK, delay_ms=750), 1048576, 256, {}),
    ("T05 2 % lost", dict(LINK, loss_pct=2, loss_burst=3), 2097152, 48, {}),
    ("5 % lost", dict(LINK, loss_pct=5), 2097152, 128, {}),
    ("1 Mbit/s", dict(LINK, rate_kbps=1000), 1048576, 32, {}),
    ("100 Mbit/s, 5 ms, queue 100", {"delay_ms": 5, "rate_kbps": 100000, "queue": 100},
     20971520, 256, {}),
    ("congestion control (nc=0)", LINK, 2097152, 128, {"nc": 0}),
)  # fmt: skip


def measure(link, n_bytes, wnd, options, n_seeds):
    """(Mbit/s, % dropped, % resent), means over the seeds; None if a run does not end."""
    config = {"crypt": "none", "sndwnd": wnd, "rcvwnd": wnd}
    config.update(options)
    load = {"kind": "bulk", "bytes": n_bytes}
    one = {"id": "pacing", "link": link, "load": load, "config": config, "limit_ms": 400000}
    try:
        results = workers.run_all("wire", [(one, seed, {}) for seed in range(n_seeds)])
    except AssertionError:
        return None
    n_segs = n_bytes / MSS / 100
    rates = [n_bytes * 8 / result["done_ms"] / 1000 for result in results]
    drops = [result["links"]["queue_drops"] / n_segs for result in results]
    resent = [result["stats"][0]["RetransSegs"] / n_segs for result in results]
    return [sum(figures) / n_seeds for figures in (rates, drops, resent)]


def cells(figures):
    if figures is None:
        return ["not done in 400 s", "", ""]
    return [f"{figures[0]:.2f}", f"{figures[1]:.1f}", f"{figures[2]:.1f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="runs per row")
    n_seeds = parser.parse_args().seeds
    print("| path | window | Mbit/s | drops % | resent % | paced: Mbit/s | drops % | resent % |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, link, n_bytes, wnd, options in ROWS:
        row = [name, str(wnd)]
        for pacing in (False, True):
            row += cells(measure(link, n_bytes, wnd, dict(options, pacing=pacing), n_seeds))
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
