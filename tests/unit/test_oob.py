# upy: heapsize=8m
"""Out-of-band packets: wire form, limits, handlers, strays. Runs on both runtimes."""

import struct

from core_support import CONV, carry, fill, raises, read_all, session

from kcp import crypt
from kcp._oob import guarded
from kcp.config import Config
from kcp.listener import Listener
from kcp.session import CLOSED, CLOSING, EPIPE

KEY = bytes(range(32))


def oob(payload, conv=CONV):
    """Return the packet as kcp-go writes it."""
    return struct.pack("<IHHI", 0xFFFFFFFF, 0xF3, len(payload) + 6, conv) + payload


def feed(s, data, now_ms=0):
    buf = bytearray(s.buffer_bytes)
    buf[: len(data)] = data
    return s.input(buf, len(data), now_ms)


def heard_by(s):
    """Return the list into which the session's out-of-band packets will go."""
    got = []
    s.on_oob = got.append
    return got


def listener(**options):
    return Listener(Config(mode="fast3", **options), fill)


def arrive(server, data, key="a", now_ms=0):
    buf = bytearray(server.buffer_bytes)
    buf[: len(data)] = data
    return server.input(buf, len(data), key, now_ms)


def test_the_wire_form_is_kcp_go_s():
    a = session(fec=(3, 2))
    assert a.send_oob(b"ping") and a.timeout(0) == 0
    assert carry(a, session(), 0) == [oob(b"ping")]
    assert a.timeout(0) == -1 and a.stats.OutPkts == 1 and a.stats.OutBytes == 16


def test_every_size_with_every_cipher():
    for name in crypt.NAMES:
        a, b = session(crypt=name, key=KEY, fec=(2, 1), mtu=180), session(crypt=name, key=KEY)
        got = heard_by(b)
        assert a.max_oob_bytes == a.mss + 20
        sizes = (0, 1, 11, 12, 13, a.max_oob_bytes - 1, a.max_oob_bytes)
        for n in sizes:
            assert a.send_oob(bytes(i & 0xFF for i in range(n)))
        built = carry(a, b, 0)
        assert max(len(one) for one in built) == 180
        assert got == [bytes(i & 0xFF for i in range(n)) for n in sizes], name
        assert b.stats.OOBPackets == b.stats.InPkts == len(sizes) and b.heard


def test_misuse_raises():
    a = session()
    assert a.max_oob_bytes == 0
    assert "fec=" in str(raises(ValueError, a.send_oob, b"x"))
    a = session(fec=(10, 3), mtu=1400)
    assert a.max_oob_bytes == 1400 - 8 - 4
    assert "1388" in str(raises(ValueError, a.send_oob, bytes(1389)))
    raises(TypeError, a.send_oob, "text")
    raises(TypeError, a.send_oob, 5)
    assert a.timeout(0) == -1
    a.close(0)
    assert raises(OSError, a.send_oob, b"x").args[0] == EPIPE
    a = session(fec=(10, 3))
    a.abort(104)
    assert raises(OSError, a.send_oob, b"x").args[0] == 104


def test_payloads_of_any_kind_are_copied():
    a, b = session(fec=(1, 1)), session()
    got = heard_by(b)
    data = bytearray(b"abcd")
    a.send_oob(data)
    a.send_oob(memoryview(data)[1:3])
    data[:] = b"wxyz"
    carry(a, b, 0)
    assert got == [b"abcd", b"bc"] and type(got[0]) is bytes


def test_without_a_handler_they_are_dropped_and_counted():
    a = session()
    assert not feed(a, oob(b"x"))
    assert (a.stats.OOBPackets, a.stats.InErrs, a.stats.KCPInErrors) == (1, 0, 0)
    got = heard_by(a)
    assert feed(a, oob(b"y")) and got == [b"y"] and a.stats.OOBPackets == 2
    a.on_oob = None
    assert not feed(a, oob(b"z")) and got == [b"y"]


def test_a_stray_is_dropped():
    a = session()
    got = heard_by(a)
    for conv in (CONV ^ 1, CONV ^ 0x80000000, 0):
        assert not feed(a, oob(b"x", conv))
    assert a.stats.InErrs == 3 and a.stats.OOBPackets == 0 and not a.heard and got == []
    assert not feed(a, oob(b"")[:11]) and a.stats.KCPInErrors == 1


