# upy: heapsize=8m arm=no
"""Congestion controllers allocate nothing: neither their hooks nor the sessions that call them."""

import gc

import micropython
from test_heap import N_PACKETS, Pair, locked_exchange

from kcp._cc_kcp import Kcp
from kcp._cc_rate import Rate
from kcp._pacer import Pacer


class Sender:
    """What the hooks look at."""

    mss = 1000
    payload_pct = 100
    resend = 2
    is_starved = False

    def __init__(self):
        self.rx_srtt = 50
        self.snd_una, self.snd_nxt = 0, 64
        self.window = self.snd_wnd = self.rmt_wnd = 64


def drive(cc, sender, pacer, n):
    """n rounds: without a queue, with one, and with losses."""
    now_ms = 0
    for i in range(n):
        rtt_ms = 80 if i % 9 > 5 else 50
        for _ in range(10):
            now_ms += 8
            sender.snd_una += 4
            sender.snd_nxt += 4
            cc.on_sent(sender, now_ms, 4)
            cc.on_ack(sender, now_ms, 4000, rtt_ms)
            pacer.set_rate(cc.rate)
            pacer.take(min(pacer.room_bytes(now_ms), 4000))
        if i % 5 == 0:
            cc.on_loss(sender, now_ms, 3)
        if i % 7 == 0:
            cc.on_timeout(sender, now_ms, 2)


def test_the_hooks_do_not_allocate():
    for kind in (Kcp, Rate):
        sender = Sender()
        cc = kind(sender)
        pacer = Pacer(sender.mss, cc.rate)
        drive(cc, sender, pacer, 20)
        gc.collect()
        before = gc.mem_alloc()
        micropython.heap_lock()
        try:
            drive(cc, sender, pacer, 200)
        finally:
            micropython.heap_unlock()
        assert gc.mem_alloc() == before
        assert cc.rate > 0


def test_sessions_with_controllers_do_not_allocate():
    for cc in ("none", "kcp", "rate"):
        pair = Pair(crypt="none", cc=cc)
        pair.reserve()
        pair.exchange(20)
        assert locked_exchange(pair) == 0, cc
        assert pair.got_a == pair.got_b == N_PACKETS * 1090
