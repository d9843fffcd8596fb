#!/usr/bin/env python3
"""Replays any number of generated schedules of kcp-go's ARQ on ours, on all processors.

    tests/interop/conformance.py --seed 7 --count 10000

KCP_PEERS must name the folder of kcppeer and the library be on the path (`make env` does both).
Prints the differences and, at the end, what was covered; exit code 1 if anything differs.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys

from trace_replay import Difference, Totals, replay

BATCH = 20  # schedules per kcppeer process
SHOWN = 5  # differences printed in full


def command(peer, seed, first, count):
    """The command that writes the traces of some schedules."""
    options = ("--seed", seed, "--first", first, "--count", count)
    return [peer, "trace", *[str(word) for word in options]]


def replay_batch(job):
    """Record and replay (peer, seed, first, count): (counts, list of differences as text)."""
    totals, differences = Totals(), []
    with subprocess.Popen(command(*job), stdout=subprocess.PIPE, text=True) as peer:
        try:
            replay(peer.stdout, totals, differences.append)
        finally:
            peer.stdout.close()
    if peer.returncode and not differences:
        differences.append(Difference(f"{' '.join(command(*job))}: exit code {peer.returncode}"))
    return totals.counts, [str(difference) for difference in differences]


def conform(peer, seed, first, count, n_processes):
    """Replay `count` schedules of a seed: (totals, list of differences as text)."""
    end = first + count
    jobs = [(peer, seed, at, min(BATCH, end - at)) for at in range(first, end, BATCH)]
    totals, differences = Totals(), []
    with multiprocessing.get_context("spawn").Pool(min(n_processes, len(jobs))) as pool:
        for counts, found in pool.imap(replay_batch, jobs):
            differences += found
            for name, n in counts.items():
                totals.add(name, n)
    return totals, differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first schedule")
    parser.add_argument("--count", type=int, default=200, help="how many schedules")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="processes")
    arguments = parser.parse_args()
    peers = os.environ.get("KCP_PEERS")
    if not peers:
        sys.exit('conformance: KCP_PEERS is not set; try: eval "$(make -s env)"')
    peer = os.path.join(peers, "kcppeer")
    totals, differences = conform(
        peer, arguments.seed, arguments.first, arguments.count, arguments.j
    )
    for text in differences[:SHOWN]:
        print(text, end="\n\n")
    print(f"seed={arguments.seed} differences={len(differences)} {totals.line()}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
