"""Runs one shared test file inside MicroPython (started by run_upy.py, one process per file).

Usage: micropython upy_runner.py TESTS_DIR LIB_DIR FILE [WORD [LEFT_OUT...]]
Imports FILE and calls every function `test_*` in it (only those whose name holds WORD, if given,
and that are not LEFT_OUT); what a test returns that can be sent to is a coroutine and is run by
asyncio. Ends with a line `@@ N_PASSED N_FAILED` that run_upy.py reads. A file that cannot be
imported counts as a failure.
"""

import sys


def _run_one(name, function):
    """Call one test; True if it passed, else its traceback has been printed."""
    try:
        result = function()
        if hasattr(result, "send"):
            _run_coroutine(result)
        return True
    except (Exception, SystemExit) as error:
        print("FAILED", name)
        sys.print_exception(error)
        return False


def _run_coroutine(coroutine):
    import asyncio

    try:
        asyncio.run(coroutine)
    finally:
        asyncio.new_event_loop()  # MicroPython's loop is global: leave nothing behind for the next


def _load(path):
    """Import the test file; the module, or None after its traceback has been printed."""
    folder, _, name = path.rpartition("/")
    sys.path.insert(1, folder)
    try:
        return __import__(name[:-3])
    except (Exception, SystemExit) as error:
        print("FAILED to import", path)
        sys.print_exception(error)
        return None


def main(tests_dir, lib_dir, path, word="", *left_out):
    # The first entry is the folder of this script, or '' for the working directory: not wanted.
    sys.path[0:1] = [lib_dir, tests_dir]
    module = _load(path)
    if module is None:
        print("@@ 0 1")
        return
    n_passed = n_failed = 0
    for name in sorted(dir(module)):
        function = getattr(module, name)
        is_test = name.startswith("test_") and callable(function)
        if is_test and word in name and name not in left_out:
            if _run_one(name, function):
                n_passed += 1
            else:
                n_failed += 1
    print("@@", n_passed, n_failed)


main(*sys.argv[1:])
