#!/usr/bin/env python3
"""Runs the interop matrix with kcp-go and prints it as Markdown; exit code 1 if a row fails.

    eval "$(make -s env)"
    tests/interop/matrix.py                  the rows of a push: every pair of values
    tests/interop/matrix.py --all            every combination (hours)
    tests/interop/matrix.py --only aes-128 --only micropython

--only keeps the rows whose name holds the word; several: those that hold all of them.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import matrix_rows
import matrix_run
from test_matrix import AT_ONCE, CASES, name_of


class Tally:
    """How many rows were run and how many passed, by any group of them."""

    def __init__(self):
        self.counts = {}

    def add(self, group, passed):
        n_passed, n = self.counts.get(group, (0, 0))
        self.counts[group] = n_passed + passed, n + 1

    def cell(self, group):
        n_passed, n = self.counts.get(group, (0, 0))
        return f"{n or ''}" if n_passed == n else f"**{n_passed} of {n}**"


def table(tally):
    """The matrix as Markdown: how many transfers passed, for each cipher and FEC setting."""
    heads = ["crypt", *["FEC " + name for name in matrix_rows.FECS]]
    yield "| " + " | ".join(heads) + " |"
    yield "| --- " + "| ---: " * len(matrix_rows.FECS) + "|"
    for crypt in matrix_rows.CIPHERS:
        cells = [tally.cell((crypt, fec)) for fec in matrix_rows.FECS]
        yield "| " + " | ".join([f"`{crypt}`", *cells]) + " |"
    yield ""
    yield "| our end | transfers passed |"
    yield "| --- | ---: |"
    for place in matrix_rows.PLACES:
        yield f"| {place[1]}, {place[0]} | {tally.cell(place)} |"


def attempt(place, row):
    """Run a row; what went wrong, '' if nothing did."""
    try:
        matrix_run.run(place, row)
    except Exception as error:  # a row that fails must not end the others
        return f"{type(error).__name__}: {error}"
    return ""


def run(cases, at_once):
    """Run the cases, print those that fail; returns a Tally."""
    tally = Tally()
    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(attempt, *case): case for case in cases}
        for i, future in enumerate(as_completed(futures), 1):
            place, row = case = futures[future]
            complaint = future.result()
            if complaint:
                print(f"FAILED {name_of(case)}: {complaint}", flush=True)
            for group in (place, (row["crypt"], row["fec"]), "all"):
                tally.add(group, not complaint)
            if i % 100 == 0:
                print(f"{i} of {len(cases)}", file=sys.stderr, flush=True)
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every combination")
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    parser.add_argument("-j", type=int, default=AT_ONCE, help="transfers at the same time")
    arguments = parser.parse_args()
    for name in ("KCP_PEERS", "KCP_MICROPYTHON"):
        if not os.environ.get(name):
            sys.exit(f'matrix: {name} is not set; try: eval "$(make -s env)"')
    cases = CASES
    if arguments.all:
        rows = matrix_rows.product()
        cases = [(place, row) for place in matrix_rows.PLACES for row in rows]
    cases = [case for case in cases if all(word in name_of(case) for word in arguments.only)]
    begin = time.monotonic()
    tally = run(cases, arguments.j)
    print("\n".join(table(tally)))
    n_passed, n = tally.counts.get("all", (0, 0))
    print(f"\n{n_passed} of {n} transfers passed, in {time.monotonic() - begin:.0f} s")
    sys.exit(0 if n and n_passed == n else 1)


if __name__ == "__main__":
    main()
