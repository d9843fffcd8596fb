# upy: heapsize=4m
"""Every counter moving, by as much as it must; docs/counters.md says what each one means."""

import struct

from core_support import ACK, CONV, PUSH, arq_of, carry, fill, read_all, segment, session

from kcp.config import Config
from kcp.listener import Listener
from kcp.stats import NAMES

SHOWN = {}  # counter -> names of the scenarios that show it


def moved(stats, **expected):
    """The counters must be these, and those not named be 0."""
    for name in NAMES:
        assert getattr(stats, name) == expected.get(name, 0), (name, stats.as_dict())


def shows(*names):
    """Mark a scenario as one that shows these counters."""

    def mark(scenario):
        for name in names:
            assert name in NAMES
            SHOWN.setdefault(name, []).append(scenario)
        return scenario

    return mark


def lost(source, now_ms):
    """Have everything that is due lost; return how many datagrams that were."""
    return len(carry(source, session(), now_ms, lambda datagram: False))


@shows("BytesSent", "BytesReceived", "InPkts", "OutPkts", "InSegs", "OutSegs", "InBytes")
@shows("OutBytes", "RingBufferSndBuffer", "RingBufferRcvQueue")
def test_one_segment_and_its_acknowledgement():
    a, b = session(crypt="none"), session(crypt="none")
    a.send(bytes(1000))
    carry(a, b, 0)
    moved(
        a.stats,
        BytesSent=1000,
        OutPkts=1,
        OutSegs=1,
        OutBytes=20 + 24 + 1000,
        RingBufferSndBuffer=1,
    )
    moved(b.stats, InPkts=1, InSegs=1, InBytes=1024)
    assert len(carry(b, a, 10)) == 1  # at the tick
    moved(
        b.stats,
        InPkts=1,
        InSegs=1,
        InBytes=1024,
        OutPkts=1,
        OutSegs=1,
        OutBytes=44,
        RingBufferRcvQueue=1,
    )
    assert len(read_all(b)) == 1000 and b.stats.BytesReceived == 1000
    assert a.stats.InPkts == a.stats.InSegs == 1 and a.stats.InBytes == 24
    carry(a, b, 10)
    assert a.stats.RingBufferSndBuffer == 0 and a.stats.OutPkts == 1


@shows("RingBufferSndQueue", "RingBufferSndBuffer")
def test_a_full_window():
    a = session(sndwnd=4)
    a.send(bytes(a.mss * 7))
    lost(a, 0)
    assert (a.stats.RingBufferSndQueue, a.stats.RingBufferSndBuffer) == (3, 4)


@shows("RetransSegs", "LostSegs")
def test_a_timeout():
    a = session()
    a.send(b"x")
    assert lost(a, 0) == 1 and lost(a, 199) == 0 and lost(a, 200) == 1
    moved(
        a.stats,
        BytesSent=1,
        OutPkts=2,
        OutSegs=2,
        OutBytes=50,
        RetransSegs=1,
        LostSegs=1,
        RingBufferSndBuffer=1,
    )


def acknowledged(n_others, **options):
    """A session that has sent segment 0, which is lost, and n others, which are acknowledged."""
    a = session(**options)
    a.send(bytes(a.mss * (1 + n_others)))
    assert lost(a, 0) == 1 + n_others
    for sn in range(1, 1 + n_others):
        acks = bytearray(segment(ACK, sn=sn, ts=0))
        assert a.input(acks, len(acks), 20)
    return a


@shows("RetransSegs", "FastRetransSegs")
def test_a_fast_retransmission():
    a = acknowledged(3, resend=2)
    assert lost(a, 20) == 1
    assert (a.stats.RetransSegs, a.stats.FastRetransSegs) == (1, 1)
    assert a.stats.EarlyRetransSegs == a.stats.LostSegs == 0


@shows("RetransSegs", "EarlyRetransSegs")
def test_an_early_retransmission():
    a = acknowledged(1, resend=2)
    a.flush()
    assert lost(a, 20) == 1
    assert (a.stats.RetransSegs, a.stats.EarlyRetransSegs) == (1, 1)
    assert a.stats.FastRetransSegs == a.stats.LostSegs == 0


@shows("RepeatSegs")
def test_a_segment_that_comes_twice():
    b = session()
    for i in range(3):
        data = bytearray(segment(PUSH, sn=0, data=b"x"))
        assert b.input(data, len(data), 0)
        assert b.stats.RepeatSegs == i
    assert b.stats.InSegs == 3


@shows("InErrs", "InCsumErrors", "KCPInErrors")
def test_damaged_datagrams():
    for crypt in ("none", "aes-128", "aes-128-gcm", "chacha20-poly1305"):
        a, b = (session(crypt=crypt, key=bytes(32)) for _ in range(2))
        a.send(bytes(100))
        wire = carry(a, session(), 0, lambda datagram: False)[0]
        b.input(bytearray(10), 10, 0)
        moved(b.stats, InErrs=1)
        bad = bytearray(wire) + bytearray(16)
        bad[len(wire) - 1] ^= 1
        b.input(bad, len(wire), 0)
        moved(b.stats, InErrs=1, InCsumErrors=1)
    b = session()
    for data in (
        bytes(11),  # nothing is so short
        segment(PUSH, conv=CONV + 1),
        segment(85),
        segment(PUSH, data=b"cut off")[:-1],
    ):
        b.input(bytearray(data), len(data), 0)
    moved(b.stats, KCPInErrors=4, InPkts=3, InBytes=24 + 24 + 30)


