"""Settings that change while a session lives (Session.set). Runs on both runtimes."""

from core_support import arq_of, carry, raises, read_all, session

from kcp.arq import Arq
from kcp.config import Config
from kcp.session import CLOSED

FEC_AND_CRC = {"crypt": "none", "fec": (3, 2)}


def pattern(n, seed=1):
    return bytes((i * 7 + i // 251 + seed) & 0xFF for i in range(n))


def settle(a, b, data):
    """Send data from a to b until all has come, in virtual time; the datagrams that a built."""
    built = []
    off = now_ms = 0
    got = b""
    for _ in range(2000):
        if off < len(data):
            off += a.send(data[off:])
        built += carry(a, b, now_ms)
        carry(b, a, now_ms)
        got += read_all(b)
        if len(got) == len(data) and not a.unacked_bytes:
            break
        now_ms += 5
    assert got == data, (len(got), len(data))
    return built


def finish(a, b, data):
    """Have all of `data`, queued in a, come to b and be acknowledged."""
    got = b""
    for now_ms in range(0, 3000, 5):
        carry(a, b, now_ms)
        carry(b, a, now_ms)
        got += read_all(b)
    assert got == data and a.unacked_bytes == 0


def test_each_setting_arrives():
    s = session()
    s.set(mtu=600, sndwnd=5, rcvwnd=6, nodelay=0, interval=77, resend=9, nc=0)
    s.set(stream=False, acknodelay=True, write_delay=True, dead_ms=500, linger_ms=70)
    arq, config = arq_of(s), s.config
    assert (s.mss, arq.mtu, config.mtu) == (576, 600, 600)
    assert (arq.snd_wnd, arq.rcv_wnd, arq.max_queue) == (5, 6, 10)
    assert (arq.nodelay, arq.interval_ms, arq.resend, arq.nc) == (0, 77, 9, 0)
    assert (arq.stream, arq.ack_nodelay) == (False, True)
    assert (config.write_delay, config.dead_ms, config.linger_ms) == (True, 500, 70)
    s.set(mode="fast2")
    assert (arq.nodelay, arq.interval_ms, arq.resend, arq.nc) == (1, 20, 2, 1)
    assert arq.snd_wnd == 5 and config.mtu == 600


def test_what_is_refused_changes_nothing():
    s = session(crypt="none", fec=(3, 2))
    for options, word in (
        ({"mtu": 1501}, "50..1500"),
        ({"mtu": 49}, "50..1500"),
        ({"mtu": 52}, "leaves no room"),  # 20 + 8 + 24 and no byte of data
        ({"sndwnd": 0}, "segments"),
        ({"rcvwnd": 32769}, "segments"),
        ({"interval": 1, "mtu": 500}, "10..5000"),
        ({"mode": "warp"}, "fast3"),
        ({"rate_limit": -1}, "bytes per second"),
        ({"dup": 256}, "copies"),
        ({"nonsense": 1}, "unknown"),
        ({"crypt": "null"}, "fixed when the session is made"),
        ({"fec": (10, 3), "mtu": 500}, "fixed when the session is made"),
        ({"dscp": 3}, "fixed when the session is made"),
    ):
        before = s.config
        message = str(raises(ValueError, s.set, **options))
        assert word in message, message
        assert s.config is before and arq_of(s).mtu == 1350 - 28
    s.set(mtu=53)
    assert s.mss == 1


def test_a_listeners_sessions_have_their_own_settings():
    config = Config(mode="fast3")
    a, b = session(), session()
    a.config = b.config = config
    a.set(mtu=500)
    assert b.config.mtu == config.mtu == 1350


def is_parity(datagram, options):
    """Parity is as long as its group's longest packet, which may be from before the change."""
    return "fec" in options and datagram[20 + 4] == 0xF2


def test_new_data_keeps_to_the_new_mtu():
    aes = {"crypt": "aes-128", "key": bytes(range(16))}
    for options in ({}, FEC_AND_CRC, aes, dict(aes, crypt="aes-128-gcm")):
        a, b = session(**options), session(**options)
        for mtu in (700, 1500, 90, 1200, 60, 1350):
            a.set(mtu=mtu)
            assert a.buffer_bytes >= mtu
            built = settle(a, b, pattern(4000, mtu))
            longest = max(len(one) for one in built if not is_parity(one, options))
            assert longest == mtu, (options, mtu, longest)


def test_what_was_queued_before_keeps_its_size():
    for options in ({}, FEC_AND_CRC):
        a, b = session(**options), session(**options)
        data = pattern(9000)
        assert a.send(data[:5000]) == 5000
        a.set(mtu=100)
        n = a.send(data[5000:])
        built = [one for one in carry(a, b, 0) if not is_parity(one, options)]
        assert [len(one) for one in built[:3]] == [1350] * 3
        assert 100 < len(built[3]) < 1350
        assert [len(one) for one in built[4:]] == [100] * (32 - 4)  # the window
        finish(a, b, data[: 5000 + n])


def test_old_large_segments_are_sent_again_when_lost():
    a, b = session(), session()
    data = pattern(6000)
    a.send(data)
    assert carry(a, b, 0, keep=lambda datagram: False)
    a.set(mtu=200)
    finish(a, b, data)
    assert a.stats.LostSegs >= 4


def test_raising_the_mtu_never_mixes_old_and_new_pieces():
    """Stream mode fills the last queued segment; one that was made for a small mtu stays small."""
    a, b = session(mtu=80), session()
    a.send(pattern(50))
    a.set(mtu=1500)
    data = pattern(50) + pattern(3000, 9)
    a.send(pattern(3000, 9))
    finish(a, b, data)


def test_windows_grow_and_shrink_under_way():
    a, b = session(sndwnd=4, rcvwnd=4, mtu=124), session(sndwnd=4, rcvwnd=4)
    assert a.send(pattern(5000)) == 8 * a.mss
    carry(a, b, 0)
    a.set(sndwnd=64)
    b.set(rcvwnd=64)
    assert a.send(pattern(20000)) == (128 - 8) * a.mss
    got = b""
    for now_ms in range(0, 2000, 5):
        carry(a, b, now_ms)
        carry(b, a, now_ms)
        if now_ms == 100:
            a.set(sndwnd=2)
            b.set(rcvwnd=3)
        if now_ms > 200:
            got += read_all(b)
    assert a.snd_room_bytes == 4 * a.mss
    assert len(got) == 128 * a.mss and a.unacked_bytes == 0
    assert got == pattern(5000)[: 8 * a.mss] + pattern(20000)[: 120 * a.mss]


def test_a_larger_receive_window_is_told_at_once():
    a, b = session(sndwnd=32), session(rcvwnd=2)
    a.send(pattern(20 * a.mss))
    carry(a, b, 0)
    carry(b, a, 0)
    for now_ms in range(0, 100, 10):
        carry(a, b, now_ms)
        carry(b, a, now_ms)
    assert arq_of(a).rmt_wnd == 0
    b.set(rcvwnd=32)
    assert b.timeout(100) == 0
    carry(b, a, 100)
    assert arq_of(a).rmt_wnd == 32 - 4  # two it had to read, two waited behind them


def test_a_shorter_interval_counts_from_now():
    s = session(mode="normal", interval=5000)
    s.send(b"x")
    carry(s, session(), 0)
    peer = session()
    peer.send(b"y")
    carry(peer, s, 100)
    assert s.timeout(100) == 100  # the ACK waits for the tick; the timer of x is nearer
    s.set(interval=10)
    assert s.timeout(100) <= 10


def test_message_mode_can_be_left_and_entered():
    a, b = session(stream=False), session()
    a.send(b"one")
    a.set(stream=True)
    a.send(b"two")
    a.send(b"three")
    assert arq_of(a).wait_snd() == 1
    a.set(stream=False)
    a.send(b"four")
    assert arq_of(a).wait_snd() == 2
    finish(a, b, b"onetwothreefour")


def test_write_delay_waits_for_the_tick():
    a, b = session(interval=100), session()
    a.set(write_delay=True)
    a.send(b"x")
    assert a.timeout(0) == 100 and carry(a, b, 0) == []
    a.set(write_delay=False)
    a.send(b"y")
    assert a.timeout(0) == 0 and len(carry(a, b, 0)) == 1


def test_times_of_a_round_trip():
    a, b = session(), session()
    assert (a.srtt_ms, a.rttvar_ms, a.rto_ms) == (0, 0, 200)
    b.set(acknodelay=True)
    a.send(b"x")
    carry(a, b, 0)
    carry(b, a, 50)
    assert (a.srtt_ms, a.rtt_ms, a.rttvar_ms, a.rto_ms) == (50, 50, 25, 160)
    assert a.conv == 0x80000001


def test_the_defaults_of_arq_are_kcp_gos():
    arq = Arq(1)
    assert (arq.mtu, arq.mss, arq.snd_wnd, arq.rcv_wnd) == (1400, 1376, 32, 32)
    assert (arq.nodelay, arq.interval_ms, arq.resend, arq.nc) == (0, 100, 0, 0)
    assert (arq.rmt_wnd, arq.rx_rto, arq.rx_minrto, arq.cc.ssthresh) == (32, 200, 100, 2)


def test_set_after_close_is_harmless():
    a = session()
    a.close(0)
    a.set(acknodelay=False, mtu=500)
    assert arq_of(a).ack_nodelay  # closing answers at once
    a.abort()
    a.set(rate_limit=1000, dup=1)
    assert a.state == CLOSED and a.output(bytearray(a.buffer_bytes), 0) == 0