def test_the_queue_is_bounded():
    a, b = session(fec=(2, 1), sndwnd=5), session()
    got = heard_by(b)
    assert [a.send_oob(bytes([i])) for i in range(7)] == [True] * 5 + [False] * 2
    assert a.stats.OOBDrops == 2
    carry(a, b, 0)
    assert got == [bytes([i]) for i in range(5)]
    assert a.send_oob(b"again")


def test_they_go_beside_the_stream_and_its_groups():
    a, b = session(fec=(2, 1)), session(fec=(2, 1))
    got = heard_by(b)
    data = bytes(range(256)) * 40
    a.send(data)
    buf = bytearray(a.buffer_bytes)
    for i in range(12):
        a.send_oob(bytes([i]))
        for _ in range(2):  # the packet, and one of the stream or a parity packet
            n = a.output(buf, 0)
            if n and not (buf[4] == 0xF1 and i % 2):  # half of the data packets are lost
                b.input(buf, n, 0)
    assert got == [bytes([i]) for i in range(12)]
    assert b.stats.FECRecovered > 0
    now = 0
    while a.unacked_bytes:
        carry(a, b, now)
        carry(b, a, now)
        now += 10
    assert read_all(b) == data and b.stats.KCPInErrors == b.stats.FECErrs == 0


def test_they_say_that_the_peer_is_there_but_answer_nothing():
    a = session(dead_ms=1000)
    a.send(b"x")
    carry(a, session(), 0, keep=lambda datagram: False)
    for now in range(0, 1000, 100):
        feed(a, oob(b""), now)
        carry(a, session(), now, keep=lambda datagram: False)
    assert a.heard and a.last_input_ms == 900 and a.state != CLOSED
    carry(a, session(), 1000, keep=lambda datagram: False)
    assert a.state == CLOSED


def test_what_is_queued_goes_out_before_the_close():
    a, b = session(fec=(2, 1)), session()
    got = heard_by(b)
    a.send_oob(b"bye")
    a.close(0)
    assert a.state == CLOSING and a.timeout(0) == 0
    carry(a, b, 0)
    assert a.state == CLOSED and a.error is None and got == [b"bye"]
    b.close(0)
    feed(b, oob(b"late"))
    assert got == [b"bye"]


def test_a_handler_that_fails():
    """From a session it comes out of input(), after everything is done; a stream reports it."""
    a = session()
    a.on_oob = lambda data: data[9]
    raises(IndexError, feed, a, oob(b"x"))
    assert a.stats.OOBPackets == 1
    reported = []
    a.on_oob = guarded(a.on_oob, lambda error, message: reported.append(error))
    assert feed(a, oob(b"x")) and type(reported[0]) is IndexError


def test_one_from_an_unknown_address_makes_a_session():
    server = listener(backlog=2, fec=(2, 1))
    first = arrive(server, oob(b"hello", 77), "a")
    assert first.conv == 77 and first.stats.OOBPackets == 1 and first.heard
    assert server.accept() == (first, "a")
    got = heard_by(first)
    assert arrive(server, oob(b"again", 77), "a") is first and got == [b"again"]
    assert first.send_oob(b"answer")
    assert arrive(server, oob(b"", 78), "b").conv == 78
    assert arrive(server, oob(b"", 79), "c").conv == 79
    assert arrive(server, oob(b"", 80), "d") is None and server.stats.BacklogDrops == 1
    while server.accept():
        pass
    for bad in (oob(b"")[:11], oob(b"xy")[:13], oob(b"x") + b"y", b"\x00" + oob(b"x")[1:]):
        assert arrive(server, bad, "e") is None
    assert server.stats.InErrs == 4
    assert len(server.sessions) == 3


def test_a_stray_does_not_close_a_listener_s_session():
    server = listener()
    known = arrive(server, oob(b"", 77), "a")
    got = heard_by(known)
    assert arrive(server, oob(b"stray", 78), "a") is known
    assert known.state != CLOSED and got == [] and known.stats.InErrs == 1
    assert not server.aborted and server.sessions["a"] is known
