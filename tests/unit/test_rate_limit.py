"""rate_limit and dup, in virtual time. Runs on both runtimes."""

import os

from core_support import carry, raises, read_all, session

from kcp._shaper import limit_bucket
from kcp.config import Config
from kcp.session import CLOSED

BURST = 64 * 1500
IS_SLOW = os.getenv("KCP_TEST_TARGET") == "arm"


def passed(bucket, n_bytes, from_ms, to_ms):
    """How many datagrams of n_bytes a bucket lets through, asked as an I/O layer asks."""
    count = 0
    now_ms = from_ms
    while now_ms <= to_ms:
        wait = bucket.wait_ms(now_ms & 0x3FFFFFFF)
        if wait:
            now_ms += wait
        else:
            bucket.take(n_bytes)
            count += 1
    return count


def test_a_bucket_begins_full_and_keeps_its_rate():
    for rate, span_ms in ((1000, 300000), (12345, 60000), (999, 500000), (3000001, 500)):
        for n_bytes in (1500, 37):
            if IS_SLOW and n_bytes == 37:
                continue
            n = passed(limit_bucket(rate), n_bytes, 0, span_ms) * n_bytes
            allowed = BURST + rate * span_ms // 1000
            assert allowed <= n <= allowed + n_bytes, (rate, n_bytes, n, allowed)


def test_a_high_rate_is_reached_with_a_clock_of_milliseconds():
    rate = 500000000
    bucket = limit_bucket(rate)
    passed(bucket, 1500, 0, 0)
    for step_ms in (1, 3):
        n = 0
        for now_ms in range(step_ms, 31, step_ms):
            while not bucket.wait_ms(now_ms):
                bucket.take(1500)
                n += 1500
        assert rate * 29 // 1000 <= n <= rate * 31 // 1000 + 1500
        bucket = limit_bucket(rate)
        passed(bucket, 1500, 0, 0)


def test_the_slowest_rate_says_how_long():
    bucket = limit_bucket(1)
    n = passed(bucket, 1500, 0, 0)
    assert n == 64 and bucket.wait_ms(0) == 1000
    assert bucket.wait_ms(999) == 1 and bucket.wait_ms(1000) == 0
    bucket.take(1500)
    assert bucket.wait_ms(1000) == 1500 * 1000
    assert bucket.wait_ms(1000 + 1500000) == 0


def test_a_bucket_does_not_mind_the_clock_running_over_nor_a_long_pause():
    bucket = limit_bucket(1000)
    begin_ms = 0x3FFFFFFF - 200
    assert passed(bucket, 1000, begin_ms, begin_ms) == 96
    assert passed(bucket, 1000, begin_ms, begin_ms + 10000) == 10
    later_ms = begin_ms + 10000 + 400000000
    assert passed(bucket, 1000, later_ms, later_ms) == 96


def test_odd_rates_lose_nothing_to_rounding():
    bucket = limit_bucket(1001)
    passed(bucket, 1000, 0, 0)
    now_ms = n = 0
    while now_ms < 1000000:
        now_ms += 7  # asked often: thousandths must add up
        while not bucket.wait_ms(now_ms):
            bucket.take(1000)
            n += 1
    assert 1000 <= n <= 1002


def rate_of(rate, n_bytes, **options):
    """Send n_bytes over a perfect link; (bytes on the wire, ms it took, the two sessions)."""
    a, b = session(rate_limit=rate, sndwnd=128, **options), session(rcvwnd=128, **options)
    data = bytes(i * 7 & 0xFF for i in range(n_bytes))
    off = now_ms = wire = n_got = 0
    while n_got < n_bytes:
        if off < n_bytes:
            off += a.send(data[off : off + 20000])
        wire += sum([len(datagram) for datagram in carry(a, b, now_ms)])
        carry(b, a, now_ms)
        while True:
            got = read_all(b)
            if not got:
                break
            assert got == data[n_got : n_got + len(got)]
            n_got += len(got)
        waits = [w for w in (a.timeout(now_ms), b.timeout(now_ms)) if w >= 0]
        now_ms += max(min(waits), 1) if waits else 1
    return wire, now_ms, a, b


