"""Sequence numbers that have gone round. Runs on both runtimes."""

from core_support import ACK, CONV, WINS, feed, say, segment, sent

from kcp.arq import Arq


def test_una_that_stays_is_nothing_new():
    """Its number on the wire is no longer the unwrapped one, but still the same una."""
    arq = Arq(CONV, nodelay=1, interval_ms=10, resend=2, nc=1, stream=True, snd_sn=0xFFFFFFFE)
    arq.set_cc("rate", True)
    for i in range(4):
        now_ms = 100 + 20 * i
        say(arq, b"x")
        sn = sent(arq, now_ms)[-1][4]
        feed(arq, segment(ACK, sn=sn, ts=now_ms, una=(sn + 1) & 0xFFFFFFFF), now_ms + 10)
    say(arq, b"in flight")
    sent(arq, 300)
    before = (arq._una_ms, arq._peak_ms, arq.snd_una)
    assert before[2] > 1 << 32
    for now_ms in (310, 330, 350):  # it says the same una again, and acknowledges nothing
        feed(arq, segment(WINS, una=2), now_ms)
    assert (arq._una_ms, arq._peak_ms, arq.snd_una) == before
