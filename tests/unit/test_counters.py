# upy: heapsize=4m
"""Every counter moving, by as much as it must; docs/counters.md says what each one means."""

import struct

from core_support import ACK, CONV, PUSH, carry, fill, raises, read_all, segment, session

import kcp
from kcp.config import Config
from kcp.endpoint import Endpoint, Link
from kcp.listener import Listener
from kcp.stats import N_KCP_GO, NAMES, Stats

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
    n_kept = b.arq._ack_max
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


# Endpoints, and the whole process


class Port:
    """A socket that keeps what is sent, or refuses it."""

    answer = 1

    def __init__(self):
        self.sent = []

    def send(self, buf, n, key):
        if self.answer > 0:
            self.sent.append((key, bytes(buf[:n])))
        return self.answer

    def wake(self):
        pass

    def close(self):
        pass


class Net:
    """A server's endpoint and clients' ones, joined in virtual time."""

    def __init__(self, **options):
        self.config = Config(mode="fast3", **options)
        listener = Listener(self.config, fill)
        self.server = Endpoint(Port(), listener.buffer_bytes, listener, self.accepted)
        self.clients = {}
        self.now_ms = 0

    def accepted(self, opened, key):
        return Link(self.server, opened, key)

    def client(self, key, data=b"hello"):
        opened = kcp.Session(7, self.config, fill, self.now_ms)
        endpoint = Endpoint(Port(), opened.buffer_bytes)
        link = Link(endpoint, opened)
        endpoint.attach(link)
        opened.send(data)
        self.clients[key] = endpoint
        return link

    def send(self, key, data):
        endpoint = self.clients[key]
        endpoint.links[None].session.send(data)
        endpoint.kick(endpoint.links[None])

    def run(self, n_ms=30):
        for _ in range(n_ms):
            for key, client in self.clients.items():
                while client.turn(self.now_ms) == 0:
                    pass
                for _, data in client.port.sent:
                    self.deliver(self.server, data, key)
                client.port.sent = []
            while self.server.turn(self.now_ms) == 0:
                pass
            for key, data in self.server.port.sent:
                self.deliver(self.clients[key], data, None)
            self.server.port.sent = []
            self.now_ms += 1

    def deliver(self, endpoint, data, key):
        if not endpoint.is_closed:
            endpoint.rx[: len(data)] = data
            endpoint.input(len(data), key, self.now_ms)

    def close(self):
        for client in self.clients.values():
            client.close()
        self.server.close()


@shows("OutDrops")
def test_a_socket_that_refuses():
    net = Net()
    link = net.client("a")
    link.endpoint.port.answer = -1
    link.endpoint.turn(0)
    assert link.session.stats.OutDrops == link.session.stats.OutPkts == 1
    net.close()


class Since:
    """The process's counters since some moment (other tests have left something)."""

    def __init__(self):
        self.before = kcp.stats.total()

    def __getattr__(self, name):
        return getattr(kcp.stats.total(), name) - getattr(self.before, name)


@shows("ActiveOpens", "PassiveOpens", "CurrEstab", "MaxConn")
def test_the_process_counts_all_sessions():
    kcp.stats.reset_total()
    since = Since()
    n_live = len(kcp.stats._live)
    net = Net(crypt="none")
    assert since.CurrEstab == 0
    links = [net.client(i) for i in range(5)]
    net.run()
    assert (since.ActiveOpens, since.PassiveOpens, since.CurrEstab, since.MaxConn) == (
        5,
        5,
        10,
        10,
    )
    assert links[0].session.stats.ActiveOpens == 1
    assert net.server.listener.stats.PassiveOpens == 5
    assert since.BytesSent == 25 and since.InPkts == since.OutPkts == 10
    late = list(net.server.links.values())
    for link in links:
        link.session.close(net.now_ms)
        link.endpoint.kick(link)
    net.run(300)
    assert since.CurrEstab == 5 and since.MaxConn == 10  # KCP says nothing of it to the peer
    net.close()
    assert since.CurrEstab == 0 and since.MaxConn == 10 and since.BytesSent == 25
    assert since.InPkts == since.OutPkts == 10
    assert since.BytesReceived == 0  # what has arrived can still be read, and is counted
    assert b"".join([read_all(link.session) for link in late]) == b"hello" * 5
    assert since.BytesReceived == 25
    assert len(kcp.stats._live) == n_live  # nothing is kept of them
    net.close()
    assert since.CurrEstab == 0


