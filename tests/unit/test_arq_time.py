# upy: heapsize=4m
"""The KCP state machine: timers, losses, windows (specs: kcp-go.md section 4). Runs on both
runtimes."""

from core_support import (
    ACK,
    PUSH,
    WASK,
    WINS,
    arq,
    drain,
    feed,
    say,
    segment,
    sent,
)


def pushes(segments):
    return [one for one in segments if one[0] == PUSH]


def test_rto_backs_off_by_half_in_nodelay_and_by_all_without():
    for nodelay, times in ((1, [0, 200, 500, 900]), (0, [0, 200, 600, 1200])):
        a = arq(nodelay=nodelay)
        say(a, b"x")
        seen = []
        for now in range(1000 if nodelay else 1300):
            a.tick(now)
            if drain(a, now):
                seen.append(now)
        # first rto 200; then 200 more, or 100 more, each time
        expected = [0, 200, 200 + 300, 500 + 400] if nodelay else [0, 200, 200 + 400, 600 + 600]
        assert seen == expected == times
        assert a.stats.LostSegs == 3 == a.stats.RetransSegs


def test_rtt_follows_rfc_6298_with_kcp_go_weights():
    a = arq(snd_wnd=8)
    for _ in range(3):
        say(a, b"x")
    sent(a, 1000)
    feed(a, segment(ACK, sn=0, ts=1000, una=1), 1080)
    assert (a.rx_srtt, a.rx_rttvar, a.rx_rto) == (80, 40, 80 + 160)
    feed(a, segment(ACK, sn=1, ts=1000, una=2), 1040)  # 40 ms: below srtt - rttvar
    assert (a.rx_srtt, a.rx_rttvar) == (75, 40)
    feed(a, segment(ACK, sn=2, ts=5000, una=3), 1100)  # from the future: no sample
    assert (a.rx_srtt, a.rx_rttvar) == (75, 40)
    feed(a, segment(ACK, sn=2, ts=0xFFFFFFFF, una=3), 1100)  # no time of ours
    assert (a.rx_srtt, a.rx_rttvar) == (75, 40)


def test_fast_resend_after_two_later_acks():
    a = arq(snd_wnd=8)
    for _ in range(5):
        say(a, b"x")
    sent(a, 0)
    say(a, b"y")  # something new, so that early resend stays out of it
    feed(a, segment(ACK, sn=1, ts=0), 10)
    assert drain(a, 10) == [] or a.stats.EarlyRetransSegs == 0
    feed(a, segment(ACK, sn=2, ts=0), 11)
    again = pushes(sent(a, 11))
    assert again[0][4] == 0
    assert a.stats.FastRetransSegs == 1
    feed(a, segment(ACK, sn=3, ts=0), 12)
    assert [one[4] for one in pushes(sent(a, 12))] == []  # only once before its timer


def test_early_resend_when_nothing_new_is_waiting():
    a = arq(resend=5)
    say(a, b"x")
    say(a, b"x")
    sent(a, 0)
    feed(a, segment(ACK, sn=1, ts=0), 5)
    assert drain(a, 5) == []  # below the limit: no flush of its own
    assert a.timeout(5) == 5  # but the next tick looks
    a.tick(10)
    assert [one[4] for one in sent(a, 10)] == [0]
    assert a.stats.EarlyRetransSegs == 1


def test_an_ack_older_than_the_retransmission_does_not_count():
    a = arq(resend=1)
    for _ in range(3):
        say(a, b"x")
    sent(a, 0)
    feed(a, segment(ACK, sn=1, ts=0), 10)
    assert [one[4] for one in sent(a, 10)] == [0]
    a.tick(230)
    assert [one[4] for one in sent(a, 230)] == [0, 2]  # timers: counts start again
    feed(a, segment(ACK, sn=2, ts=0), 240)  # echoes the first transmission
    assert drain(a, 240) == []
    feed(a, segment(ACK, sn=2, ts=230), 241)
    assert [one[4] for one in sent(a, 241)] == [0]


def test_congestion_window_grows_and_collapses():
    a = arq(nc=0, mtu=124, snd_wnd=32)
    say(a, bytes(100) * 20)
    assert drain(a, 0) == [] and a.cc.cwnd == 1  # kcp-go's first flush sends nothing
    assert a.timeout(0) == 10
    a.tick(10)
    assert [one[4] for one in sent(a, 10)] == [0]
    feed(a, segment(ACK, sn=0, ts=10, una=1), 20)
    assert a.cc.cwnd == 2 and [one[4] for one in sent(a, 20)] == [1, 2]
    a.tick(500)
    assert len(sent(a, 500)) == 2
    assert (a.cc.cwnd, a.cc.incr, a.cc.ssthresh) == (1, 100, 2)


def test_zero_window_is_probed_ever_more_rarely():
    a = arq()
    feed(a, segment(WINS, wnd=0), 0)
    say(a, b"x")
    assert drain(a, 0) == []
    asked = []
    for now in range(1, 5000):
        a.tick(now)
        if [one for one in sent(a, now) if one[0] == WASK]:
            asked.append(now)
    # the timer is armed by the first pass that sees the closed window: 500, then half more each
    assert asked == [500, 500 + 750, 1250 + 1125, 2375 + 1687, 4062 + 2530][: len(asked)]
    assert len(asked) == 4
    feed(a, segment(WINS, wnd=5), 5000)
    a.tick(5010)
    assert [one[0] for one in sent(a, 5010)] == [PUSH]


def test_a_window_question_is_answered():
    a = arq()
    feed(a, segment(WASK), 4)
    a.tick(10)
    assert [(one[0], one[2]) for one in sent(a, 10)] == [(WINS, 32)]


def test_reading_from_a_full_queue_tells_the_peer():
    a = arq(rcv_wnd=2, ack_nodelay=True)
    for sn in (0, 1, 2):
        feed(a, segment(PUSH, sn=sn, data=b"d"), 1)
    assert [one[2] for one in sent(a, 1)][-1] == 0
    assert a.rcv_nxt == 2  # the third waits for room
    assert a.read_into(bytearray(1)) == 1
    assert a.rcv_nxt == 3
    assert a.read_into(bytearray(1)) == 1
    a.tick(20)
    assert WINS in [one[0] for one in sent(a, 20)]


def test_what_is_not_due_is_waited_for_even_half_way_round_the_clock():
    a = arq(nc=1)
    say(a, b"x")
    drain(a, 0)
    rto_ms = a.timeout(0)
    now_ms = rto_ms + (1 << 29)
    a.tick(now_ms)
    assert a.idle and a.timeout(now_ms) == 1 << 29
