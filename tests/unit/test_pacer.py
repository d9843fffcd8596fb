"""The pacer alone: what it lets through at a rate that it is given."""

from kcp._pacer import Pacer, per_second, percent

MSS = 1000
M30 = 0x3FFFFFFF


def drained(pacer, from_ms, to_ms):
    """Bytes that may leave in this time if there is always something to send."""
    n_bytes = 0
    now_ms = from_ms
    while now_ms <= to_ms:
        while pacer.room_bytes(now_ms & M30) > 0:
            pacer.take(MSS)
            n_bytes += MSS
        now_ms += max(1, pacer.wait_ms(now_ms & M30))
    return n_bytes


def test_rates_stay_small_numbers():
    assert percent(1000, 97) == 970 and percent(150, 80) == 120 and percent(99, 125) == 123
    assert percent(1000000000, 125) == per_second(M30, 999) == M30
    assert per_second(50000, 50) == 1000000 and per_second(1, 3) == 333


def test_what_is_owed_has_a_limit():
    pacer = Pacer(1, 1)
    for _ in range(5):
        pacer.take(M30)
    assert pacer.room_bytes(0) == -0x0FFFFFFF
    assert pacer.wait_ms(0) == 1 << 28


def test_sixteen_segments_at_once_and_then_the_rate():
    pacer = Pacer(MSS, 500 * MSS)
    assert drained(pacer, 0, 0) == 16 * MSS
    assert 0 < pacer.wait_ms(0) <= 2
    assert abs(drained(pacer, 0, 100) - 50 * MSS) <= MSS


def test_a_pause_brings_no_more_than_a_small_burst():
    pacer = Pacer(MSS, 500 * MSS)
    pacer.set_rate(1000 * MSS)
    drained(pacer, 0, 50)
    assert drained(pacer, 5000, 5000) <= 5 * MSS
    pacer.set_rate(10000 * MSS)
    drained(pacer, 5001, 5100)
    assert drained(pacer, 9000, 9000) <= 41 * MSS


def test_a_rate_of_zero_holds_nothing_back():
    pacer = Pacer(MSS, 0)
    assert pacer.wait_ms(0) == 0
    pacer.take(100 * MSS)
    assert pacer.room_bytes(0) > 1000 * MSS
    pacer.set_rate(500 * MSS)
    assert drained(pacer, 0, 0) == 16 * MSS
    pacer.set_rate(0)
    assert pacer.wait_ms(0) == 0


def test_the_clock_may_run_over():
    pacer = Pacer(MSS, 500 * MSS)
    drained(pacer, M30 - 30, M30 - 30)
    got = drained(pacer, M30 - 29, M30 + 71)
    assert abs(got - 50 * MSS) <= 2 * MSS