def test_a_session_keeps_its_rate():
    n_bytes = 200000 if IS_SLOW else 600000
    for options in ({}, {"crypt": "none", "fec": (10, 3)}):
        rate = 100000
        wire, took_ms, a, _ = rate_of(rate, n_bytes, **options)
        allowed = BURST + rate * took_ms // 1000
        assert allowed - 3 * 1500 <= wire <= allowed + 1500, (wire, allowed)
        assert wire == a.stats.OutBytes and a.stats.RetransSegs == 0


def test_acknowledgements_do_not_wait_for_the_whole_window():
    """Both sides send; the slow one's acknowledgements go before its next data."""
    a, b = session(rate_limit=20000, sndwnd=128), session(rcvwnd=128)
    a.send(bytes(128 * a.mss))
    now_ms = 0
    while not a.timeout(now_ms):
        carry(a, b, now_ms)
    b.send(b"x" * 100)
    carry(b, a, now_ms)
    begin_ms = now_ms
    while b.unacked_bytes:
        now_ms += 1
        carry(a, b, now_ms)
    assert now_ms - begin_ms <= 100 and a.unacked_bytes > 50 * a.mss


def test_a_limit_comes_and_goes_at_run_time():
    a, b = session(), session()
    plain = a.output
    a.set(rate_limit=50000, dup=1)
    assert a.shaper is not None and a.output != plain
    a.set(rate_limit=0)
    assert a.shaper is not None
    a.set(dup=0)
    assert a.shaper is None and a.output == plain
    a.set(mtu=700)
    assert a.output == plain  # nothing in the way when both are off
    a.send(b"x")
    assert len(carry(a, b, 0)) == 1 and read_all(b) == b"x"
    assert raises(ValueError, a.set, rate_limit=1 << 30)
    assert Config().rate_limit == 0 and Config(dup=3).dup == 3


def test_a_dead_peer_and_linger_are_noticed_while_waiting_for_the_rate():
    for closing in (False, True):
        a = session(rate_limit=1, dead_ms=1000, linger_ms=1000, sndwnd=128)
        a.send(bytes(128 * a.mss))
        buf = bytearray(a.buffer_bytes)
        now_ms = 0
        if closing:
            a.close(0)
        while a.state != CLOSED and now_ms < 5000:
            while a.output(buf, now_ms):
                pass
            wait = a.timeout(now_ms)
            assert wait != 0
            now_ms += wait if wait > 0 else 1
        assert a.state == CLOSED and 1000 <= now_ms <= 2000


def test_dup_sends_the_same_datagram_again():
    for options in ({}, {"crypt": "none"}):
        a, b = session(dup=2, **options), session(**options)
        a.send(b"hello")
        built = carry(a, b, 0)
        assert len(built) == 3 and built[0] == built[1] == built[2]
        assert read_all(b) == b"hello" and b.stats.RepeatSegs == 2
        assert a.stats.OutPkts == 3 and a.stats.OutBytes == 3 * len(built[0])


def test_dup_leaves_parity_alone_and_goes_before_it():
    a, b = session(dup=1, fec=(2, 2)), session(fec=(2, 2))
    a.set(mode="manual", write_delay=False)
    kinds = []
    seqids = []
    for now_ms in (0, 1):
        a.send(b"x" * 100)
        for one in carry(a, b, now_ms):
            kinds.append(one[4])
            seqids.append(one[0])
    assert kinds == [0xF1, 0xF1, 0xF1, 0xF1, 0xF2, 0xF2]
    assert seqids == [0, 0, 1, 1, 2, 3]


def test_copies_count_for_the_rate_and_end_with_the_session():
    wire, took_ms, _, _ = rate_of(100000, 150000, dup=1)
    allowed = BURST + 100000 * took_ms // 1000
    assert wire > 2 * 150000 and allowed - 3 * 1500 <= wire <= allowed + 1500
    a = session(dup=5)
    a.send(b"x")
    buf = bytearray(a.buffer_bytes)
    assert a.output(buf, 0) and a.timeout(0) == 0
    a.abort()
    assert a.timeout(0) == -1 and a.output(buf, 0) == 0
