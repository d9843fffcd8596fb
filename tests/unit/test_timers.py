# upy: heapsize=8m
"""The heap of deadlines that an endpoint has."""

from kcp._timers import Timers
from kcp.endpoint import Link

PERIOD = 1 << 30


def links(n):
    return [Link(None, None, i) for i in range(n)]


def popped(timers, now_ms):
    keys = []
    while True:
        link = timers.pop(now_ms)
        if link is None:
            return keys
        keys.append(link.key)


def test_timers_pop_in_order_and_only_what_is_due():
    timers = Timers()
    items = links(5)
    for link, at_ms in zip(items, (50, 10, 30, 20, 40)):
        timers.arm(link, at_ms)
    assert timers.wait_ms(0) == 10
    assert timers.pop(9) is None
    assert popped(timers, 30) == [1, 3, 2]
    assert timers.wait_ms(30) == 10
    assert popped(timers, 1000) == [4, 0]
    assert timers.wait_ms(1000) == -1
    assert len(timers) == 0


def test_timers_moved_later_and_earlier():
    timers = Timers()
    a, b = links(2)
    timers.arm(a, 10)
    timers.arm(b, 20)
    timers.arm(a, 100)  # later: the entry stays, and is corrected when its old time comes
    assert popped(timers, 50) == [1]
    assert timers.wait_ms(50) == 50
    timers.arm(b, 200)
    timers.arm(b, 60)
    assert popped(timers, 60) == [1]
    assert popped(timers, 100) == [0]
    assert len(timers) == 0


def test_timers_disarmed_and_removed():
    timers = Timers()
    a, b, c = links(3)
    for link, at_ms in ((a, 10), (b, 20), (c, 30)):
        timers.arm(link, at_ms)
    a.due_ms = None  # disarmed lazily
    timers.remove(b)
    timers.remove(b)
    assert popped(timers, 100) == [2]
    assert len(timers) == 0 and a.heap_i == b.heap_i == c.heap_i == -1


def test_timers_across_the_wrap_of_the_clock():
    timers = Timers()
    items = links(4)
    for link, d_ms in zip(items, (5, -5, 15, -15)):
        timers.arm(link, (PERIOD + d_ms) % PERIOD)
    assert timers.wait_ms(PERIOD - 20) == 5
    assert popped(timers, PERIOD - 1) == [3, 1]
    assert popped(timers, 20) == [0, 2]


def test_timers_agree_with_sorting():
    seed = 12345
    timers = Timers()
    items = links(60)
    expected = {}
    now_ms = PERIOD - 500
    for step in range(1500):
        seed = (seed * 1103 + 12345) % 0x1FFFFF
        link = items[seed % 60]
        action = seed // 60 % 8
        if action == 0:
            timers.remove(link)
            expected.pop(link.key, None)
        elif action == 1:
            link.due_ms = None
            expected.pop(link.key, None)
        elif action == 2:
            now_ms += seed % 40
            due = sorted((at_ms, key) for key, at_ms in expected.items() if at_ms <= now_ms)
            got = popped(timers, now_ms % PERIOD)
            assert sorted(got) == sorted(key for _, key in due), (step, got, due)
            for _, key in due:
                del expected[key]
        else:
            at_ms = now_ms + seed % 300
            timers.arm(link, at_ms % PERIOD)
            expected[link.key] = at_ms
    assert len(timers) >= len(expected)
