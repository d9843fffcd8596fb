#!/usr/bin/env python3
"""Runs the shared test files under MicroPython: the unix port, a 32-bit ARM build, the C module.

    tests/run_upy.py                      every shared file, on both
    tests/run_upy.py --target unix arq    only files whose path holds "arq"
    tests/run_upy.py -k wrap              only tests whose name holds "wrap"

The interpreters are named by KCP_MICROPYTHON and KCP_UPY_ARM (a command line; `make env` prints
both). Without the ARM one its suite is skipped on a user's machine, and failed when CI=true.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import target_files

TESTS = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(os.path.dirname(TESTS), "lib")
FFI = os.path.join(os.path.dirname(TESTS), "native", "ffi")

# Folders ("name/") and files that only CPython can run, each with its reason. Everything else that
# is called test_*.py must run under MicroPython.
CPYTHON_ONLY = {
    "api/": "runs user programs on both runtimes in subprocesses, and tests what only CPython has",
    "diff/": "starts the twins as subprocesses",
    "cli/": "drives the command line in subprocesses, which MicroPython has not",
    "native/": "compiles the C core, and drives it through ctypes",
    "interop/": "starts Go peers and other interpreters as subprocesses",
    "sim/test_cubic.py": "tests the simulator's TCP, whose floats fill a small heap",
    "targets/": "drives emulated boards from outside",
    "unit/test_rs_oracle.py": "compares with reedsolo, by hypothesis",
    "unit/test_fec_hostile.py": "makes its packets with hypothesis",
    "unit/test_crypt_twins.py": "compares with hypothesis, `cryptography` and hashlib",
    "unit/test_native_misuse.py": "is about CPython's extension",
    "unit/test_native_session.py": "is about CPython's extension",
    "unit/test_native_twins.py": "compares with hypothesis, on CPython",
    "unit/test_random_twins.py": "forks, starts threads, and runs MicroPython's twin on CPython",
}

# What CPython cannot run (pytest does not collect these).
MICROPYTHON_ONLY = {
    "device/": "measures the heap of MicroPython",
    "ffi/": "loads a shared library by MicroPython's module ffi",
    "unit/test_blocking_streams.py": "uses MicroPython's stream protocol",
    "unit/test_viper.py": "is about MicroPython's machine code",
}

# Real sockets and the machine's clock: a neighbour that takes the processor away can fail these.
# One that fails is run once more, and both runners say so. What has no clock is not, for a seed
# that fails must not get lost.
REAL_TIME = {
    "api/",
    "cli/",
    "interop/",
    "targets/",
    "device/test_heap_blocking.py",
    "unit/test_aio.py",
    "unit/test_blocking.py",
    "unit/test_blocking_carrier.py",
    "unit/test_blocking_server.py",
    "unit/test_blocking_streams.py",
    "unit/test_carrier.py",
    "unit/test_deadlines.py",
    "unit/test_defects.py",
    "unit/test_keeper_stream.py",
    "unit/test_memory_carrier.py",
    "unit/test_oob_stream.py",
    "unit/test_rebind.py",
    "unit/test_reconnect.py",
    "unit/test_reconnect_chaos.py",
    "unit/test_reconnect_trouble.py",
    "unit/test_radio_carriers.py",
    "unit/test_serial.py",
    "unit/test_stream.py",
}
NO_CLOCK = {
    "api/test_names.py",
    "api/test_typing.py",
    "interop/test_conformance.py",
    "interop/test_conformance_native.py",
    "interop/test_fec_diff.py",
    "interop/test_fec_ratios.py",
    "interop/test_go_names.py",
    "interop/test_sim_vs_go.py",
    "interop/test_vectors.py",
}

# What the whole stack makes of a session: these run over the one in C, too.
STACK = (
    "unit/test_aio.py",
    "unit/test_behind.py",
    "unit/test_blocking.py",
    "unit/test_blocking_server.py",
    "unit/test_carrier.py",
    "unit/test_cc.py",
    "unit/test_counters.py",
    "unit/test_endpoint.py",
    "unit/test_fec_auto.py",
    "unit/test_ghosts.py",
    "unit/test_keeper.py",
    "unit/test_listener.py",
    "unit/test_messages.py",
    "unit/test_oob.py",
    "unit/test_oob_stream.py",
    "unit/test_options.py",
    "unit/test_rate_limit.py",
    "unit/test_rebind.py",
    "unit/test_reconnect.py",
    "unit/test_reconnect_chaos.py",
    "unit/test_reconnect_trouble.py",
    "unit/test_stream.py",
    "unit/test_trace.py",
    "sim/test_forgotten.py",
    "sim/test_lifecycle.py",
    "sim/test_roaming.py",
)

# Of these, what writes into a session's ARQ, which only the one in Python lets a test do.
PYTHON_ONLY = {
    "sim/test_forgotten.py": (
        "test_a_dead_path_after_late_packets_is_a_dead_path",
        "test_data_beyond_the_new_peers_window_is_noticed_too",
    ),
    "sim/test_roaming.py": (
        "test_it_takes_a_round_trip_and_what_was_under_way_is_sent_again_at_once",
        "test_the_question_is_old_to_the_client_whatever_the_numbers",
    ),
}

# Target: the variable with the command line of its interpreter. Those of more than two are set up
# by `make test-targets` (tools/targets.py).
TARGETS = {
    "unix": "KCP_MICROPYTHON",
    "arm": "KCP_UPY_ARM",
    "natmod": "KCP_MICROPYTHON",
    "usermod": "KCP_UPY_NATIVE",
    **target_files.VARIABLES,
}
# Those that have the C module: as a dynamic module, and in the interpreter.
NATIVE = ("natmod", "usermod")
# A test file whose output is worth reading: it prints the twin in use.
BACKEND_SHOWN = "unit/test_backend_in_use.py"
FAST_TIMEOUT_S, SLOW_TIMEOUT_S = 120, 600
OPTION_LINES = 20  # a file's "# upy:" line is looked for in so many lines
OPTIONS = {"heapsize", "timeout", "timeout_arm", "arm", "twins"}


def listed(relative_path, table):
    """True if the path is one of the table's files or lies in one of its folders."""
    return any(
        relative_path == entry or (entry.endswith("/") and relative_path.startswith(entry))
        for entry in table
    )


