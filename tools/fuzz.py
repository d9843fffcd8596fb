#!/usr/bin/env python3
"""Fuzzes the C core and the Python library, each part for a given time.

    tools/fuzz.py [--seconds N] [--seed SEED] [PART...]

Parts: the targets of tests/native/fuzz ("crypt", "rs", "fec", "session": C, under sanitizers);
"twins": conversations over links that lose and forge, in Python and C side by side; "hypothesis":
the tests of tests/unit that draw their cases, again and again. What fails is shown with what it
takes to repeat it.
"""

import argparse
import glob
import os
import random
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.join(ROOT, "tests")
sys.path[:0] = [
    os.path.join(ROOT, "tools", "native"),
    os.path.join(ROOT, "lib"),
    os.path.join(TESTS, "native", "twins"),
]

import fuzz_targets as targets  # noqa: E402 (beside the tools of the C core)

STEPS = 250


def twins(seconds, seed):
    """Conversations from this seed on until the time is over; what was done."""
    import arq_twins
    import session_twins
    import test_fec_twins

    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        arq_twins.run(seed + n, STEPS, hostile=n % 3 > 0)
        session_twins.run(seed + n, STEPS)
        if n % 8 == 0:
            test_fec_twins.run(seed + n)
        n += 1
    return f"twins, seed {seed}: {n} conversations of ARQs and of sessions, all the same"


def drawn_files():
    """The test files that draw their cases by hypothesis."""
    for path in sorted(glob.glob(os.path.join(TESTS, "unit", "test_*.py"))):
        with open(path, encoding="utf-8") as file:
            if "from hypothesis" in file.read():
                yield path


def hypothesis(seconds, seed):
    """Run those tests with other seeds until the time is over; what was done."""
    end, n = time.monotonic() + seconds, 0
    files = list(drawn_files())
    while time.monotonic() < end:
        argv = [sys.executable, "-m", "pytest", "-q", f"--hypothesis-seed={seed + n}", *files]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            sys.exit(f"{done.stdout}\n{' '.join(argv)}")
        n += 1
    return f"hypothesis, seed {seed}: {len(files)} files, {n} times"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--seconds", type=int, default=60, help="for each part")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    others = {"twins": twins, "hypothesis": hypothesis}
    for part in arguments.parts or [*targets.TARGETS, *others]:
        print(f"{part} for {arguments.seconds} s ...", flush=True)
        if part in others:
            print(others[part](arguments.seconds, arguments.seed), flush=True)
        elif part in targets.TARGETS:
            print(targets.run(part, f"{arguments.seconds}s", arguments.seed), flush=True)
        else:
            parser.error(f"no part {part!r}; there are: {' '.join([*targets.TARGETS, *others])}")


if __name__ == "__main__":
    main()
