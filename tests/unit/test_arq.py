# upy: heapsize=4m
"""The KCP state machine, case by case (specs: kcp-go.md section 4). Runs on both runtimes."""

from core_support import (
    ACK,
    CONV,
    PUSH,
    WINS,
    arq,
    drain,
    feed,
    parse,
    raises,
    say,
    segment,
    sent,
)

from kcp.arq import Arq


def pushes(segments):
    return [one for one in segments if one[0] == PUSH]


def test_first_flush_sends_what_the_window_allows():
    a = arq(mtu=124, snd_wnd=4)
    assert say(a, bytes(100) * 6) == 600
    got = sent(a, 5)
    assert [(one[0], one[1], one[3], one[4]) for one in got] == [
        (PUSH, 5, 5, 0),
        (PUSH, 4, 5, 1),
        (PUSH, 3, 5, 2),
        (PUSH, 2, 5, 3),
    ]
    assert (a.snd_una, a.snd_nxt, a.wait_snd()) == (0, 4, 6)


def test_a_datagram_is_filled_up_to_the_mtu():
    a = arq(mtu=100)
    for size in (20, 20, 8, 1):
        say(a, bytes(size))
    assert [len(one) for one in drain(a, 0)] == [88, 24 + 8 + 24 + 1]


def test_message_comes_out_whole():
    a, b = arq(mtu=50), arq(mtu=50)
    message = bytes(range(200))
    say(a, message)
    datagrams = drain(a, 0)
    for datagram in datagrams[:-1]:
        feed(b, datagram, 1)
    assert b.peek_size() == -1 and b.recv_into(bytearray(300)) == -1
    feed(b, datagrams[-1], 1)
    assert b.peek_size() == 200
    assert b.recv_into(bytearray(199)) == -2
    buf = bytearray(300)
    assert b.recv_into(buf) == 200 and bytes(buf[:200]) == message


def test_stream_mode_fills_segments():
    a = arq(mtu=64, stream=True)
    assert [say(a, b"x" * 30), say(a, b"y" * 30)] == [30, 30]
    assert [len(one[6]) for one in sent(a, 0)] == [40, 20]
    assert a.snd_bytes == 60


def test_misuse_raises():
    assert "empty" in str(raises(ValueError, arq().send, b""))
    assert "255" in str(raises(ValueError, arq(mtu=25, max_queue=1000).send, bytes(256)))
    for name, value in (("mtu", 24), ("mtu", 1501), ("snd_wnd", 0), ("rcv_wnd", 40000)):
        raises(ValueError, arq, **{name: value})
    for value in (0, -1, (1 << 20) + 1):
        raises(ValueError, arq, max_queue=value)


def test_settings_below_zero_are_left_at_what_kcp_go_begins_with():
    a = Arq(CONV, nodelay=-1, interval_ms=-1, resend=-1, nc=-1)
    assert (a.nodelay, a.interval_ms, a.resend, a.nc, a.rx_minrto) == (0, 100, 0, 0, 100)
    a.set_nodelay(resend=1 << 20)
    assert a.resend == 65534


def test_queue_is_bounded():
    a = arq(mtu=124, snd_wnd=2, max_queue=4)
    assert a.send(bytes(500)) == 0  # a message is taken whole or not at all
    assert a.send(bytes(400)) == 400 and a.send(b"x") == 0
    s = arq(mtu=124, snd_wnd=2, max_queue=4, stream=True)
    assert s.send(bytes(390)) == 390
    assert s.send(bytes(100)) == 10 and s.send(b"x") == 0


def test_refused_packets_have_kcp_go_codes():
    a = arq()
    assert feed(a, bytes(23), 0) == -1
    assert feed(a, segment(PUSH, conv=5), 0) == -1
    assert feed(a, segment(PUSH, data=b"abc")[:-1], 0) == -2
    assert feed(a, segment(85), 0) == -3
    # what stands before the bad segment has had its effect
    assert feed(a, segment(PUSH, sn=0, data=b"abc") + segment(99), 0) == -3
    assert a.rcv_nxt == 1 and a.stats.InSegs == 0


