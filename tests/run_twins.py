#!/usr/bin/env python3
"""Runs the same conversations in every twin of the library, and compares all that they do.

    tests/run_twins.py                         every scenario, in every twin of this machine
    tests/run_twins.py --seeds 5               the first 5 of the 200 seeds (30 scenarios each)
    tests/run_twins.py --only 1234             one scenario; with --trace, all that happens in it
    tests/run_twins.py --twins python,upy-viper --target "mips, python"

A scenario (tests/diff/drawn.py) is two sessions, what their applications do, and a simulated path
that loses, reorders, repeats and damages; chance and time are injected. Each twin runs in its own
process and gives a digest of every datagram (with its time), of all that the sessions' verbs
return, and of their counters at the end (tests/diff/conversation.py). The first scenario that two
twins do not agree on is run again in both, and the first entry that differs is shown.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import run_upy
from diff import drawn

PROGRAM = os.path.join(run_upy.TESTS, "diff", "digests.py")
CHUNK = 10 * drawn.PER_SEED
#: Seconds that a process may take for itself and for one scenario, on a slow and busy machine.
BASE_S, SCENARIO_S, EMULATED_S = 120, 1, 40
#: Every how manyth scenario an emulated machine runs: no multiple of 2, 3 or 5, so that all rows
#: come.
LINUX = ("unix", "arm", "mips", "mipsel", "wasm")
LINUX_STEP, BOARD_STEP = 47, 211
ALL = range(drawn.SEEDS * drawn.PER_SEED)
SHOWN_BEFORE, SHOWN_CHARACTERS = 6, 3000
#: What must happen in the scenarios, so that no part of the library goes without comparison.
ENDS = ("ended:open", "ended:closed", "ended:ECONNRESET", "ended:ETIMEDOUT")
WANTED = (*drawn.COUNTED, *ENDS)


class Twin:
    """command: of the interpreter; environment: what its process has on top of ours; step: every
    how manyth scenario it runs; lib: folder of the library."""

    def __init__(self, name, command, environment, step=1, lib=run_upy.LIB):
        self.name, self.command, self.environment = name, command, environment
        self.step, self.lib = step, lib
        self.about = ""
        self.seconds = 0.0  # of its processes, one after the other
        self.found = {}  # scenario -> (digest, counts)

    def run(self, numbers, trace=False):
        """Run a range of scenarios; (lines that were printed, None or what went wrong)."""
        words = [str(numbers.start), str(numbers.stop), str(numbers.step)]
        environment = dict(os.environ, **self.environment)
        environment["KCP_SCENARIOS"] = ",".join(words + ["trace"] * trace)
        argv = [*self.command, os.path.join(run_upy.TESTS, "upy_runner.py"), run_upy.TESTS]
        argv += [self.lib, PROGRAM]
        each_s = SCENARIO_S if self.step == 1 else EMULATED_S
        timeout_s = BASE_S + each_s * len(numbers)
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            text = (error.stdout or b"").decode("utf-8", "replace")
            return text.splitlines(), f"stopped after {timeout_s} s"
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        if done.returncode or lines[-1:] != ["@@ 1 0"]:
            return lines, f"ended without a result (exit code {done.returncode})"
        return lines, None

    def collect(self, numbers):
        """Run scenarios and keep what they give; None, or what went wrong."""
        begin = time.monotonic()
        lines, problem = self.run(numbers)
        self.seconds += time.monotonic() - begin
        for line in lines:
            words = line.split()
            if words[:2] == ["@", "twin"]:
                self.about = f"{words[2]}, session in {words[3]}"
            elif words[:1] == ["@"]:
                self.found[int(words[1])] = words[2], line.partition(words[2])[2]
        if problem is None:
            missing = [number for number in numbers if number not in self.found]
            problem = f"no digest of scenario {missing[0]}" if missing else None
        if problem:
            last = "\n".join(line[:SHOWN_CHARACTERS] for line in lines[-20:])
            return (
                f"{self.name}, scenarios {numbers.start} to {numbers.stop - 1}: {problem}\n{last}"
            )
        return None


def host_twins():
    """(the twins of this machine's own processor, sentences about those that are missing)."""
    variables = "KCP_PYTHON", "KCP_EXTENSION", "KCP_MICROPYTHON", "KCP_NATMOD", "KCP_UPY_NATIVE"
    cpython, extension, upy, natmod, usermod = [os.environ.get(name, "") for name in variables]
    path = os.environ.get("PYTHONPATH", run_upy.LIB)
    wanted = (
        ("python", cpython, "python", {}),
        ("native", extension and cpython, "native", _path("PYTHONPATH", path, extension)),
        ("upy-python", upy, "python", {}),
        ("upy-viper", upy, "viper", {}),
        ("upy-natmod", natmod and upy, "native", _path("MICROPYPATH", ".frozen", natmod)),
        ("upy-usermod", usermod, "native", {}),
    )
    twins, missing = [], []
    for name, command, backend, environment in wanted:
        if command:
            twins.append(Twin(name, shlex.split(command), dict(environment, KCP_BACKEND=backend)))
        else:
            missing.append(f"{name}: one of {', '.join(variables)} is not set; see `make env`")
    return twins, missing


def _path(name, *folders):
    return {name: os.pathsep.join(folders)}


def target_twins(target, names):
    """Those twins of an emulated machine that are there, by what run_upy.setting() calls them."""
    step = LINUX_STEP if target in LINUX else BOARD_STEP
    twins = []
    for name in names:
        command, environment = run_upy.setting(target, name)
        if command:
            twins.append(Twin(f"{target}, {name}", command, environment, step))
    return twins


def chunks(numbers, size=CHUNK):
    """Cut a range of scenarios into ranges of at most `size`."""
    step = size * numbers.step
    return [
        range(first, min(first + step, numbers.stop), numbers.step)
        for first in range(numbers.start, numbers.stop, step)
    ]


def difference(one, other, number):
    """Run a scenario again in two twins; text that shows where they part."""
    texts = []
    for twin in (one, other):
        lines, problem = twin.run(range(number, number + 1), trace=True)
        texts.append([line for line in lines if line[:1] != "@"] + ([problem] if problem else []))
    at = 0
    while at < min(map(len, texts)) and texts[0][at] == texts[1][at]:
        at += 1
    show = [f"scenario {number}: {drawn.in_words(number)}: {one.name} and {other.name} differ"]
    show += [f"entry {at}; the last ones that are the same:"]
    show += [f"    {line[:SHOWN_CHARACTERS]}" for line in texts[0][max(0, at - SHOWN_BEFORE) : at]]
    for twin, lines in zip((one, other), texts):
        line = lines[at] if at < len(lines) else "(nothing more)"
        show.append(f"  {twin.name}: {line[:SHOWN_CHARACTERS]}")
    show.append(
        "(an entry: > a datagram sent, i taken or not, r read, w written, o out-of-band, t"
        " timeout(), g gauges, c counters, y why it ended, others: acts of the script)"
    )
    targets = [f' --target "{twin.name}"' for twin in (one, other) if twin.step > 1]
    setup = "--only python,micropython,arm,native,targets " if targets else ""
    show.append(
        f"to repeat it: tools/setup/env.py {setup}run tests/run_twins.py{''.join(targets)}"
        f" --only {number}"
    )
    return "\n".join(show)


def compare(first, twin, numbers):
    """The first of these scenarios on which the two differ, in words; None if there is none."""
    for number in numbers:
        if twin.found[number] != first.found[number]:
            return difference(first, twin, number)
    return None


def run(twins, numbers, n_jobs):
    """Run the scenarios in all twins (each does every twin.step-th), and compare with the first.

    Text about the first thing that went wrong; None: every two twins agree.
    """
    slow = [(twin, numbers[:: twin.step]) for twin in twins if twin.step > 1]
    fast = [(twin, part) for part in chunks(numbers) for twin in twins if twin.step == 1]
    pool = ThreadPoolExecutor(n_jobs)
    try:  # what takes long begins first, and is looked at last
        slow = [(*job, pool.submit(job[0].collect, job[1])) for job in slow]
        fast = [(*job, pool.submit(job[0].collect, job[1])) for job in fast]
        for twin, part, result in fast + slow:
            problem = result.result() or compare(twins[0], twin, part)
            if problem:
                return problem
        return None
    finally:
        pool.shutdown(cancel_futures=True)


def run_targets(rows, n_jobs):
    """Compare twins of emulated machines with CPython's plain ones, and print a row for each.

    rows: {target: names of its twins}. (How many twins agree, how many do not or are not there).
    """
    twins = [twin for target, names in rows.items() for twin in target_twins(target, names)]
    problem = None
    for step in sorted({twin.step for twin in twins}):
        first = host_twins()[0][0]
        first.step = step
        some = [first] + [twin for twin in twins if twin.step == step]
        problem = run(some, ALL, n_jobs)
        show(some)
        if problem:
            print(problem)
            break
    n_wanted = sum(map(len, rows.values()))
    n_missing = n_wanted - len(twins)
    return (0, n_wanted) if problem else (len(twins), n_missing)


def sums(twin):
    """The counts of all scenarios of a twin together, as {name: count}."""
    total = {}
    for _, counts in twin.found.values():
        for word in counts.split():
            name, _, n = word.partition("=")
            total[name] = total.get(name, 0) + int(n)
    return total


def show(twins):
    """Print a row per twin."""
    print("\n| twin | what it is | scenarios | datagrams | bytes | seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for twin in twins:
        mine = sums(twin)
        print(
            f"| {twin.name} | {twin.about} | {len(twin.found)} | {mine.get('datagrams', 0)} |"
            f" {mine.get('bytes', 0)} | {twin.seconds:.0f} |"
        )
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=drawn.SEEDS, help="how many seeds")
    parser.add_argument("--only", type=int, metavar="SCENARIO", help="this one alone")
    parser.add_argument("--twins", default="", help="only twins whose names hold one of these")
    parser.add_argument(
        "--target",
        dest="targets",
        action="append",
        metavar="TARGET, TWIN",
        help="a twin of an emulated machine, as tools/targets.py names it (default: both of arm)",
    )
    parser.add_argument("--trace", action="store_true", help="with --only: print every entry")
    parser.add_argument("-j", dest="n_jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    begin = time.monotonic()
    twins, missing = host_twins()
    for name in arguments.targets or ("arm, python", "arm, viper"):
        target, _, backend = name.partition(", ")
        found = target_twins(target, (backend,))
        twins += found
        missing += [] if found else [f"{name}: its interpreter is not set; see `make env`"]
    if arguments.twins:
        names = arguments.twins.split(",")
        twins = [twin for twin in twins if any(name in twin.name for name in names)]
    for sentence in missing:
        print("not there: " + sentence)
    if len(twins) < 2 or (missing and os.environ.get("CI") == "true"):
        sys.exit("there are not the twins to compare")
    numbers = range(arguments.seeds * drawn.PER_SEED)
    if arguments.only is not None:
        numbers = range(arguments.only, arguments.only + 1)
        if arguments.trace:
            print("\n".join(twins[0].run(numbers, trace=True)[0]))
    problem = run(twins, numbers, arguments.n_jobs)
    show(twins)
    total = sums(twins[0])
    print("in all of them: " + ", ".join(f"{name} {n}" for name, n in sorted(total.items())))
    unused = [name for name in WANTED if not total.get(name)]
    for twin in twins:
        if twin.about == "native, session in Python":
            problem = problem or f"{twin.name} has no session in C"
    if unused and len(numbers) >= len(ALL):
        problem = problem or f"no scenario has any of: {', '.join(unused)}"
    print(f"wall time: {time.monotonic() - begin:.1f} s")
    sys.exit(problem)


if __name__ == "__main__":
    main()
