"""Congestion controllers in a session: how one is chosen, what it is told, and what follows."""

from core_support import raises, segment

from kcp._cc_kcp import Kcp
from kcp._cc_rate import Rate
from kcp._session_py import Session
from kcp.arq import Arq
from kcp.cc import Controller
from kcp.config import Config
from kcp.session import CLOSED

ACK = 82


def refused(words, call, *args, **options):
    error = raises(ValueError, call, *args, **options)
    assert words in str(error), str(error)


def fill(view):
    for i in range(len(view)):
        view[i] = i


def session(**options):
    return Session(1, Config(mode="fast3", stream=False, **options), fill, 0)


def pull(one, now_ms):
    """The PUSH segments that output() gives now."""
    buf, n = bytearray(one.buffer_bytes), 0
    while one.output(buf, now_ms):
        n += 1
    return n


class Fixed(Controller):
    """Three segments under way, and a record of what it is told."""

    def __init__(self, arq):
        super().__init__(arq)
        self.cwnd = 3
        self.told = []

    def on_sent(self, arq, now_ms, n_segs):
        self.told.append(("sent", now_ms, n_segs, arq.n_flight, arq.is_starved))

    def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
        self.told.append(("ack", now_ms, n_bytes, rtt_ms, arq.n_flight))

    def on_loss(self, arq, now_ms, n_segs):
        self.told.append(("loss", now_ms, n_segs))

    def on_timeout(self, arq, now_ms, n_segs):
        self.told.append(("timeout", now_ms, n_segs))


def test_the_settings_choose_the_controller():
    assert Config().cc == "rate" and Config().nc == 1
    assert Config(pacing=False).cc == "none"
    assert Config(nc=0).cc == "kcp" and Config(nc=0, pacing=False).cc == "kcp"
    assert Config(cc="kcp").nc == 0 and Config(cc="rate", pacing=False).cc == "rate"
    assert Config(preset="lora", cc="kcp").nc == 0
    assert Config.from_options(Config(nc=0), {"cc": "none"}).nc == 1
    assert Config.from_options(Config(cc="none"), {"nc": 0}).cc == "kcp"