def test_states_are_not_summed_over_the_past():
    kcp.stats.reset_total()
    since = Since()
    for _ in range(3):
        net = Net(fec=(2, 1), sndwnd=2)
        link = net.client("a", bytes(10 * 1300))
        net.run(12)
        net.send("a", bytes(10 * 1300))
        link.endpoint.turn(net.now_ms)
        total = kcp.stats.total()
        assert since.RingBufferSndQueue > 0 and since.RingBufferSndBuffer > 0
        assert since.RingBufferRcvQueue > 0 and since.FECShardSet > 1
        assert total.FECShardMin >= link.session.stats.FECShardMin
        net.close()
        for name in ("SndQueue", "SndBuffer", "RcvQueue"):
            assert getattr(since, "RingBuffer" + name) == 0
        assert since.FECShardSet == since.CurrEstab == 0


def test_a_restarted_peer():
    since = Since()
    net = Net()
    hello = segment(PUSH, conv=1, data=b"x")
    net.deliver(net.server, hello, "a")
    net.deliver(net.server, segment(PUSH, conv=2, data=b"x"), "a")
    net.server.turn(0)
    assert since.PassiveOpens == 2 and since.CurrEstab == 1 and since.InPkts == 2
    net.close()
    assert since.CurrEstab == 0 and since.InPkts == 2


def test_reset():
    net = Net()
    net.client("a")
    net.run()
    past = kcp.stats.total()
    assert past.OutPkts > 0
    kcp.stats.reset_total()
    now = kcp.stats.total()
    for name in NAMES:
        if name in kcp.stats._STATES:
            if name != "MaxConn":
                assert getattr(now, name) == getattr(past, name), name
        else:
            assert getattr(now, name) == 0, name
    assert now.CurrEstab == now.MaxConn >= 2
    assert net.server.listener.stats.PassiveOpens == 1  # its own stay
    net.send("a", b"!")
    net.run()
    net.close()
    after = kcp.stats.total()
    assert (after.BytesSent, after.PassiveOpens, after.InErrs) == (1, 0, 0)
    assert after.OutPkts == after.InPkts == 2


# Rows


def test_rows_are_kcp_gos_and_then_ours():
    """kcp-go's Header() in v5.6.72, in its order."""
    assert N_KCP_GO == 30
    assert kcp.stats.header()[:30] == [
        "BytesSent", "BytesReceived", "MaxConn", "ActiveOpens", "PassiveOpens", "CurrEstab",
        "InErrs", "InCsumErrors", "KCPInErrors", "InPkts", "OutPkts", "InSegs", "OutSegs",
        "InBytes", "OutBytes", "RetransSegs", "FastRetransSegs", "EarlyRetransSegs", "LostSegs",
        "RepeatSegs", "FECFullShards", "FECParityShards", "FECErrs", "FECRecovered",
        "FECShardSet", "FECShardMin", "RingBufferSndQueue", "RingBufferRcvQueue",
        "RingBufferSndBuffer", "OOBPackets",
    ]  # fmt: skip
    stats = Stats()
    for i, name in enumerate(NAMES):
        setattr(stats, name, i * 3)
    assert stats.row() == [str(3 * i) for i in range(len(NAMES))]
    assert len(kcp.stats.header()) == len(stats.row()) == len(stats.as_dict())


def test_csv():
    stats = Stats()
    stats.BytesSent, stats.OOBPackets = 1 << 40, 7
    names = kcp.stats.csv_header().split(",")
    values = stats.csv_row(1700000000).split(",")
    assert names[0] == "Unix" and names[1:] == kcp.stats.header()
    assert dict(zip(names, values))["Unix"] == "1700000000"
    assert dict(zip(names, values))["BytesSent"] == str(1 << 40)
    assert dict(zip(names, values))["OOBPackets"] == "7"


def test_a_copy_is_a_snapshot():
    stats = Stats()
    stats.InPkts = 5
    copy = stats.copy()
    stats.InPkts += 1
    assert copy.InPkts == 5
    copy.add(stats)
    assert copy.InPkts == 11 and stats.InPkts == 6
    stats.reset()
    assert sum(stats.as_dict().values()) == 0


def test_every_counter_is_shown():
    assert sorted(SHOWN) == sorted(NAMES)
    raises(AttributeError, getattr, Stats(), "FECFullShardSet")  # Go's field; its header says so
