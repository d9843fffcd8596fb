# upy: heapsize=4m
"""Counters of endpoints and of the whole process, and the rows they are written in."""

from core_support import PUSH, fill, raises, read_all, segment
from test_counters import SHOWN, shows

import kcp
from kcp.config import Config
from kcp.endpoint import Endpoint, Link
from kcp.listener import Listener
from kcp.stats import N_KCP_GO, NAMES, Stats

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
