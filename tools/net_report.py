#!/usr/bin/env python3
"""Ours beside kcp-go and the kernel's TCP over one modelled link, with real sockets.

    make net-report NET="--only T01 --only share"

Each measurement has a link of its own (tools/netlab), the ends take turns, and the figures are
medians over --repeat seeds. Without root or user namespaces TCP and the shares are left out.
"""

import argparse
import json
import os
import platform
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "lib")]

from netlab import ends, measure, rows, spaces, tables  # noqa: E402 (they are not installed)

OUTPUT = os.path.join(ROOT, "build", "net.json")


def parse():
    ids = [row.id for row in rows.ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=ids, metavar="ROW",
                        help="measure this row only: " + ", ".join(ids))  # fmt: skip
    parser.add_argument("--end", action="append", metavar="NAME", help="and this end only")
    parser.add_argument("--repeat", type=int, default=3, help="seeds (default: %(default)s)")
    parser.add_argument("--output", default=OUTPUT, help="where all results go as JSON")
    parser.add_argument("--from", dest="sources", action="append", metavar="FILE", help="print "
                        "the tables of results that are there, of several runs")  # fmt: skip
    return parser.parse_args()


def find_mode():
    """What this process may use: "tun", or "udp" and the reason."""
    try:
        for space in spaces.open_pair():
            space.close()
    except spaces.NotAllowed as refusal:
        return "udp", str(refusal)
    return "tun", ""


def jobs(row, known, wanted, mode):
    """Who is to be measured in a row: lists of ends, one of them or a pair."""
    if isinstance(row, rows.Share):
        pairs = [[known[name] for name in pair] for pair in row.pairs if set(pair) <= set(known)]
        controls = [[known[name], known["TCP cubic"]] for name in known if ", cc=" in name]
        controls = controls if "TCP cubic" in known else []
        chosen = (pairs + controls) if mode == "tun" else []
        return [pair for pair in chosen if not wanted or any(one.name in wanted for one in pair)]
    names = row.ends or [name for name in known if name not in rows.OPTIONAL]
    chosen = [known[name] for name in names if name in known]
    if wanted:
        chosen = [one for one in chosen if one.name in wanted]
    if row.is_udp_only or mode == "udp":
        chosen = [one for one in chosen if one.over == "udp"]
    return [[one] for one in chosen]


def run(row, chosen, seed, mode):
    """One measurement; what it says if it fails to start is its result."""
    try:
        if isinstance(row, rows.Share):
            return measure.share(row, chosen, seed)
        return measure.single(row, chosen[0], seed, mode)
    except measure.Failed as error:
        return {"ok": False, "error": str(error)}


def collect(arguments):
    """All results: a list of dicts with row, title, ends, seed and what was measured."""
    mode, refusal = find_mode()
    if refusal:
        print(f"net-report: UDP over loopback alone, no TCP: {refusal}", file=sys.stderr)
    known = ends.all_ends()
    results = []
    for row in rows.ROWS:
        if arguments.only and row.id not in arguments.only:
            continue
        for seed in range(1, arguments.repeat + 1):
            for chosen in jobs(row, known, arguments.end, mode):
                names = [one.name for one in chosen]
                print(f"net-report: {row.id}, seed {seed}: {names}", file=sys.stderr, flush=True)
                found = run(row, chosen, seed, mode)
                found["is_fate"] = bool(
                    getattr(row, "rebinds", 0) or getattr(row, "restart_ms", 0)
                )
                found.update(row=row.id, title=row.title, ends=names, seed=seed)
                results.append(found)
                save(arguments.output, results, mode)
    return {"about": about(mode), "results": results}


def about(mode):
    """On what it was measured."""
    return {
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "mode": mode,
        "tcp": ends.kernel_controls(),
        "python": platform.python_version(),
    }


def save(path, results, mode):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"about": about(mode), "results": results}, file, indent=1)


def merged(paths):
    """What several runs have collected."""
    runs = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            runs.append(json.load(file))
    return {"about": runs[0]["about"], "results": [one for run in runs for one in run["results"]]}


def main():
    arguments = parse()
    found = merged(arguments.sources) if arguments.sources else collect(arguments)
    print("\n".join(tables.lines(found)))
    late = [one["late_p99_ms"] for one in found["results"] if one.get("late_p99_ms")]
    if late:
        print(f"\nrelay late by (99 %): median {statistics.median(late):.1f} ms, "
              f"worst run {max(late):.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
