"""The pacer alone: what it lets through, and what it makes of the round trips it is told."""

from kcp._pacer import Pacer, per_second, percent

MSS = 1000
M30 = 0x3FFFFFFF


class Sender:
    """What on_ack() looks at."""

    def __init__(self, window=64):
        self.snd_una, self.snd_nxt = 0, 10  # ten are always under way
        self.snd_wnd = self.rmt_wnd = window


def drained(pacer, from_ms, to_ms):
    """Bytes that may leave in this time if there is always something to send."""
    n_bytes = 0
    now_ms = from_ms
    while now_ms <= to_ms:
        while pacer.room_bytes(now_ms) > 0:
            pacer.take(MSS)
            n_bytes += MSS
        now_ms += max(1, pacer.wait_ms(now_ms))
    return n_bytes


def rounds(pacer, sender, n, now_ms, rtt_ms, n_bytes, period_ms):
    """n rounds: in each n_bytes are acknowledged within period_ms, by 10 ACKs; the time after."""
    for _ in range(n):
        for _ in range(10):
            now_ms += period_ms // 10
            sender.snd_una += 1
            sender.snd_nxt += 1
            pacer.on_ack(now_ms & M30, n_bytes // 10, rtt_ms, sender)
    return now_ms


def started(rtt_ms=50, n_bytes=50000, period_ms=50, share_pct=100):
    """A pacer and its sender after some rounds without a queue; and the time."""
    pacer, sender = Pacer(MSS, share_pct), Sender()
    pacer.on_ack(0, 0, rtt_ms, sender)  # its first round begins
    return pacer, sender, rounds(pacer, sender, 6, 0, rtt_ms, n_bytes, period_ms)


def test_rates_stay_small_numbers():
    assert percent(1000, 97) == 970 and percent(150, 80) == 120 and percent(99, 125) == 123
    assert percent(1000000000, 125) == 1250000000
    assert per_second(50000, 50) == 1000000 and per_second(1, 3) == 333


def test_sixteen_segments_at_once_and_then_one_in_two_ms():
    pacer = Pacer(MSS)
    assert drained(pacer, 0, 0) == 16 * MSS
    assert 0 < pacer.wait_ms(0) <= 2
    assert abs(drained(pacer, 0, 100) - 50 * MSS) <= MSS


def test_a_pause_brings_no_more_than_a_small_burst():
    pacer, _, now_ms = started()
    drained(pacer, now_ms, now_ms)
    assert (
        drained(pacer, now_ms + 5000, now_ms + 5000) <= max(4 * MSS, pacer.rate * 4 // 1000) + MSS
    )


def test_without_a_queue_the_rate_is_a_window_per_round_trip():
    pacer, sender, _ = started()
    assert pacer.capacity == 0 and pacer.base_ms == 50
    assert abs(pacer.rate - sender.snd_wnd * MSS * 1000 // 50) <= 1000


def test_parity_has_its_share():
    pacer, _, _ = started(share_pct=76)
    assert abs(pacer.rate - 64 * MSS * 1000 // 50 * 76 // 100) <= 1000
    assert abs(drained(Pacer(MSS, 50), 0, 100) - (16 + 25) * MSS) <= 2 * MSS


def test_a_queue_shows_the_capacity_and_is_drained():
    pacer, sender, now_ms = started()
    now_ms = rounds(pacer, sender, 2, now_ms, 80, 40000, 50)
    assert pacer.capacity == 800000
    assert pacer.rate == 640000
    rounds(pacer, sender, 2, now_ms, 50, 30000, 50)
    assert pacer.rate == percent(800000, 97)


def test_more_is_tried_now_and_then_and_kept_if_it_passes():
    pacer, sender, now_ms = started()
    now_ms = rounds(pacer, sender, 2, now_ms, 80, 40000, 50)
    rates = []
    for _ in range(40):
        n_bytes = min(pacer.rate * 50 // 1000, 60000)  # the path carries half as much again now
        now_ms = rounds(pacer, sender, 1, now_ms, 50, n_bytes, 50)
        rates.append(pacer.rate)
    assert 1100000 <= pacer.capacity <= 1200000
    assert max(rates) > 1200000


def test_a_single_short_round_does_not_halve_the_capacity():
    pacer, sender, now_ms = started()
    now_ms = rounds(pacer, sender, 2, now_ms, 80, 40000, 50)
    now_ms = rounds(pacer, sender, 2, now_ms, 50, 30000, 50)
    rounds(pacer, sender, 1, now_ms, 80, 5000, 50)
    assert pacer.capacity == 600000


def test_a_queue_that_stays_is_not_ours():
    pacer, sender, now_ms = started()
    rounds(pacer, sender, 6, now_ms, 120, 40000, 50)
    assert pacer.base_ms == 120
    assert pacer.rate == 64 * MSS // 120 * 1000


def test_the_base_is_forgotten_after_a_while():
    pacer, sender, now_ms = started(rtt_ms=30)
    assert pacer.base_ms == 30
    rounds(pacer, sender, 2, now_ms + 10001, 36, 50000, 50)
    assert pacer.base_ms == 36


def test_rounds_in_which_the_sender_had_nothing_say_nothing():
    pacer, sender, now_ms = started()
    pacer.starve()
    rounds(pacer, sender, 1, now_ms, 80, 100, 50)
    assert pacer.capacity == 0


def test_a_single_late_round_trip_is_no_queue():
    """As of a segment that FEC has repaired, in a round that delivers little."""
    for n_late in (1, 2):
        pacer, sender, now_ms = started()
        now_ms = rounds(pacer, sender, 1, now_ms, 50, 50000, 50)
        sender.snd_una += 10
        for i in range(10):
            pacer.on_ack(now_ms + 5 * (i + 1), 1000, 90 if i >= 10 - n_late else 50, sender)
        assert (pacer.capacity != 0) == (n_late == 2)


def test_jitter_is_no_queue():
    pacer, sender = Pacer(MSS), Sender()
    now_ms = 0
    for i in range(40):
        for k in range(10):
            now_ms += 5
            sender.snd_una += 1
            sender.snd_nxt += 1
            pacer.on_ack(now_ms, pacer.rate * 5 // 1000, 30 + (k * 37 + i * 11) % 60, sender)
    assert pacer.capacity == 0


def test_nearby_nothing_is_held_back():
    pacer, _, now_ms = started(rtt_ms=2)
    assert pacer.wait_ms(now_ms) == 0
    pacer.take(100 * MSS)
    assert pacer.room_bytes(now_ms) > 1000 * MSS


def test_the_clock_may_run_over():
    pacer, sender = Pacer(MSS), Sender()
    now_ms = rounds(pacer, sender, 20, M30 - 400, 50, 50000, 50)
    assert pacer.capacity == 0 and pacer.base_ms == 50
    drained(pacer, now_ms & M30, now_ms & M30)
    expected = pacer.rate * 10 // 1000
    got = drained(pacer, (now_ms & M30) + 1, (now_ms & M30) + 10)
    assert abs(got - expected) <= 2 * MSS


def test_the_oldest_segment_raises_the_timeout_at_once_and_lowers_it_slowly():
    pacer = Pacer(MSS)
    pacer.on_oldest(40)
    pacer.on_oldest(60)
    assert pacer.peak_ms == 60
    pacer.on_oldest(40)
    assert 55 <= pacer.peak_ms < 60
    for _ in range(60):
        pacer.on_oldest(40)
    assert pacer.peak_ms == 40
