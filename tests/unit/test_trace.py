# upy: heapsize=4m
"""The trace log: masks, events and their values, sinks. Runs on both runtimes."""

import asyncio

from core_support import ACK, CONV, PUSH, WASK, WINS, carry, parse, raises, read_all, segment
from core_support import session as new_session
from loopback import pair, soon

import kcp
import kcp.trace as trace
from kcp.config import Config


def session(**options):
    """A session, and the list that its events go to."""
    one = new_session(**options)
    events = []
    one.set_logger(trace.ALL, lambda *event: events.append(event))
    return one, events


def take(events):
    """Return what is in the list and empty it."""
    taken = list(events)
    events.clear()
    return taken


def named(events, *names):
    return [event for event in events if event[0] in names]


def feed(one, data):
    one.input(bytearray(data), len(data), 0)


# masks


def test_masks_are_kcp_gos():
    """IKCP_LOG_* of kcp-go v5.6.72."""
    for name, mask in (
        ("OUTPUT", 1),
        ("INPUT", 2),
        ("SEND", 4),
        ("RECV", 8),
        ("OUT_ACK", 16),
        ("OUT_PUSH", 32),
        ("OUT_WASK", 64),
        ("OUT_WINS", 128),
        ("IN_ACK", 256),
        ("IN_PUSH", 512),
        ("IN_WASK", 1024),
        ("IN_WINS", 2048),
        ("OUTPUT_ALL", 1 + 16 + 32 + 64 + 128),
        ("INPUT_ALL", 2 + 256 + 512 + 1024 + 2048),
        ("ALL", 4095),
    ):
        assert getattr(trace, name) == mask
        assert trace.mask_of(name) == trace.mask_of(name.lower()) == mask
        assert trace.mask_of("IKCP_LOG_" + name) == mask
    assert trace.mask_of(None) == trace.mask_of(0) == 0
    assert trace.mask_of("send, RECV|in_ack") == 4 + 8 + 256
    assert trace.mask_of("0x30") == 0x30 and trace.mask_of("12,1") == 13
    assert set(trace.FIELDS) == {name for name in trace._BITS if "all" not in name}


def test_masks_that_are_none():
    assert "there are: all, in_ack," in str(raises(ValueError, trace.mask_of, "in_ack,syn"))
    for events in (-1, 4096, "4096", "", "send,", b"send", 1.5):
        raises(ValueError, trace.mask_of, events)
    raises(ValueError, Config, trace="nothing")
    raises(ValueError, new_session().set_logger, "send", 5)


# events


def test_a_segment_and_its_acknowledgement():
    a, sent = session(crypt="none")
    b, got = session(crypt="none")
    a.send(b"hello")
    assert take(sent) == [("send", CONV, True, 5)]
    [datagram] = carry(a, b, 7)
    out_push = ("out_push", CONV, 0, 0, 0, 7, 1, 5)
    assert take(sent) == [out_push, ("output", CONV, len(datagram))]
    assert take(got) == [
        ("input", CONV, PUSH, 0, 32, 7, 0, 0, 5, 5),
        ("in_push", CONV, 0, 0, 7, "regular", False),
    ]
    assert read_all(b) == b"hello"
    assert take(got) == [("recv", CONV, True, 5)]
    [datagram] = carry(b, a, 10)
    assert take(got) == [("out_ack", CONV, 0, 1, 7), ("output", CONV, 44)]
    assert take(sent) == [
        ("input", CONV, ACK, 0, 32, 7, 0, 1, 0, 0),
        ("in_ack", CONV, 0, 1, 7, 200),
    ]


