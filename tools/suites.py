#!/usr/bin/env python3
"""Runs suites of tests one after the other, and says at the end how long each took.

Usage: tools/suites.py [SUITE...], after set-up (`make test` does both). Exit code 1 if any failed.
"""

import subprocess
import sys
import time

PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=5", "--durations-min=5"]
SUITES = {
    "host": [*PYTEST, "--ignore=tests/interop", "--ignore=tests/targets"],
    "host-native": [sys.executable, "tests/run_native.py"],
    "upy": [sys.executable, "tests/run_upy.py"],
    "twins": [sys.executable, "tests/run_twins.py"],
    "native": [sys.executable, "tools/native/check.py"],
    "interop": [*PYTEST, "tests/interop"],
    "interop-native": [sys.executable, "tests/run_native.py", "--interop"],
}


def main():
    names = sys.argv[1:] or list(SUITES)
    rows = []
    for name in names:
        print(f"== {name}: {' '.join(SUITES[name][1:])}", flush=True)
        begin = time.monotonic()
        code = subprocess.run(SUITES[name], check=False).returncode
        rows.append((name, time.monotonic() - begin, code))
    print("\nsuite           wall s  result")
    for name, seconds, code in rows:
        print(f"{name:14} {seconds:7.1f}  {'ok' if code == 0 else f'FAILED (exit code {code})'}")
    sys.exit(1 if any(code for _, _, code in rows) else 0)


if __name__ == "__main__":
    main()
