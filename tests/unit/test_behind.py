"""ACKs that know less than was acknowledged before: late, or of a peer that was restarted. Whole
sessions: sim/test_forgotten.py. Both runtimes."""

from core_support import ACK, drain, feed, parse, say, segment
from core_support import arq as plain_arq


def arq(**settings):
    kcp = plain_arq(**settings)
    kcp.doubts = True  # as in a session
    return kcp


def acknowledged(now_ms=0):
    """An Arq of which five segments were sent at now_ms, and acknowledged 20 ms later."""
    kcp = arq(stream=False)
    for n in range(5):
        say(kcp, bytes([n]))
    assert len(parse(b"".join(drain(kcp, now_ms)))) == 5
    feed(kcp, segment(ACK, sn=4, ts=now_ms, una=5), (now_ms + 20) % (1 << 30))
    assert kcp.snd_una == 5 and kcp.behind == 0
    return kcp


def send_at(kcp, now_ms):
    say(kcp, b"next")
    drain(kcp, now_ms)


def test_what_is_sent_after_una_moved_tells():
    for start_ms in (0, (1 << 30) - 25):  # and where the clock runs over its end
        kcp = acknowledged(start_ms)
        sent_ms = (start_ms + 30) % (1 << 30)
        send_at(kcp, sent_ms)
        for n in range(1, 4):
            feed(kcp, segment(ACK, sn=5, ts=sent_ms, una=0), (sent_ms + 20 + n) % (1 << 30))
            assert kcp.behind == 1 + n and kcp.snd_bytes == 4, "it acknowledges nothing"
        feed(kcp, segment(ACK, sn=5, ts=sent_ms, una=5), (sent_ms + 30) % (1 << 30))
        assert kcp.behind == 0 and kcp.snd_bytes == 0


def test_within_one_ms_the_number_tells():
    kcp = acknowledged()
    send_at(kcp, 20)  # the ms at which una moved, but later: it had not been sent before
    feed(kcp, segment(ACK, sn=5, ts=20, una=0), 40)
    assert kcp.behind == 2 and kcp.snd_bytes == 4
    feed(kcp, segment(ACK, sn=6, ts=20, una=0), 41)  # this one does not exist
    assert kcp.behind == 2


def test_what_was_sent_before_does_not():
    """Reordering alone can bring such an ACK: of what was sent when una moved, or before."""
    kcp = arq(stream=False)
    for n in range(8):
        say(kcp, bytes([n]))
    drain(kcp, 100)
    feed(kcp, segment(ACK, sn=2, ts=100, una=3), 120)
    for ts in (100, 119, 120):
        feed(kcp, segment(ACK, sn=6, ts=ts, una=1), 130)
        assert kcp.behind == 1, ts
    assert kcp.snd_bytes == 4  # 3, 4, 5 and 7: a late ACK is an ACK


def test_times_that_are_none_of_ours_tell_nothing():
    kcp = arq(stream=False)
    for n in range(8):
        say(kcp, bytes([n]))
    drain(kcp, 0)
    feed(kcp, segment(ACK, sn=2, ts=0, una=3), 20)
    for ts in (0x40000000, 0xFFFFFFFF, 0x3FFFFFFF):
        feed(kcp, segment(ACK, sn=5, ts=ts, una=0), 60)
        assert kcp.behind == 1, ts
    feed(kcp, segment(ACK, sn=6, ts=30, una=0), 60)  # sent again at 30, if that is true
    assert kcp.behind == 2


def test_before_anything_was_acknowledged_nothing_can_be_forgotten():
    kcp = arq(stream=False)
    send_at(kcp, 30)
    feed(kcp, segment(ACK, sn=0, ts=30, una=0xFFFFFFF0), 60)
    assert kcp.behind == 1 and kcp.snd_bytes == 0