def test_many_segments_in_a_datagram():
    a, sent = session(stream=False)
    for data in (b"a" * 30, b"b" * 20):
        a.send(data)
    b, got = session()
    datagrams = carry(a, b, 0)
    expected = []
    for datagram in datagrams:
        for cmd, frg, _, ts, sn, una, data in parse(datagram):
            assert cmd == PUSH
            expected.append(("out_push", CONV, sn, frg, una, ts, 1, len(data)))
        expected.append(("output", CONV, len(datagram)))
    assert named(take(sent), "out_push", "output") == expected
    assert len(named(got, "in_push")) == len(expected) - 1 == 2
    assert [len(one) for one in carry(b, a, 10)] == [24]  # una tells of the first
    assert len(named(got, "out_ack")) == len(named(sent, "in_ack")) == 1


def test_what_is_sent_again_and_what_comes_again():
    a, sent = session()
    b, got = session()
    a.send(b"x")
    datagrams = carry(a, b, 0) + carry(a, b, 200)
    assert len(datagrams) == 2
    assert [event[6] for event in named(sent, "out_push")] == [1, 2]
    assert [event[6] for event in named(got, "in_push")] == [False, True]
    assert b.stats.RepeatSegs == 1
    got.clear()
    for sn in (3, 3, 1, 32 + 1, 31 + 1):  # ahead, again, filling, outside of the window, its edge
        feed(b, segment(PUSH, sn=sn, data=b"y"))
    assert [event[6] for event in named(got, "in_push")] == [False, True, False, False, False]
    got.clear()
    feed(b, segment(PUSH, sn=40, data=b"y"))
    assert [event[6] for event in named(got, "in_push")] == [True]
    assert b.stats.RepeatSegs == 3


def test_window_probes():
    a, sent = session()
    feed(a, segment(WINS, wnd=0, ts=5))
    feed(a, segment(WASK, wnd=9, ts=6))
    assert named(take(sent), "in_wins", "in_wask") == [
        ("in_wins", CONV, 0, 5),
        ("in_wask", CONV, 9, 6),
    ]
    a.flush()
    carry(a, new_session(), 0)
    assert named(sent, "out_wins") == [("out_wins", CONV, 32, 0)]
    a.probe()
    carry(a, new_session(), 10)
    assert named(sent, "out_wask") == [("out_wask", CONV, 32, 0)]


def test_fec():
    """Heads are passed over, parity has no segments, what is repaired says so."""
    a, sent = session(fec=(2, 1), crypt="none")
    b, got = session(fec=(2, 1), crypt="none")
    a.send(b"first")
    carry(a, b, 0, lambda datagram: False)
    a.send(b"second")
    datagrams = carry(a, b, 1)
    assert len(datagrams) == 2
    assert [event[7] for event in named(sent, "out_push")] == [5, 6]
    assert [event[2] for event in named(sent, "output")][1:] == [len(one) for one in datagrams]
    events = named(take(got), "in_push")
    assert [(event[2], event[5]) for event in events] == [(1, "regular"), (0, "fec")]
    assert a.send_oob(b"not a segment")
    sent.clear()
    carry(a, b, 2)
    assert [event[0] for event in sent] == ["output"] and b.stats.OOBPackets == 1
    assert got == []


def test_what_the_arq_refuses():
    b, got = session()
    feed(b, segment(PUSH, conv=CONV + 1, data=b"x"))
    feed(b, bytes(20))
    assert got == []
    feed(b, segment(PUSH, data=b"cut off")[:-1])
    assert take(got) == [("input", CONV, PUSH, 0, 32, 0, 0, 0, 7, 6)]
    feed(b, segment(85) + segment(PUSH, data=b"x"))
    assert [event[0] for event in take(got)] == ["input"]
    assert b.stats.KCPInErrors == 4
    a = new_session(crypt="none")
    b, got = session(crypt="none")
    a.send(b"x")
    [datagram] = carry(a, new_session(), 0)
    feed(b, bytes([datagram[0]]) + bytes(len(datagram) - 1))
    assert got == [] and b.stats.InCsumErrors == 1