def fec_head(seqid, kind, payload):
    return struct.pack("<IHH", seqid, kind, len(payload) + 2) + payload


def fec_pair():
    """Two sessions with groups of two data packets and one of parity."""
    return session(fec=(2, 1)), session(fec=(2, 1))


@shows("FECFullShards", "FECParityShards", "FECShardSet", "FECShardMin")
def test_groups_that_are_whole():
    a, b = fec_pair()
    for group in range(6):
        for _ in range(2):
            a.send(b"hello")
            carry(a, b, 10 * group)
        assert b.stats.FECFullShards == group + 1
        assert b.stats.FECParityShards == group + 1  # counted, though nothing needs it
        assert b.stats.FECShardSet == min(group + 1, 4) and b.stats.FECShardMin == group


@shows("FECRecovered")
def test_a_packet_that_is_repaired():
    a, b = fec_pair()
    a.send(b"first")
    carry(a, b, 0, lambda datagram: False)
    a.send(b"second")
    carry(a, b, 1)
    assert read_all(b) == b"firstsecond"
    assert (b.stats.FECRecovered, b.stats.FECParityShards, b.stats.FECErrs) == (1, 1, 0)
    assert b.stats.InPkts == 2 and b.stats.InSegs == 2  # the repaired one's segment counts


@shows("FECErrs")
def test_a_packet_that_is_repaired_to_nonsense():
    b = session(fec=(2, 1))
    good = fec_head(0, 0xF1, segment(PUSH, data=b"x"))
    parity = struct.pack("<IH", 2, 0xF2) + bytes([255]) * 27
    for data in (good, parity):
        b.input(bytearray(data), len(data), 0)
    assert (b.stats.FECErrs, b.stats.FECRecovered, b.stats.FECParityShards) == (1, 0, 1)


@shows("OOBPackets", "OOBDrops")
def test_out_of_band_packets():
    a, b = session(fec=(2, 1), sndwnd=2), session()
    assert a.send_oob(b"1") and a.send_oob(b"2") and not a.send_oob(b"3")
    carry(a, b, 0)
    assert a.stats.OOBDrops == 1 and b.stats.OOBPackets == 2 and b.stats.BytesReceived == 0
    assert a.stats.OutPkts == b.stats.InPkts == 2 and a.stats.OutSegs == b.stats.InSegs == 0


@shows("AckDrops")
def test_more_acknowledgements_than_are_kept():
    b = session(rcvwnd=1)
    n_kept = arq_of(b)._ack_max
    for _ in range(n_kept + 3):
        data = bytearray(segment(PUSH, sn=0, data=b"x"))
        b.input(data, len(data), 0)
    assert b.stats.AckDrops == 3


def feed(listener, data, key="peer"):
    buf = bytearray(listener.buffer_bytes)
    buf[: len(data)] = data
    return listener.input(buf, len(data), key, 0)


@shows("PassiveOpens", "CurrEstab", "MaxConn", "BacklogDrops", "InErrs", "InCsumErrors")
def test_a_listener():
    listener = Listener(Config(crypt="none", backlog=2), fill)
    assert feed(listener, bytes(10)) is feed(listener, bytes(60)) is None
    moved(listener.stats, InErrs=1, InCsumErrors=1)
    listener = Listener(Config(backlog=2), fill)
    hello = segment(PUSH, data=b"x")
    assert feed(listener, hello, "a") and feed(listener, hello, "b")
    assert feed(listener, hello, "c") is None
    moved(listener.stats, PassiveOpens=2, CurrEstab=2, MaxConn=2, BacklogDrops=1)
    listener.accept()
    listener.remove("a")
    assert feed(listener, segment(PUSH, conv=5, sn=1), "b") is None
    moved(listener.stats, PassiveOpens=2, CurrEstab=1, MaxConn=2, BacklogDrops=1, InErrs=1)


@shows("GhostDrops")
def test_a_late_packet():
    listener = Listener(Config(), fill)
    assert feed(listener, segment(PUSH, sn=3, una=9, data=b"x")) is None
    moved(listener.stats, GhostDrops=1)


@shows("RoamMoves", "RoamDrops")
def test_a_client_that_moves():
    secret = {"crypt": "aes-128", "key": bytes(16)}
    listener = Listener(Config(roaming=True, **secret), fill)
    client = session(**secret)
    client.send(b"x")
    for key, question in (("a", 0), ("b", 1), ("b", 0)):
        buf = bytearray(client.buffer_bytes)
        n = client.output(buf, 1000)
        listener.input(buf, n, key, 1000)
        roamer = listener.roamer
        assert (roamer.question_bytes > 0) == question
        client.input(roamer.buf, roamer.question_bytes, 1000)
        roamer.question_bytes = 0
        client.probe()
    expected = {"PassiveOpens": 1, "CurrEstab": 1, "MaxConn": 1}
    moved(listener.stats, RoamMoves=1, RoamDrops=1, **expected)


@shows("MemoryDrops")
def test_a_memory_limit():
    listener = Listener(Config(max_memory_bytes=4096), fill)
    for sn in range(6):
        one = feed(listener, segment(PUSH, sn=sn, data=bytes(1000)))
    assert one.stats.MemoryDrops == 2 and one.stats.InSegs == 6