def test_acks_wait_for_the_tick_and_leave_out_what_una_says():
    a = arq()
    for sn in (0, 1, 3):
        feed(a, segment(PUSH, sn=sn, ts=70 + sn, data=b"d"), 3)
    assert drain(a, 3) == []
    a.tick(9)
    assert drain(a, 9) == []
    a.tick(10)
    assert [(one[0], one[3], one[4], one[5]) for one in sent(a, 10)] == [(ACK, 73, 3, 2)]


def test_the_last_ack_is_sent_even_if_una_covers_it():
    a = arq(ack_nodelay=True)
    feed(a, segment(PUSH, sn=0, ts=9, data=b"d"), 3)
    assert [(one[0], one[3], one[4], one[5]) for one in sent(a, 3)] == [(ACK, 9, 0, 1)]


def test_many_acks_go_out_at_once():
    a = arq(mtu=100)
    datagram = b"".join(segment(PUSH, sn=sn, data=b"d") for sn in (2, 4, 6))
    feed(a, datagram, 3)
    assert drain(a, 3) == []
    feed(a, segment(PUSH, sn=8, data=b"d"), 3)  # 4 = mtu / 24
    got = drain(a, 3)
    assert [len(one) for one in got] == [96]
    assert [one[4] for one in parse(got[0])] == [2, 4, 6, 8]


def test_pending_acks_are_bounded():
    a = arq(rcv_wnd=1000)
    for sn in range(1, 3000):
        feed(a, segment(PUSH, sn=sn % 900 + 1, data=b"d"), 3)
    assert len(a._ack_sn) == 1024 and a.stats.AckDrops == 2999 - 1024


def test_repeats_are_counted_and_answered():
    a = arq(ack_nodelay=True)
    for _ in range(3):
        feed(a, segment(PUSH, sn=0, ts=1, data=b"d"), 3)
        assert len(sent(a, 3)) == 1
    assert a.stats.RepeatSegs == 2 and a.rcv_nxt == 1
    feed(a, segment(PUSH, sn=0, data=b"d"), 3, regular=False)
    assert a.stats.RepeatSegs == 2


def test_beyond_the_window_is_dropped_without_an_ack():
    a = arq(rcv_wnd=4, ack_nodelay=True)
    feed(a, segment(PUSH, sn=4, data=b"d"), 3)
    assert drain(a, 3) == [] and a.stats.RepeatSegs == 1
    feed(a, segment(PUSH, sn=3, data=b"d"), 3)
    assert len(sent(a, 3)) == 1


def test_half_way_round_is_beyond_the_window_as_in_kcp_go():
    """It compares with the window's far edge, not with the next number expected."""
    for distance, n_acks in (
        (-(2**31) + 127, 0),
        (-(2**31) + 128, 1),
        (-1, 1),
        (127, 1),
        (128, 0),
    ):
        a = arq(rcv_wnd=128, ack_nodelay=True, rcv_sn=2**32 - 50)
        feed(a, segment(PUSH, sn=(2**32 - 50 + distance) & 0xFFFFFFFF, data=b"d"), 3)
        assert len(sent(a, 3)) == n_acks, distance


def test_input_does_not_disturb_a_running_pass():
    a = arq(mtu=124, snd_wnd=8)
    say(a, bytes(100) * 4)
    buf = bytearray(a.buffer_bytes)
    assert a.output(buf, 0, 5) == 124
    feed(a, segment(PUSH, sn=0, data=b"d") + segment(ACK, sn=0, ts=5, una=1), 5)
    rest = sent(a, 5)
    # una and wnd are those of the pass's beginning until it ends; then comes the next pass
    assert [(one[0], one[4], one[5]) for one in rest] == [
        (PUSH, 1, 0),
        (PUSH, 2, 0),
        (PUSH, 3, 0),
        (ACK, 0, 1),
    ]


