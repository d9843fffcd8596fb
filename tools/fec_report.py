#!/usr/bin/env python3
"""When FEC pays: echo round trips and bytes on the wire with and without it, as Markdown tables.

    make fec-report FEC="--seeds 10"

Simulated (kcp_sim), so every run gives the same figures: 50 ms each way, independent losses in
both directions, messages of 1000 bytes echoed, mode fast3, aes-128, mtu 1400. A row is the mean of
the runs' percentiles over --seeds seeds; "wire" is what both sides send, in bytes, for each byte
of message and echo.
"""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "lib")]

from sim import wire  # noqa: E402 (tests/ is no package)

from kcp_sim.load import make_loads  # noqa: E402
from kcp_sim.pair import Pair  # noqa: E402

DELAY_MS = 50
LOSS_PCTS = (1, 5, 10, 20)
FECS = (None, (10, 3), (5, 2), (2, 1))
N_BYTES = 1000
#: ms between messages, and how many
LOADS = ((4, 2000), (100, 500))


def measure(period_ms, n_messages, loss_pct, fec, n_seeds):
    """(median, 95th, 99th percentile, greatest round trip in ms, bytes on the wire per byte)."""
    rows = []
    for seed in range(n_seeds):
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
        places = [len(rtts) * pct // 100 for pct in (50, 95, 99)]
        figures = [rtts[place] for place in places] + [rtts[-1]]
        rows.append([*figures, sum(net.n_bytes) / (2 * n_messages * N_BYTES)])
    return [sum(column) / n_seeds for column in zip(*rows)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="runs per row")
    n_seeds = parser.parse_args().seeds
    for period_ms, n_messages in LOADS:
        print(f"A message every {period_ms} ms:\n")
        print("| loss each way | FEC | median ms | 95 % | 99 % | longest | wire |")
        print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
        for loss_pct in LOSS_PCTS:
            for fec in FECS:
                *times, ratio = measure(period_ms, n_messages, loss_pct, fec, n_seeds)
                name = f"{fec[0]}/{fec[1]}" if fec else "off"
                cells = [f"{loss_pct} %", name, *[f"{ms:.0f}" for ms in times], f"{ratio:.2f}"]
                print(f"| {' | '.join(cells)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
