#!/usr/bin/env python3
"""Measures this library and its peers side by side and prints a table of ratios.

    make bench                                        or, after set-up (see `make env`):
    tools/bench/main.py [--only NAME]... [--quick] [--repeat N] [--output FILE]

Every measurement is a process of its own (a transfer: two), the ends take turns, and the figures
are medians. On a machine that does other things too the ratios hold better than the rates.
"""

import argparse
import json
import os
import platform
import statistics
import sys

import ends
import rows

OUTPUT = os.path.join(os.path.dirname(os.path.dirname(ends.HERE)), "build", "bench.json")
SECONDS = 0.3
QUICK_SECONDS = 0.02


def measure(row, taking_part, repeat, seconds, problems):
    """{name of end: median rate} of a row; who fails is left out, and `problems` says why."""
    rates = {}
    left = list(taking_part)
    for turn in range(-1, repeat):
        for end in list(left):
            try:
                if turn < 0:
                    row.warm_up(end, seconds)
                else:
                    rates.setdefault(end.name, []).append(row.run(end, seconds))
            except ends.Failed as error:
                problems.append(f"{row.name}, {end.name}: {error}")
                left.remove(end)
                rates.pop(end.name, None)
        left = left[1:] + left[:1]  # nobody is always the first
    return {name: statistics.median(values) for name, values in rates.items()}


def compare(row, rates, ours):
    """The records of a row: one for each of our ends and each peer."""
    records = []
    for peer in row.peers:
        is_pypi = peer.startswith("PyPI")
        for end in ours:
            if peer not in rates or end.name not in rates:
                continue
            if is_pypi and end.runtime != "cpython":
                continue
            records.append(
                {
                    "name": f"{row.name} vs {peer}" if is_pypi else row.name,
                    "runtime": end.runtime,
                    "twin": end.twin,
                    "ours": rates[end.name],
                    "peer": rates[peer],
                    "ratio": rates[end.name] / rates[peer],
                    "unit": row.unit,
                }
            )
    return records


def figure(value):
    """Three significant digits."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.{1 if value >= 10 else 2 if value >= 1 else 4 if value < 0.01 else 3}f}"


def table(records):
    """Lines of Markdown."""
    head = ("name", "runtime", "twin", "ours", "peer", "ratio", "unit")
    cells = [head] + [
        (
            r["name"],
            r["runtime"],
            r["twin"],
            figure(r["ours"]),
            figure(r["peer"]),
            figure(r["ratio"]),
            r["unit"],
        )
        for r in records
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    right = (False, False, False, True, True, True, False)
    lines = []
    for line in cells:
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right)]
        lines.append("| " + " | ".join(padded) + " |")
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right)]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return lines


def chosen(names):
    """The rows that --only names; all without it."""
    if not names:
        return list(rows.ROWS)
    found = [row for row in rows.ROWS if row.name in names]
    unknown = set(names) - {row.name for row in found}
    if unknown:
        known = ", ".join(row.name for row in rows.ROWS)
        sys.exit(f"bench: no row {', '.join(sorted(unknown))}; there are: {known}")
    return found


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", action="append", help="measure this row only")
    parser.add_argument("--repeat", type=int, default=5, help="how often (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="once and briefly: does it run?")
    parser.add_argument("--output", default=OUTPUT, help="where the records go as JSON")
    return parser.parse_args()


def main():
    options = parse()
    wanted = chosen(options.only)
    repeat, seconds = (1, QUICK_SECONDS) if options.quick else (options.repeat, SECONDS)
    there = ends.found()
    ours = [end for end in there.values() if end.is_ours]
    records, problems = [], []
    for row in wanted:
        print(f"bench: {row.name} ...", file=sys.stderr, flush=True)
        names = [*(end.name for end in ours), *(name for name in row.peers if name in there)]
        rates = measure(row, [there[name] for name in names], repeat, seconds, problems)
        records += compare(row, rates, ours)
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()},",
        end=" ",
    )
    print(f"medians of {repeat}\n")
    print("\n".join(table(records)))
    print("\n" + rows.LEGEND)
    for problem in problems:
        print("bench: " + problem, file=sys.stderr)
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w") as file:
        json.dump(records, file, indent=1)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
