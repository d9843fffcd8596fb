#!/usr/bin/env python3
"""The scenarios T01 to T20 against their pass marks; --write: into docs/scenarios.md, too.

    tools/scenario_report.py                  every row on CPython, the stated ones on MicroPython
    tools/scenario_report.py --only T05,T06   these rows, on CPython
    tools/scenario_report.py --seeds 3        with three seeds at most for each row

Exit code 1 if a mark is missed, a test fails, or MicroPython measures something else than CPython
with the same seed. What is run: tests/sim/table.py.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.join(ROOT, "tests")
PATH = os.path.join(ROOT, "docs", "scenarios.md")
sys.path[:0] = [os.path.join(ROOT, "lib"), TESTS]

from sim import table  # noqa: E402 (a package of the tests)

HEADS = ("row", "path, one way", "load", "mark", "CPython", "MicroPython", "asserted by")
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
OWN_TEST = "test_scenarios_table.py"


def on_micropython():
    """What MicroPython measures with seed 0: {row's index: figure}."""
    command = os.environ.get("KCP_MICROPYTHON")
    if not command:
        sys.exit('scenario_report: KCP_MICROPYTHON is not set; try: eval "$(make -s env)"')
    program = os.path.join(TESTS, "sim", "table.py")
    done = subprocess.run(
        [*shlex.split(command), "-X", "heapsize=64m", program],
        env={**os.environ, "MICROPYPATH": os.pathsep.join([*sys.path[:2], ".frozen"])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line.partition("|") for line in done.stdout.splitlines()]
    return {int(number): figure for number, _, figure in lines}


def run_tests(names):
    """Run the named tests of rows that have no figure; True if all pass."""
    paths = [os.path.join("tests", "sim", name) for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths]
    return (
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 0
    )


def measured(number, row, micropython, most_seeds):
    """(the cells for CPython and for MicroPython, is everything as it should be)"""
    _, _, _, what, n_seeds, tests = row
    if what.measure is None:
        passes = run_tests(tests)
        return ["pass" if passes else "FAIL", "pass, `make test`"], passes
    try:
        figure, is_good = what.measure(range(min(n_seeds[0], most_seeds)))
    except AssertionError as error:
        print(f"{row[:3]}: {error}", file=sys.stderr)
        figure, is_good = "", False
    cells = [figure if is_good else figure + " FAIL", ""]
    if number in micropython:
        cells[1] = micropython[number]
        if what.measure(range(n_seeds[2]))[0] != micropython[number]:
            cells[1] += " DIFFERS"
            is_good = False
    return cells, is_good


def line_of(row, cells):
    row_id, link, load, what, n_seeds, tests = row
    names = [*tests, *([OWN_TEST] if n_seeds[1] else ())]
    shown = ", ".join(f"`{re.sub('^test_|.py', '', name)}`" for name in names)
    return "| " + " | ".join([row_id, link, load, what.mark, *cells, shown]) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="rows, with commas between")
    parser.add_argument("--write", action="store_true", help="into docs/scenarios.md, too")
    parser.add_argument("--seeds", type=int, default=50, help="so many at most for each row")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",") if arguments.only else None
    micropython = {} if wanted else on_micropython()
    lines = ["| " + " | ".join(HEADS) + " |", "| " + " | ".join(["---"] * len(HEADS)) + " |"]
    is_good = True
    print("\n".join(lines))
    for number, row in enumerate(table.ROWS):
        if wanted is None or row[0] in wanted:
            cells, as_it_should = measured(number, row, micropython, arguments.seeds)
            is_good = is_good and as_it_should
            lines.append(line_of(row, cells))
            print(lines[-1], flush=True)
    if arguments.write:
        with open(PATH, encoding="utf-8") as file:
            head, _, rest = file.read().partition(BEGIN)
        _, _, tail = rest.partition(END)
        with open(PATH, "w", encoding="utf-8") as file:
            file.write(f"{head}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{tail}")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
