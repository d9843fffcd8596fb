"""Runs many simulations: over all processors on CPython, one after the other on MicroPython."""

import gc
import os

from sim import cases

try:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
except ImportError:
    ProcessPoolExecutor = None
    # On a big heap MicroPython's allocator slows down with the garbage lying about: 20 times here.
    gc.threshold(300000)

_RUNS = {"arq": cases.run_arq, "session": cases.run_session}
_pool = None


def run_all(kind, jobs):
    """Run jobs [(case, seed, options)] of a kind ("arq" or "session"); the results in their
    order."""
    if ProcessPoolExecutor is None or len(jobs) < 2 or (os.cpu_count() or 1) < 2:
        return [_RUNS[kind](case, seed, **options) for case, seed, options in jobs]
    return list(_get_pool().map(_job, [(kind, job) for job in jobs], chunksize=1))


def _job(kind_and_job):
    kind, (case, seed, options) = kind_and_job
    return _RUNS[kind](case, seed, **options)


def _get_pool():
    global _pool
    if _pool is None:
        # Not forked: other tests of this process may have started threads.
        context = multiprocessing.get_context("spawn")
        _pool = ProcessPoolExecutor(os.cpu_count(), mp_context=context)
    return _pool
