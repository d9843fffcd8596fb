"""The process's counters with threads and forks, which only CPython has."""

import os
import signal
import threading
import warnings

import pytest

from kcp import Stats, stats

N_THREADS, N_SESSIONS = 8, 300


def open_and_close():
    for i in range(N_SESSIONS):
        one = Stats()
        stats.enter(one, stats.ACTIVE if i % 2 else stats.PASSIVE)
        one.BytesSent = one.BytesReceived = 3
        stats.leave(one)
        stats.read_late(2)


def test_nothing_is_lost_between_threads():
    before = stats.total()
    threads = [threading.Thread(target=open_and_close) for _ in range(N_THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        now = stats.total()
        assert 0 <= now.CurrEstab - before.CurrEstab <= N_THREADS
    for thread in threads:
        thread.join()
    after = stats.total()
    n = N_THREADS * N_SESSIONS
    assert after.BytesSent - before.BytesSent == 3 * n
    assert after.BytesReceived - before.BytesReceived == 5 * n
    assert after.ActiveOpens - before.ActiveOpens == n / 2
    assert after.CurrEstab == before.CurrEstab and after.MaxConn >= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_does_not_wait_for_a_thread_that_it_has_not():
    is_held, may_go = threading.Event(), threading.Event()

    def hold():
        with stats._lock:
            is_held.set()
            may_go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
        pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        stats.total()
        os._exit(0)
    try:
        assert os.waitpid(pid, 0)[1] == 0
    finally:
        may_go.set()
        holder.join()
