"""What pytest needs to run the shared test files as they are."""

import asyncio
import inspect
import os
import signal

import pytest
import run_upy

TESTS = os.path.dirname(os.path.abspath(__file__))

# In the background of a shell it is ignored, also by the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path):
    """Leave out what only MicroPython can run (None: pytest decides)."""
    path = os.path.relpath(str(collection_path), TESTS).replace(os.sep, "/")
    if run_upy.listed(path, run_upy.MICROPYTHON_ONLY):
        return True
    return None


def pytest_collection_modifyitems(items):
    """Let what depends on the machine's clock fail once; it is run once more."""
    for item in items:
        path = os.path.relpath(str(item.path), TESTS).replace(os.sep, "/")
        if run_upy.is_unsteady(path):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter):
    """Show how a test failed that passed when it was run once more."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.write_sep("-", f"RERUN {report.nodeid}")
        report.toterminal(terminalreporter._tw)


def pytest_pyfunc_call(pyfuncitem):
    """Run a test that is a coroutine function to its end, in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
