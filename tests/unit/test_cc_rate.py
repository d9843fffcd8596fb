"""The controller "rate" alone: what it makes of the round trips that it is told of."""

from kcp._cc_rate import Rate
from kcp._pacer import percent

MSS = 1000
M30 = 0x3FFFFFFF


class Sender:
    """What on_ack() looks at."""

    mss = MSS
    is_starved = False

    def __init__(self, payload_pct=100, window=64):
        self.payload_pct = payload_pct
        self.rx_srtt = 0
        self.snd_una, self.snd_nxt = 0, 10
        self.window = window
        self.snd_wnd = self.rmt_wnd = window


def rounds(cc, sender, n, now_ms, rtt_ms, n_bytes, period_ms):
    """n rounds: in each n_bytes are acknowledged within period_ms, by 10 ACKs; the time after."""
    for _ in range(n):
        for k in range(10):
            at_ms = now_ms + period_ms * (k + 1) // 10
            cc.on_ack(sender, at_ms & M30, n_bytes // 10, rtt_ms)
        now_ms += period_ms
    return now_ms


def started(rtt_ms=50, n_bytes=50000, period_ms=50, share_pct=100):
    """A controller and its sender after some rounds without a queue; and the time."""
    sender = Sender(share_pct)
    cc = Rate(sender)
    cc.on_ack(sender, 0, 1, rtt_ms)  # its first round begins
    return cc, sender, rounds(cc, sender, 6, 0, rtt_ms, n_bytes, period_ms)


def test_without_a_queue_the_rate_is_a_window_per_round_trip():
    cc, sender, _ = started()
    assert cc.capacity == 0 and cc.base_ms == 50
    assert abs(cc.rate - sender.snd_wnd * MSS * 1000 // 50) <= 1000


def test_parity_has_its_share():
    cc, _, _ = started(share_pct=76)
    assert abs(cc.rate - 64 * MSS * 1000 // 50 * 76 // 100) <= 1000
    assert Rate(Sender(50)).rate == 25 * MSS * 10


def test_a_queue_shows_the_capacity_and_is_drained():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    assert cc.capacity == 800000
    assert cc.rate == 640000
    rounds(cc, sender, 2, now_ms, 50, 30000, 50)
    assert cc.rate == percent(800000, 97)


def test_more_is_tried_now_and_then_and_kept_if_it_passes():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    rates = []
    for _ in range(40):
        n_bytes = min(cc.rate * 50 // 1000, 60000)  # the path carries half as much again now
        now_ms = rounds(cc, sender, 1, now_ms, 50, n_bytes, 50)
        rates.append(cc.rate)
    assert 1100000 <= cc.capacity <= 1200000
    assert max(rates) > 1200000


def test_a_single_short_round_does_not_halve_the_capacity():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    now_ms = rounds(cc, sender, 9, now_ms, 50, 30000, 50)
    rounds(cc, sender, 1, now_ms, 80, 8000, 80)
    assert cc.capacity == 600000


def test_the_capacity_falls_as_fast_as_the_path():
    """To a quarter, and what is queued already makes round trips long."""
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 80000, 80)
    assert cc.capacity == 1000000
    rounds(cc, sender, 5, now_ms, 150, 37500, 150)
    assert 250000 <= cc.capacity <= 330000
    assert not cc.is_shared


def test_a_queue_that_stays_is_not_ours():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 4, now_ms, 120, 96000, 120)
    assert cc.is_shared and cc.base_ms == 50
    sender.rx_srtt = 120
    now_ms = rounds(cc, sender, 1, now_ms, 120, 96000, 120)
    assert cc.capacity == 800000 and cc.rate == percent(800000, 97)
    assert cc.cwnd == 800 * (50 + 120) // MSS + 8
    sender.rx_srtt = 50
    rounds(cc, sender, 1, now_ms, 50, 30000, 50)
    assert not cc.is_shared


def test_no_more_is_under_way_than_two_round_trips_hold():
    cc, sender, now_ms = started()
    rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    assert cc.cwnd == 800 * 2 * 50 // MSS + 8


def test_losses_without_a_queue_change_nothing():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    now_ms = rounds(cc, sender, 2, now_ms, 50, 40000, 50)
    for _ in range(60):
        cc.on_loss(sender, now_ms, 4)
        now_ms = rounds(cc, sender, 1, now_ms, 50, 40000, 50)
    assert cc.capacity == 800000
    assert 80 <= cc._ambient // 256 <= 92  # 4 of 45


def test_a_queue_that_has_run_over_makes_us_give_way():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    now_ms = rounds(cc, sender, 3, now_ms, 50, 40000, 50)
    cc.on_loss(sender, now_ms, 2)
    now_ms = rounds(cc, sender, 1, now_ms, 60, 48000, 60)
    assert cc.capacity == 680000
    rates = []
    for _ in range(45):
        now_ms = rounds(cc, sender, 1, now_ms, 50, 30000, 50)
        rates.append(cc.rate)
    first = rates.index(percent(680000, 112))  # a probe, a smaller one than usual
    assert first * 50 >= 1500
    assert max(rates[:first]) == percent(680000, 97)


def test_a_path_that_loses_anyway_has_not_run_over():
    cc, sender, now_ms = started()
    for _ in range(40):
        cc.on_timeout(sender, now_ms, 4)
        now_ms = rounds(cc, sender, 1, now_ms, 50, 40000, 50)
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    now_ms = rounds(cc, sender, 3, now_ms, 50, 40000, 50)
    cc.on_loss(sender, now_ms, 6)
    rounds(cc, sender, 1, now_ms, 60, 48000, 60)
    assert cc.capacity == 800000


def test_a_full_window_does_not_lower_the_capacity():
    cc, sender, now_ms = started()
    now_ms = rounds(cc, sender, 1, now_ms, 80, 64000, 80)
    now_ms = rounds(cc, sender, 9, now_ms, 50, 30000, 50)
    sender.snd_nxt = 64
    cc.on_sent(sender, now_ms, 1)
    rounds(cc, sender, 1, now_ms, 80, 8000, 80)
    assert cc.capacity == 800000


def test_the_base_is_forgotten_after_a_while():
    cc, sender, now_ms = started(rtt_ms=30)
    assert cc.base_ms == 30
    now_ms = rounds(cc, sender, 2, now_ms + 10001, 36, 50000, 50)
    assert cc.base_ms == 30
    rounds(cc, sender, 2, now_ms + 10001, 36, 50000, 50)
    assert cc.base_ms == 36


def test_rounds_in_which_the_sender_had_nothing_say_nothing():
    cc, sender, now_ms = started()
    sender.is_starved = True
    cc.on_sent(sender, now_ms, 1)
    rounds(cc, sender, 1, now_ms, 80, 100, 50)
    assert cc.capacity == 0


def test_a_single_late_round_trip_is_no_queue():
    """As of a segment that FEC has repaired, in a round that delivers little."""
    for n_late in (1, 2):
        cc, sender, now_ms = started()
        now_ms = rounds(cc, sender, 1, now_ms, 50, 50000, 50)
        for i in range(20):
            cc.on_ack(sender, now_ms + 5 * (i + 1), 500, 95 if 19 - n_late <= i < 19 else 50)
            sender.rx_srtt = 95  # so that the round goes on until the late ones are there
        assert (cc.capacity != 0) == (n_late == 2), n_late


def test_jitter_is_no_queue():
    sender = Sender()
    cc = Rate(sender)
    now_ms = 0
    for i in range(40):
        for k in range(10):
            now_ms += 5
            cc.on_ack(sender, now_ms, cc.rate * 5 // 1000, 30 + (k * 37 + i * 11) % 60)
    assert cc.capacity == 0


def near(window=1000):
    """A controller, its sender and the time, after the first round trip to a near peer."""
    sender = Sender(window=window)
    cc = Rate(sender)
    cc.on_ack(sender, 0, 1, 2)
    return cc, sender, 0


def test_nearby_there_is_no_rate_but_a_window_that_opens():
    cc, sender, now_ms = near()
    assert cc.rate == 0 and cc.cwnd == 64
    for cwnd in (128, 256, 512, 1024, 1024):  # up to the settings' window
        now_ms = rounds(cc, sender, 1, now_ms, 2, 50000, 2)
        assert (cc.rate, cc.cwnd) == (0, cwnd)


def test_nearby_a_queue_that_runs_over_shuts_the_window():
    cc, sender, now_ms = near()
    now_ms = rounds(cc, sender, 3, now_ms, 2, 50000, 4)
    cc.on_loss(sender, now_ms, 30)
    now_ms = rounds(cc, sender, 1, now_ms, 22, 200000, 22)
    assert (cc.rate, cc.cwnd) == (0, 200 * 85 // 100)
    now_ms = rounds(cc, sender, 10, now_ms, 15, 150000, 15)
    assert cc.cwnd == 180  # from then on it grows slowly
    cc.on_loss(sender, now_ms, 3)  # of 200, beside what is lost anyway
    now_ms = rounds(cc, sender, 1, now_ms, 22, 200000, 22)
    assert cc.cwnd == 181
    for _ in range(20):
        cc.on_timeout(sender, now_ms, 50)
        now_ms = rounds(cc, sender, 1, now_ms, 22, 10000, 22)
    assert cc.cwnd == 64


def test_nearby_losses_without_a_queue_are_none_of_ours():
    cc, sender, now_ms = near()
    for _ in range(8):
        cc.on_loss(sender, now_ms, 5)
        now_ms = rounds(cc, sender, 1, now_ms, 2, 50000, 4)
    assert cc.cwnd == 1024


def test_the_clock_may_run_over():
    sender = Sender()
    cc = Rate(sender)
    rounds(cc, sender, 20, M30 - 400, 50, 50000, 50)
    assert cc.capacity == 0 and cc.base_ms == 50


def test_days_without_anything_to_send_end_the_round():
    cc, sender, now_ms = started()
    now_ms += 7 * 24 * 3600 * 1000  # more than half a turn of the clock
    now_ms = rounds(cc, sender, 1, now_ms, 50, 30000, 50)
    before = cc._begin_ms
    rounds(cc, sender, 4, now_ms, 50, 30000, 50)
    assert cc._begin_ms != before and cc._delivered_bytes <= 60000


def test_forged_round_trips_do_not_count():
    cc, sender, now_ms = started()
    state = cc.base_ms, cc.rate, cc.capacity, cc.cwnd
    for _ in range(2000):
        cc.on_ack(sender, now_ms, 1000, 0x100000)
    assert (cc.base_ms, cc.rate, cc.capacity, cc.cwnd) == state


def test_sums_of_a_round_have_limits():
    cc, sender, now_ms = started()
    for _ in range(2000):
        cc.on_ack(sender, now_ms, M30 // 2, 0xFFFFF)
    assert cc._rtt_sum_ms == 1024 * 0xFFFFF and cc._delivered_bytes == M30
