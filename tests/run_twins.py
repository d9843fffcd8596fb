#!/usr/bin/env python3
"""Runs the same conversations in every twin of the library, and compares all that they do.

    tests/run_twins.py                         every scenario, in every twin of this machine
    tests/run_twins.py --seeds 5               the first 5 of the 200 seeds (30 scenarios each)
    tests/run_twins.py --only 1234             one scenario; with --trace, all that happens in it
    tests/run_twins.py --twins python,upy-viper

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
#: Every how manyth scenario an emulated machine runs: no divisor of PER_SEED.
SUBSET_STEPS, OTHER_STEP = {"arm": 47}, 211
SHOWN_BEFORE, SHOWN_CHARACTERS = 6, 3000
#: What must happen in the scenarios, so that no part of the library goes without comparison.
ENDS = ("ended:open", "ended:closed", "ended:ECONNRESET", "ended:ETIMEDOUT")
WANTED = (*drawn.COUNTED, *ENDS)


class Twin:
    """command: of the interpreter; environment: what its process has on top of ours; lib: folder
    of the library."""

    def __init__(self, name, command, environment, is_emulated=False, lib=run_upy.LIB):
        self.name, self.command, self.environment = name, command, environment
        self.is_emulated, self.lib = is_emulated, lib
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
        each_s = EMULATED_S if self.is_emulated else SCENARIO_S
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


def target_twins(target, backends):
    """The twins of an emulated machine (a target of run_upy.py); [] if it is not there."""
    command = shlex.split(os.environ.get(run_upy.TARGETS[target], ""))
    if not command:
        return []
    environment = {"KCP_TEST_TARGET": "arm"}
    return [
        Twin(f"{target}-{name}", command, {**environment, "KCP_BACKEND": name}, True)
        for name in backends
    ]


def emulated_subset(target, numbers):
    """Those of the scenarios that an emulated machine runs: some of every row, of many seeds."""
    return numbers[:: SUBSET_STEPS.get(target, OTHER_STEP)]


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
    show.append("to repeat it: tools/setup/env.py run tests/run_twins.py --only %d" % number)
    return "\n".join(show)


def compare(twins, numbers):
    """The first of these scenarios on which a twin differs from the first one, in words; None."""
    first = twins[0]
    for number in numbers:
        for twin in twins[1:]:
            if twin.found.get(number) != first.found.get(number):
                return difference(first, twin, number)
    return None


def run(twins, numbers, n_jobs, subset=range(0)):
    """Run the scenarios in all twins, of emulated machines only those of `subset`.

    Text about the first thing that went wrong; None: every two twins agree.
    """
    fast = [twin for twin in twins if not twin.is_emulated]
    slow = [twin for twin in twins if twin.is_emulated]
    pool = ThreadPoolExecutor(n_jobs)
    try:  # what takes long begins first, and is looked at last
        late = [pool.submit(twin.collect, subset) for twin in slow]
        for part in chunks(numbers):
            results = [pool.submit(twin.collect, part) for twin in fast]
            late.append((part, results))
        problem = None
        for part, results in [entry for entry in late if isinstance(entry, tuple)]:
            problem = next(filter(None, [result.result() for result in results]), None)
            problem = problem or compare(fast, part)
            if problem:
                return problem
        for result in late[: len(slow)]:
            problem = problem or result.result()
        return problem or compare([fast[0], *slow], subset)
    finally:
        pool.shutdown(cancel_futures=True)


def sums(twin):
    """The counts of all scenarios of a twin together, as {name: count}."""
    total = {}
    for _, counts in twin.found.values():
        for word in counts.split():
            name, _, n = word.partition("=")
            total[name] = total.get(name, 0) + int(n)
    return total


def show(twins, total):
    """Print a row per twin, and what happened in the scenarios."""
    print("\n| twin | what it is | scenarios | datagrams | bytes | seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for twin in twins:
        mine = sums(twin)
        print(
            f"| {twin.name} | {twin.about} | {len(twin.found)} | {mine.get('datagrams', 0)} |"
            f" {mine.get('bytes', 0)} | {twin.seconds:.0f} |"
        )
    print("\nin every one: " + ", ".join(f"{name} {n}" for name, n in sorted(total.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=drawn.SEEDS, help="how many seeds")
    parser.add_argument("--only", type=int, metavar="SCENARIO", help="this one alone")
    parser.add_argument("--twins", default="", help="these, separated by commas")
    parser.add_argument("--trace", action="store_true", help="with --only: print every entry")
    parser.add_argument("-j", dest="n_jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    begin = time.monotonic()
    twins, missing = host_twins()
    twins += target_twins("arm", ("python", "viper"))
    if arguments.twins:
        names = arguments.twins.split(",")
        twins = [twin for twin in twins if twin.name in names]
        missing = [name for name in names if name not in [twin.name for twin in twins]]
    for name in missing:
        print("not there: " + name)
    if len(twins) < 2 or (missing and (arguments.twins or os.environ.get("CI") == "true")):
        sys.exit("there are not the twins to compare")
    numbers = range(arguments.seeds * drawn.PER_SEED)
    subset = emulated_subset("arm", numbers)
    if arguments.only is not None:
        numbers = subset = range(arguments.only, arguments.only + 1)
        if arguments.trace:
            print("\n".join(twins[0].run(numbers, trace=True)[0]))
    problem = run(twins, numbers, arguments.n_jobs, subset)
    total = sums(twins[0])
    show(twins, total)
    unused = [name for name in WANTED if not total.get(name)]
    if unused and len(numbers) >= drawn.PER_SEED * drawn.SEEDS:
        problem = problem or f"no scenario has any of: {', '.join(unused)}"
    print(f"wall time: {time.monotonic() - begin:.1f} s")
    sys.exit(problem)


if __name__ == "__main__":
    main()