def is_unsteady(relative_path):
    """True if the machine can fail the test file, not only the library."""
    return listed(relative_path, REAL_TIME) and not listed(relative_path, NO_CLOCK)


def shared_files():
    """Paths, relative to tests/, of the test files that MicroPython has to run, sorted.

    But for ffi/, which only some targets can (target_files.BY_FFI)."""
    found = []
    for folder, _, names in os.walk(TESTS):
        for name in names:
            if name.startswith("test_") and name.endswith(".py"):
                path = os.path.relpath(os.path.join(folder, name), TESTS)
                path = path.replace(os.sep, "/")
                if not listed(path, CPYTHON_ONLY) and not path.startswith("ffi/"):
                    found.append(path)
    return sorted(found)


def options_of(relative_path):
    """What a file's line `# upy: heapsize=4m arm=no twins=python` says, as a dict of strings."""
    with open(os.path.join(TESTS, relative_path), encoding="utf-8") as file:
        for _, line in zip(range(OPTION_LINES), file):
            if line.startswith("# upy:"):
                words = line[6:].split("#")[0].split()
                options = dict(word.partition("=")[::2] for word in words)
                unknown = set(options) - OPTIONS
                if unknown:
                    sys.exit(f"{relative_path}: unknown option {sorted(unknown)} in '# upy:'")
                return options
    return {}


def with_twins(target, files):
    """Pairs of a file and a twin of the hot code (None: the best there is): a file whose options
    say `twins=python` runs with that one, too. On a target that has the C module, it runs with
    that, as those of STACK do, and the others do not run."""
    if target in NATIVE:
        files = [path for path in files if path in STACK or "twins" in options_of(path)]
        return [(path, "native") for path in files]
    pairs = []
    for path in files:
        pairs.append((path, None))
        twins = options_of(path).get("twins")
        pairs += [(path, twin) for twin in twins.split(",")] if twins else []
    return pairs


def run_steadily(target, relative_path, twin, word):
    """As run_file(); a file of REAL_TIME that fails is run once more, and the output says so."""
    outcome = run_file(target, relative_path, twin, word)
    if outcome[1] and is_unsteady(relative_path):
        first, outcome = outcome, run_file(target, relative_path, twin, word)
        n_passed, n_failed, seconds, text = outcome
        text = f"{first[3]}{relative_path} ({target}): RERUN, as it failed\n{text}"
        outcome = n_passed, n_failed, first[2] + seconds, text
    return outcome