def test_a_hole_acknowledged_under_the_cursor_is_stepped_over():
    a = arq(mtu=124, snd_wnd=16, resend=1)
    say(a, bytes(100) * 7)
    sent(a, 0)
    for sn in (1, 3, 5):
        feed(a, segment(ACK, sn=sn, ts=0), 20)
    buf = bytearray(a.buffer_bytes)
    assert a.output(buf, 0, 20) == 124  # hole 0; the pass stands at hole 2
    feed(a, segment(ACK, sn=2, ts=0), 20)
    rest = [one[4] for one in sent(a, 20)]
    assert rest == [4], rest
    assert a.stats.FastRetransSegs == 2


def test_what_una_removes_during_a_pass_is_not_sent():
    a = arq(mtu=124, snd_wnd=16)
    say(a, bytes(100) * 6)
    buf = bytearray(a.buffer_bytes)
    assert a.output(buf, 0, 0) == 124
    sent(a, 0)
    a.tick(300)
    assert a.output(buf, 0, 300) == 124  # timers: 0 is sent again
    feed(a, segment(WINS, una=3), 300)
    assert [one[4] for one in sent(a, 300)] == [3, 4, 5]
    assert a.stats.LostSegs == 4


def test_pulled_a_little_at_a_time_over_a_bad_link():
    x = 99
    for seed in range(6):
        settings = {"mtu": 124, "snd_wnd": 64, "rcv_wnd": 64, "stream": True, "resend": seed % 3}
        a, b = arq(nc=seed & 1, **settings), arq(nc=seed & 1, **settings)
        data = bytes(i * 7 & 0xFF for i in range(9000))
        off, got, now = 0, b"", 0
        buf, page = bytearray(a.buffer_bytes), bytearray(500)
        while len(got) < len(data):
            x = (x * 1103515245 + 12345) & 0x7FFFFFFF
            if off < len(data):
                off += say(a, data[off : off + 300]) if a.snd_room() else 0
            source, target = (a, b) if x >> 20 & 1 else (b, a)
            source.tick(now)
            n = source.output(buf, 0, now)
            if n and (x >> 8) % 100 >= 25:  # a quarter is lost
                assert target.input(buf, 0, n, now) == 0
            n = b.read_into(page)
            got += bytes(page[:n])
            now += x >> 16 & 1
            assert a.snd_una <= a._ack_hi <= a.snd_nxt <= a._snd_end <= a.snd_una + 128
            assert now < 300000, (seed, len(got))
        assert got == data and a.stats.RetransSegs > 0


def test_idle_needs_no_timer():
    a, b = arq(), arq()
    assert a.timeout(0) == -1
    say(a, b"x")
    assert a.timeout(0) == 0
    for datagram in drain(a, 0):
        feed(b, datagram, 0)
    assert a.timeout(0) == 200 and b.timeout(0) == 10
    b.tick(10)
    for datagram in drain(b, 10):
        feed(a, datagram, 10)
    drain(a, 10)
    assert a.timeout(10) == -1 and b.timeout(10) == -1


def test_update_runs_on_a_fixed_grid():
    a = arq(interval_ms=40)
    feed(a, segment(PUSH, sn=0, data=b"d"), 3)
    a.update(7)
    assert len(sent(a, 7)) == 1
    times = []
    for now in range(8, 200):
        feed(a, segment(PUSH, sn=0, data=b"d"), now)
        a.update(now)
        if drain(a, now):
            times.append(now)
    assert times == [47, 87, 127, 167]
    a.update(1000)  # late: the grid starts anew from there
    assert a._ts_flush == 1040


