#!/usr/bin/env python3
"""Runs the test files about hot code under CPython with the C module (KCP_BACKEND=native).

    tests/run_native.py [PYTEST_OPTION...]
    tests/run_native.py --interop [PYTEST_OPTION...]

Which files: those that `run_upy.py` runs with the C module, and MORE; or PEERS, in which CPython
with the C module talks to kcp-go. KCP_EXTENSION is the folder of the module (`make env` prints
it).
"""

import os
import sys

import run_upy

# What only CPython runs.
MORE = (
    "unit/test_fec_edges.py",
    "unit/test_fec_hostile.py",
    "unit/test_native_misuse.py",
    "unit/test_native_session.py",
    "unit/test_rs_oracle.py",
)

PEERS = (
    "interop/test_counters_vs_go.py",
    "interop/test_fec_ratios.py",
    "interop/test_roaming_peers.py",
    "interop/test_udp_oob.py",
    "interop/test_udp_settings.py",
)


def main():
    folder = os.environ.get("KCP_EXTENSION")
    if not folder:
        sys.exit("KCP_EXTENSION is not set; run `make test-host`, or see `make env`")
    files = [path for path in run_upy.shared_files() if "twins" in run_upy.options_of(path)]
    files = [path for path in files if not run_upy.listed(path, run_upy.MICROPYTHON_ONLY)]
    files += [path for path in (*run_upy.STACK, *MORE) if path not in files]
    options = sys.argv[1:]
    if options[:1] == ["--interop"]:
        files = PEERS
        options[0:1] = ["-k", "not micropython and not runtimes"]
    path = os.pathsep.join([os.environ.get("PYTHONPATH", run_upy.LIB), folder])
    environment = dict(os.environ, KCP_BACKEND="native", PYTHONPATH=path)
    command = [sys.executable, "-m", "pytest", "-q", *options]
    command += [os.path.join(run_upy.TESTS, path) for path in files]
    for path, names in run_upy.PYTHON_ONLY.items():
        command += [f"--deselect=tests/{path}::{name}" for name in names]
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    main()
