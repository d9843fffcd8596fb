"""Helpers for the tests of the blocking API that only CPython can run."""

import os
import subprocess
import sys
import textwrap
import threading
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIB = os.path.join(os.path.dirname(TESTS), "lib")
PATIENCE_S = 30


def in_thread(function, *arguments):
    """Run a call in a thread; join() returns its result or raises what it raised."""
    outcome = []

    def run():
        try:
            outcome.append((function(*arguments), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the call does not return"
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    return join


def until(condition):
    """Wait until it is so."""
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def run(program, timeout_s=30, **options):
    """Run a program text with a Pair's worth of names; (exit code, stdout, stderr, seconds)."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join((LIB, os.path.join(TESTS, "unit"))))
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env=env,
        timeout=timeout_s,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr, time.monotonic() - begin