def test_numbers_of_32_bits():
    b, got = session()
    feed(b, segment(ACK, sn=0xFFFFFFF0, ts=0xFFFFFFFF, una=0xFFFFFFF1, wnd=0xFFFF))
    assert got == [
        ("input", CONV, ACK, 0, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFF0, 0xFFFFFFF1, 0, 0),
        ("in_ack", CONV, 0xFFFFFFF0, 0xFFFFFFF1, 0xFFFFFFFF, 200),
    ]


# which events, and to whom


def test_only_what_the_mask_names():
    events = []

    def sink(*event):
        events.append(event)

    for names in ("send", "recv,in_ack", "output", "out_push", "input_all", "output_all", "all"):
        mask = trace.mask_of(names)
        expected = {name for name in trace.FIELDS if trace._BITS[name] & mask}
        a, b = new_session(), new_session()
        events.clear()
        for one in (a, b):
            one.set_logger(names, sink)
        a.send(b"x")
        carry(a, b, 0)
        carry(b, a, 10)
        read_all(b)
        seen = {event[0] for event in events}
        assert seen == expected - {"out_wask", "out_wins", "in_wask", "in_wins"}, names
        for event in events:
            assert len(event) == 2 + len(trace.FIELDS[event[0]])


def test_off():
    a, sent = session()
    for off in (0, None):
        a.set_logger(trace.SEND, lambda *event: sent.append(event))
        a.send(b"x")
        assert len(take(sent)) == 1
        a.set_logger(off)
        a.send(b"x")
        assert sent == [] and a.tracer is None
    assert new_session().tracer is None


def fail(*event):
    raise KeyError("sink")


def test_a_sink_that_fails_is_not_called_again():
    a, b = new_session(), new_session()
    b.set_logger("all", fail)
    a.send(b"x")
    datagram = bytearray(carry(a, new_session(), 0)[0])
    raises(KeyError, b.input, datagram, len(datagram), 0)
    assert b.tracer is None
    assert b.input(datagram, len(datagram), 0) and read_all(b) == b"x"
    reported = []
    b.set_logger("all", fail, lambda error, message: reported.append((type(error), message)))
    assert b.input(datagram, len(datagram), 0) and b.tracer is None
    assert reported == [(KeyError, "exception in the sink of a KCP trace, which is off now")]


def test_a_sink_that_fails_is_told_on_stderr():
    trace.on_stderr(KeyError("sink"), "(this is a test)")


def test_settings():
    """The setting `trace` begins with the first datagram, and can be changed."""
    a = new_session(trace="in_push")
    assert a.tracer is not None and a.config.trace == trace.IN_PUSH
    a.set(trace=None)
    assert a.tracer is None
    a.set(trace=trace.SEND)
    assert a.tracer._mask == trace.SEND
    tracer = a.tracer
    a.set(mtu=1000)
    assert a.tracer is tracer


def test_lines():
    values = (0xFFFFFFF0, 3, 7, "regular", True)
    line = trace.text("in_push", values)
    assert line == "in_push sn=4294967280 una=3 ts=7 packettype=regular repeat=True"
    for name in trace.FIELDS:
        assert trace.text(name, range(9)).count("=") == len(trace.FIELDS[name])
    trace.default_sink()("send", CONV, True, 5)


async def test_streams():
    async with await pair() as p:
        events = []
        reported = []
        asyncio.get_event_loop().set_exception_handler(
            lambda loop, context: reported.append(type(context["exception"]))
        )
        try:
            p.client.set_logger("send,output", lambda *event: events.append(event))
            p.peer.set_logger("in_push", fail)
            p.client.write(b"hello")
            assert await soon(p.peer.readexactly(5)) == b"hello"
            conv = p.client.get_extra_info("conv")
            assert ("send", conv, True, 5) in events
            assert ("output", conv, 29) in events
            assert reported == [KeyError] and p.peer.session.tracer is None
        finally:
            asyncio.get_event_loop().set_exception_handler(None)


def test_the_module_has_a_name_in_the_package():
    assert kcp.trace is trace