def setting(target, twin):
    """(command line of the interpreter, environment) of a twin on a target."""
    # To the tests every emulated machine is as the ARM one: slow, and with 32 bits.
    env = dict(os.environ, KCP_TEST_TARGET="unix" if target == "unix" else "arm")
    backend, _, form = (twin or "").partition(" ")
    variable = target_files.INTERPRETERS.get((target, form), TARGETS[target])
    if backend:
        env["KCP_BACKEND"] = backend
    if form.endswith(".mpy"):
        folder = os.environ.get("KCP_NATMOD_" + form[:-4].upper(), "")
        env.update(KCP_NATMOD=folder, MICROPYPATH=".frozen:" + folder)
    elif form == "by ffi":
        folder = os.environ.get("KCP_LIBRARY_" + target.upper(), "")
        env["KCP_LIBRARY"] = os.path.join(folder, "libkcp.so")
        env["MICROPYPATH"] = ".frozen:" + FFI
    elif target == "natmod":
        env["MICROPYPATH"] = ".frozen:" + os.environ.get("KCP_NATMOD", "")
    else:
        env["KCP_NATMOD"] = ""
    return shlex.split(os.environ.get(variable, "")), env


def run_file(target, relative_path, twin, word):
    """Run one file; (n_passed, n_failed, seconds, output)."""
    options = options_of(relative_path)
    timeout_s = int(options.get("timeout", FAST_TIMEOUT_S))
    if target != "unix":
        timeout_s = int(options.get("timeout_arm", max(timeout_s, SLOW_TIMEOUT_S)))
    argv, env = setting(target, twin)
    if "heapsize" in options:
        argv += ["-X", "heapsize=" + options["heapsize"]]
    argv += [os.path.join(TESTS, "upy_runner.py"), TESTS, LIB, os.path.join(TESTS, relative_path)]
    left_out = PYTHON_ONLY.get(relative_path, ()) if (twin or "").startswith("native") else ()
    argv += [word, *left_out]
    begin = time.monotonic()
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            env=env,
            check=False,
        )
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        output, code = error.stdout or b"", f"stopped after {timeout_s} s"
    seconds = time.monotonic() - begin
    text = output.decode("utf-8", "replace")
    totals = re.search(r"^@@ (\d+) (\d+)\s*\Z", text, re.MULTILINE)
    if totals is None or code != 0:
        return 0, 1, seconds, f"{text}\n{relative_path}: ended without a result (exit: {code})\n"
    n_passed, n_failed = int(totals[1]), int(totals[2])
    text = text[: totals.start()]
    if n_passed + n_failed == 0 and not word:
        return 0, 1, seconds, f"{text}{relative_path}: holds no test\n"
    return n_passed, n_failed, seconds, text


def run_target(target, pairs, word, n_jobs, verbose):
    """Run pairs of a file and a twin under one interpreter, print each and the totals.

    (tests that passed, that failed); None: there is no interpreter.
    """
    if not setting(target, None)[0]:
        print(f"micropython-{target}: {TARGETS[target]} is not set; run `make env` to see why")
        return None
    begin = time.monotonic()
    total_passed = total_failed = 0
    with ThreadPoolExecutor(n_jobs) as pool:
        results = pool.map(lambda pair: run_steadily(target, *pair, word), pairs)
        for (path, twin), (n_passed, n_failed, seconds, text) in zip(pairs, results):
            total_passed += n_passed
            total_failed += n_failed
            where = f"{target}, {twin}" if twin else target
            print(f"{path} ({where}): {n_passed} ok, {n_failed} not ok, {seconds:.1f} s")
            if n_failed or verbose or "RERUN" in text or path == BACKEND_SHOWN:
                print(text, end="")
            sys.stdout.flush()
    if total_passed + total_failed == 0:
        print("no test was run, which counts as a failure")
        total_failed = 1
    print(f"wall time: {time.monotonic() - begin:.1f} s")
    print(f"micropython-{target}: {total_passed} passed, {total_failed} failed", flush=True)
    return total_passed, total_failed


def files_of(target, files):
    """Those of the files that the target can run."""
    if target not in ("unix", *NATIVE):
        files = [path for path in files if options_of(path).get("arm") != "no"]
    left_out = target_files.LEFT_OUT.get(target, {})
    return [path for path in files if not listed(path, left_out)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", help="run only files whose path holds one of these")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    parser.add_argument("-k", dest="word", default="", help="only tests whose name holds this")
    parser.add_argument("-j", dest="n_jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-v", "--verbose", action="store_true", help="print what files print")
    arguments = parser.parse_args()
    files = shared_files()
    if arguments.paths:
        parts = [part[6:] if part.startswith("tests/") else part for part in arguments.paths]
        files = [path for path in files if any(part in path for part in parts)]
    good = True
    for target in arguments.target or ["unix", "arm", *NATIVE]:
        pairs = with_twins(target, files_of(target, files))
        totals = run_target(target, pairs, arguments.word, arguments.n_jobs, arguments.verbose)
        if totals is None:
            good &= target == "arm" and os.environ.get("CI") != "true"
        else:
            good &= totals[1] == 0
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
