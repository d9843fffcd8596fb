#!/usr/bin/env python3
"""Runs the test files about hot code under CPython with the C module (KCP_BACKEND=native).

    tests/run_native.py [PYTEST_OPTION...]

Which files: those that `run_upy.py` runs with several twins, and MORE. KCP_EXTENSION is the folder
of the module (`make env` prints it).
"""

import os
import sys

import run_upy

# What only CPython runs and what the whole stack makes of it.
MORE = (
    "unit/test_aio.py",
    "unit/test_behind.py",
    "unit/test_blocking.py",
    "unit/test_blocking_server.py",
    "unit/test_carrier.py",
    "unit/test_cc.py",
    "unit/test_counters.py",
    "unit/test_endpoint.py",
    "unit/test_fec_auto.py",
    "unit/test_fec_edges.py",
    "unit/test_fec_hostile.py",
    "unit/test_ghosts.py",
    "unit/test_keeper.py",
    "unit/test_listener.py",
    "unit/test_messages.py",
    "unit/test_native_session.py",
    "unit/test_oob.py",
    "unit/test_oob_stream.py",
    "unit/test_options.py",
    "unit/test_rate_limit.py",
    "unit/test_rebind.py",
    "unit/test_reconnect.py",
    "unit/test_rs_oracle.py",
    "unit/test_stream.py",
    "unit/test_trace.py",
    "sim/test_forgotten.py",
    "sim/test_lifecycle.py",
    "sim/test_roaming.py",
)

# Tests that write into a session's ARQ, which only the one in Python lets them do.
PYTHON_ONLY = (
    "sim/test_forgotten.py::test_a_dead_path_after_late_packets_is_a_dead_path",
    "sim/test_forgotten.py::test_data_beyond_the_new_peers_window_is_noticed_too",
    "sim/test_roaming.py::test_it_takes_a_round_trip_and_what_was_under_way_is_sent_again_at_once",
    "sim/test_roaming.py::test_the_question_is_old_to_the_client_whatever_the_numbers",
)


def main():
    folder = os.environ.get("KCP_EXTENSION")
    if not folder:
        sys.exit("KCP_EXTENSION is not set; run `make test-host`, or see `make env`")
    files = [path for path in run_upy.shared_files() if "twins" in run_upy.options_of(path)]
    files = [path for path in files if not run_upy.listed(path, run_upy.MICROPYTHON_ONLY)]
    files += [path for path in MORE if path not in files]
    path = os.pathsep.join([os.environ.get("PYTHONPATH", run_upy.LIB), folder])
    environment = dict(os.environ, KCP_BACKEND="native", PYTHONPATH=path)
    command = [sys.executable, "-m", "pytest", "-q", *sys.argv[1:]]
    command += [os.path.join(run_upy.TESTS, path) for path in files]
    command += ["--deselect=tests/" + name for name in PYTHON_ONLY]
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    main()
