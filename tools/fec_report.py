#!/usr/bin/env python3
"""When FEC pays: echo round trips and bytes on the wire with and without it, as a Markdown table.

    make fec-report FEC="--seeds 3"

Simulated (kcp_sim), so every run gives the same figures: 50 ms each way, independent losses in
both directions, messages of 1000 bytes echoed, mode fast3, aes-128, mtu 1400; one every 4 ms for 8
seconds, and 5 per second for a minute. A cell is the mean of the runs' percentiles over --seeds
seeds; "wire" is what both sides send, in bytes, for each byte of message and echo.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "lib")]

from sim import wire  # noqa: E402 (tests/ is no package)

from kcp_sim.load import make_loads  # noqa: E402
from kcp_sim.pair import Pair  # noqa: E402

DELAY_MS = 50
LOSS_PCTS = (1, 5, 10, 20)
FECS = (None, (10, 3), (2, 1), "auto")
N_BYTES = 1000
#: ms between messages, and how many
LOADS = ((4, 2000), (200, 300))
PERCENTILES = (50, 95, 99)


def run(job):
    """One run: round trips at PERCENTILES in ms, and bytes on the wire per byte."""
    (period_ms, n_messages), loss_pct, fec, seed = job
    one = {
        "id": "fec",
        "link": {"delay_ms": DELAY_MS, "loss_pct": loss_pct},
        "config": {"crypt": "aes-128", "sndwnd": 1024, "rcvwnd": 1024, "fec": fec},
    }
    net, peers, _ = wire.start(one, seed)
    load = {"kind": "echo", "count": n_messages, "size": N_BYTES, "period_ms": period_ms}
    apps = make_loads(load, peers)
    Pair(net, peers, apps, 10_000_000).run()
    rtts = sorted(apps[0].rtts)
    figures = [rtts[len(rtts) * pct // 100] for pct in PERCENTILES]
    return [*figures, sum(net.n_bytes) / (2 * n_messages * N_BYTES)]


def name_of(fec):
    """How the table calls a setting."""
    return "off" if fec is None else fec if isinstance(fec, str) else f"{fec[0]}/{fec[1]}"


def cells(figures):
    """Two cells: the round trips, and the bytes on the wire."""
    *times, ratio = figures
    return [", ".join(f"{ms:.0f}" for ms in times), f"{ratio:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="runs per cell")
    n_seeds = parser.parse_args().seeds
    rows = [(loss_pct, fec) for loss_pct in LOSS_PCTS for fec in FECS]
    jobs = [(load, *row, seed) for row in rows for load in LOADS for seed in range(n_seeds)]
    heads = [f"every {ms} ms: median, 95 %, 99 % ms | wire" for ms, _ in LOADS]
    print(f"| loss each way | FEC | {' | '.join(heads)} |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    with ProcessPoolExecutor() as pool:
        results = pool.map(run, jobs)
        for loss_pct, fec in rows:
            row = [f"{loss_pct} %", name_of(fec)]
            for _ in LOADS:
                runs = [next(results) for _ in range(n_seeds)]
                row += cells([sum(column) / n_seeds for column in zip(*runs)])
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