def test_a_wrong_controller_is_refused_at_once():
    refused("there are: none, kcp, rate", Config, cc="bbr")
    refused("a class", Config, cc=5)
    refused("give only cc", Config, cc="rate", nc=0)
    refused("must have a method on_sent", Config, cc=lambda arq: object())
    refused("must be 1..1048576, not None", Config, cc=Nothing)
    refused("makes no controller: TypeError", Config, cc=lambda: Controller(None))
    refused("makes no controller: ZeroDivisionError", Config, cc=lambda arq: 1 // 0)


class Nothing(Controller):
    """Has forgotten super().__init__(arq)."""

    def __init__(self, arq):
        self.rate = 0


def test_a_controller_is_tried_with_what_its_session_will_have():
    seen = []

    def make(arq):
        seen.append((arq.mss, arq.snd_wnd, arq.interval_ms, arq.payload_pct))
        return Controller(arq)

    one = session(cc=make, mtu=600, sndwnd=7, fec=(3, 1))
    assert len(seen) == 2 and seen[0] == (576, 7, 10, 75)
    assert seen[1][1:] == seen[0][1:] and one.arq.mss == seen[1][0] < 576


def test_a_controller_that_is_refused_changes_nothing():
    one = session(cc=Controller)
    before, controller = one.config, one.arq.cc
    n_made = 0

    def third(arq):  # the first one is a trial
        nonlocal n_made
        n_made += 1
        return Controller(arq) if n_made % 2 else 1 // 0

    for cc in (third, Nothing, lambda arq: 1 // 0):
        raises(ValueError, one.set, mtu=500, sndwnd=9, rcvwnd=9, mode="normal", cc=cc)
        arq = one.arq
        assert one.config is before and arq.cc is controller
        assert (arq.mtu, arq.snd_wnd, arq.interval_ms) == (1350, before.sndwnd, 10)
    assert n_made == 2


def test_a_session_has_what_the_config_says():
    one = session()
    assert isinstance(one.arq.cc, Rate) and one.arq.pacer is not None
    one.set(pacing=False)
    assert one.arq.cc is None and one.arq.pacer is None
    one.set(cc="kcp")
    window = one.arq.cc
    assert isinstance(window, Kcp) and one.arq.nc == 0 and one.arq.pacer is None
    one.set(pacing=True)
    assert one.arq.cc is window and one.arq.pacer is not None
    one.set(nc=1)
    assert isinstance(one.arq.cc, Rate)
    one.set(nc=0)
    assert one.arq.cc is window  # kcp-go does not forget it either


def test_a_controller_limits_what_is_under_way_and_not_the_numbers():
    one = session(cc=Fixed)
    for _ in range(8):
        one.send(b"x")
    assert pull(one, 0) == 1 and one.arq.n_flight == 3  # one datagram holds them all
    ack = segment(ACK, sn=1, ts=0, conv=1)
    one.input(bytearray(ack), len(ack), 30)
    assert one.arq.n_flight == 2
    pull(one, 30)
    assert (one.arq.n_flight, one.arq.snd_una, one.arq.snd_nxt) == (3, 0, 4)


def test_a_controller_is_told_everything():
    one = session(cc=Fixed)
    told = one.arq.cc._controller.told
    one.send(b"0123456789")
    pull(one, 5)
    assert told == [("sent", 5, 1, 1, True)]
    one.output(bytearray(one.buffer_bytes), 5 + one.arq.rx_rto)
    assert ("timeout", 205, 1) in told
    del told[:]
    ack = segment(ACK, sn=0, ts=205, conv=1)
    one.input(bytearray(ack), len(ack), 240)
    assert told[0] == ("ack", 240, 10, 35, 0)


def test_losses_are_told():
    one = session(cc=Controller)
    one.set(cc=Fixed)
    told = one.arq.cc._controller.told
    for _ in range(3):
        one.send(b"x")
    pull(one, 0)
    for sn in (1, 2):
        ack = segment(ACK, sn=sn, ts=0, conv=1)
        one.input(bytearray(ack), len(ack), 30)
    pull(one, 30)
    assert ("loss", 30, 1) in told


def test_a_rate_holds_segments_back_only_with_pacing():
    class Slow(Controller):
        def __init__(self, arq):
            super().__init__(arq)
            self.rate = 10 * arq.mss

    for pacing, n_left in ((True, 4), (False, 0)):
        one = session(cc=Slow, pacing=pacing, sndwnd=64, rcvwnd=64)
        for _ in range(20):
            one.send(bytes(one.mss))
        pull(one, 0)
        assert one.arq.wait_snd() - one.arq.n_flight == n_left, pacing


def test_an_exception_in_a_controller_ends_its_session():
    class Bad(Controller):
        def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
            return 1 // 0

    class Wrong(Controller):
        def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
            self.cwnd = 1.5

    for kind, words in ((Bad, "ZeroDivisionError in on_ack()"), (Wrong, "cwnd must be 1..")):
        one = session(cc=kind)
        one.send(b"x")
        pull(one, 0)
        ack = segment(ACK, sn=0, ts=0, conv=1)
        one.input(bytearray(ack), len(ack), 30)
        assert one.state == CLOSED and one.error == 22 and words in one.why, one.why


def test_a_bare_arq_lets_the_exception_out():
    class Bad(Controller):
        def on_sent(self, arq, now_ms, n_segs):
            raise RuntimeError("mine")

    arq = Arq(1, nc=1)
    arq.set_cc(Bad)
    arq.send(b"x")
    arq.flush()
    raises(RuntimeError, arq.output, bytearray(arq.buffer_bytes), 0, 0)
