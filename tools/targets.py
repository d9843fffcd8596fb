#!/usr/bin/env python3
"""Runs the shared tests on every target, with every twin of the hot code that it has.

    tools/targets.py [--whole] [TARGET...]       after set-up (`make test-targets` does both)

Without --whole the emulated targets run the files of FAST (tests/target_files.py). Prints a row
per target at the end; exit code 1 if any failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests")
sys.path.insert(0, TESTS)

import run_twins  # noqa: E402
import run_upy  # noqa: E402
import target_files  # noqa: E402

# Target: what it is, and the twins of the hot code that it has (run_upy.setting() knows them).
# Files that are the same whichever runs are run with the first.
ROWS = {
    "unix": ("Linux, x86-64", ("viper", "python", "native x64.mpy", "native in firmware")),
    "arm": (
        "Linux, ARM hard-float, 32 bits (qemu-user)",
        ("viper", "python", "native armv7emdp.mpy"),
    ),
    "mips": (
        "Linux, MIPS big-endian (qemu-user)",
        ("python", "native in firmware", "native by ffi"),
    ),
    "mipsel": (
        "Linux, MIPS little-endian (qemu-user)",
        ("python", "native in firmware", "native by ffi"),
    ),
    "cortex-m3": (
        "bare metal, Cortex-M3 (qemu, MPS2 AN385)",
        ("viper", "python", "native armv7m.mpy", "native armv6m.mpy"),
    ),
    "cortex-m7": (
        "bare metal, Cortex-M7 (qemu, MPS2 AN500)",
        ("viper", "python", "native armv7emsp.mpy"),
    ),
    "riscv32": (
        "bare metal, RISC-V 32 (qemu, virt)",
        ("viper", "python", "native rv32imc.mpy"),
    ),
    "wasm": ("WebAssembly, MicroPython 1.29.0-6 of npm (node)", ("python",)),
}

BOARDS = ("cortex-m3", "cortex-m7", "riscv32")
OTHER_ROWS = {
    "serial": ("the boards' second serial port; mpremote; firmware of boards/", ("viper",)),
    "same": ("conversations of all these twins, compared datagram by datagram", ("all",)),
}


def pairs_of(target, is_whole):
    """What to run: (file, twin)."""
    files = run_upy.files_of(target, run_upy.shared_files())
    if not is_whole:
        files = [path for path in files if path in target_files.FAST]
    first, *others = ROWS[target][1]
    pairs = [(path, first) for path in files]
    for twin in others:
        wanted = [path for path in files if "twins" in run_upy.options_of(path)]
        if twin.startswith("native"):
            wanted += with_native(target, files, is_whole)
        pairs += [(path, twin) for path in dict.fromkeys(wanted)]
    if "native by ffi" in others:
        pairs += [(path, "python by ffi") for path in target_files.BY_FFI]
    return sorted(pairs, key=lambda pair: pair[0] != run_upy.BACKEND_SHOWN)


def with_native(target, files, is_whole):
    """What else a native twin runs; on some targets it has AES where the others have none."""
    wanted = [path for path in files if path in target_files.WITH_NATIVE]
    left_out = target_files.LEFT_OUT.get(target, {})
    wanted += [path for path in target_files.NATIVE_HAS if path in left_out]
    return [path for path in wanted if is_whole or path in target_files.FAST]


def run(target, is_whole, n_jobs):
    """(passed, failed, seconds) of a target; no interpreter counts as a failure."""
    print(f"== {target}: {ROWS[target][0]}", flush=True)
    begin = time.monotonic()
    totals = run_upy.run_target(target, pairs_of(target, is_whole), "", n_jobs, False) or (0, 1)
    return (*totals, time.monotonic() - begin)


def run_sessions(boards, is_whole):
    """(passed, failed, seconds) of sessions over the boards' second serial port."""
    print(f"== serial: sessions of {', '.join(boards)} with CPython and kcp-go", flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
        command += ["-k", " or ".join(boards), os.path.join(TESTS, "targets")]
        env = dict(os.environ, KCP_WHOLE="1" if is_whole else "")
        subprocess.run(command, env=env, check=False)
        suite = ET.parse(report).find("testsuite")
    n_failed = int(suite.get("failures")) + int(suite.get("errors"))
    n_passed = int(suite.get("tests")) - n_failed - int(suite.get("skipped"))
    return n_passed, n_failed + (n_passed == 0), time.monotonic() - begin


def run_conversations(targets, n_jobs):
    """(twins that agree, others, seconds): the conversations of tests/run_twins.py, some of them
    on each target, compared with CPython's."""
    print("== same: conversations of every twin, compared with CPython's", flush=True)
    begin = time.monotonic()
    counts = run_twins.run_targets({target: ROWS[target][1] for target in targets}, n_jobs)
    return (*counts, time.monotonic() - begin)


def show(results):
    """Print a row per target."""
    print("\n| target | how it runs | twins | tests | failed | seconds |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for target, (passed, failed, seconds) in results.items():
        what, twins = {**ROWS, **OTHER_ROWS}[target]
        print(f"| {target} | {what} | {', '.join(twins)} | {passed} | {failed} | {seconds:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(ROWS))
    parser.add_argument("--whole", action="store_true", help="every file, not only FAST")
    parser.add_argument("-j", dest="n_jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(ROWS)
    if unknown:
        sys.exit(f"no such target: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    results = {}
    for target in arguments.targets or ROWS:
        results[target] = run(target, arguments.whole, arguments.n_jobs)
    names = list(results)
    results["same"] = run_conversations(names, arguments.n_jobs)
    boards = [target for target in names if target in (*BOARDS, "mips")]
    if boards:
        results["serial"] = run_sessions(boards, arguments.whole)
    show(results)
    sys.exit(1 if any(failed for _, failed, _ in results.values()) else 0)


if __name__ == "__main__":
    main()