def test_sequence_numbers_wrap():
    for first in (2**30 - 3, 2**31 - 3, 2**32 - 3):
        a = arq(mtu=124, snd_sn=first, rcv_sn=7)
        b = arq(mtu=124, snd_sn=7, rcv_sn=first)
        data = bytes(i & 0xFF for i in range(2500))
        say(a, data[:900])
        got = b""
        buf = bytearray(3000)
        now = 2**30 - 100  # our clock wraps as well
        for turn in range(100):
            now = (now + 7) & (2**30 - 1)
            if turn == 3:
                say(a, data[900:])
            a.update(now)
            b.update(now)
            for datagram in drain(a, now):
                feed(b, datagram, now)
            for datagram in drain(b, now):
                feed(a, datagram, now)
            n = b.recv_into(buf)
            got += bytes(buf[: max(n, 0)])
        assert got == data, first
        assert a.wait_snd() == 0 and a.stats.RetransSegs == 0
        last = sent_sn(a, data, now)
        assert last == (first + 25) & 0xFFFFFFFF, (first, last)


def sent_sn(a, data, now):
    say(a, data[:10])
    return [one[4] for one in sent(a, now)][-1]


def test_an_empty_segment_counts_as_a_byte():
    class Budget:
        used_bytes, limit_bytes = 0, 2

    a = arq(budget=Budget)
    for sn in (1, 2, 3, 0):
        feed(a, segment(PUSH, sn=sn), 1)
    assert Budget.used_bytes == 3 and a.stats.MemoryDrops == 1
    assert a.read_into(bytearray(5)) == 0 and Budget.used_bytes == 0


def test_the_budget_limits_what_is_held_but_not_the_next_in_order():
    class Budget:
        limit_bytes = 250
        used_bytes = 0

    a = arq(budget=Budget, ack_nodelay=True)
    for sn in (1, 2, 3):
        feed(a, segment(PUSH, sn=sn, data=bytes(100)), 0)
    assert Budget.used_bytes == 200 and a.stats.MemoryDrops == 1
    feed(a, segment(PUSH, sn=0, data=bytes(100)), 0)
    assert Budget.used_bytes == 300 and a.rcv_nxt == 3
    assert a.read_into(bytearray(300)) > 0
    while a.read_into(bytearray(300)):
        pass
    assert Budget.used_bytes == 0
    feed(a, segment(PUSH, sn=3, data=bytes(100)), 0)
    a.leave_budget()
    assert Budget.used_bytes == 0


def test_garbage_never_raises():
    x = 12345
    a = Arq(CONV, stream=True)
    say(a, bytes(5000))
    drain(a, 0)
    for turn in range(1500):
        parts = []
        for _ in range(3):
            numbers = []
            for _ in range(6):
                x = (x * 1103515245 + 12345) & 0x7FFFFFFF
                numbers.append(x)
            small = numbers[0] % 4
            parts.append(
                segment(
                    81 + numbers[1] % 4,
                    sn=numbers[2] if small == 0 else numbers[2] % 40,
                    ts=numbers[3] * 2,
                    una=numbers[4] * 2 if small == 1 else numbers[4] % 3,
                    data=bytes(numbers[5] % 20),
                    frg=numbers[5] & 0xFF,
                )
            )
        datagram = bytearray(b"".join(parts))
        datagram[x % len(datagram)] ^= x >> 8 & 0xFF
        a.input(datagram, 0, len(datagram), turn)
        a.tick(turn)
        drain(a, turn)
        assert a.snd_una <= a.snd_nxt and 0 <= a.rcv_nxt - a._rcv_q <= a.rcv_wnd
        if turn % 50 == 0:
            a.read_into(bytearray(100))
            a.send(b"more") if a.snd_room() else 0


def test_transmissions_of_an_acknowledged_segment_are_not_told():
    arq = Arq(1, mtu=50)
    arq.queue(b"x")
    for slot in range(len(arq._xmit)):  # what earlier segments left behind
        arq._xmit[slot] = 2
    assert arq.xmit(0) == 2
    assert [arq.xmit(sn) for sn in (1, arq._tx_mask + 1, 0xFFFFFFFF)] == [0, 0, 0]
