"""How sessions end over bad links: close() loses nothing, a dead path is noticed, garbage does no
harm."""  # upy: heapsize=8m arm=no

from errno import ETIMEDOUT

from sim import cases

from kcp.session import CLOSED
from kcp.stats import Stats
from kcp_sim.load import Bulk
from kcp_sim.net import Net
from kcp_sim.pair import Pair
from kcp_sim.session_peer import SessionPeer, make_config

PEER = {"snd_wnd": 32, "rcv_wnd": 32, "mode": [1, 10, 2, 1], "mtu": 1372}
LOSSY = {"delay_ms": 40, "jitter_ms": 20, "loss_pct": 20, "dup_pct": 5}
N_SEEDS = {"cpython": 20, "unix": 4, "arm": 1}


class ClosingBulk(Bulk):
    """Closes its peer as soon as everything is written (and, if it expects bytes, has arrived)."""

    def step(self, now_ms):
        Bulk.step(self, now_ms)
        if self.n_sent == self.out_bytes and self.done_ms >= 0:
            self.peer.close(now_ms)


def seeds():
    return range(N_SEEDS[cases.target()])


def make_pair(links, seed, sizes, make_app, crypt="null", limit_ms=300000, **more):
    """Two session peers that send each other sizes[side] bytes."""
    net = Net(links, seed, 20 if crypt == "none" else 0)
    stats = (Stats(), Stats())
    peers = tuple(
        SessionPeer(net, side, PEER, stats[side], make_config(PEER, crypt, more))
        for side in (0, 1)
    )
    apps = tuple(
        make_app(peers[side], sizes[side], sizes[1 - side], peers[side].chunk_bytes)
        for side in (0, 1)
    )
    return Pair(net, peers, apps, limit_ms), stats


def both_closed(pair):
    return lambda now_ms: pair.peers[0].closed() and pair.peers[1].closed()


def test_close_under_loss_loses_nothing():
    for seed in seeds():
        for sizes in ((100000, 0), (60000, 60000), (1, 0)):
            pair, _ = make_pair((LOSSY, LOSSY), seed, sizes, ClosingBulk, linger_ms=30000)
            end_ms = pair.run(both_closed(pair))
            for peer, app in zip(pair.peers, pair.apps):
                where = (seed, sizes, end_ms)
                assert peer.session.error is None, where
                assert peer.session.lost_bytes == 0, where
                assert app.n_received == app.in_bytes, where
            # closing must not take the whole linger time: nobody waits for nothing
            assert end_ms < 20000, (seed, sizes, end_ms)


def test_close_into_a_dead_path_ends_with_the_linger_time():
    dead = dict(LOSSY, blackhole=[[1000, 1000000]])
    pair, _ = make_pair((dead, dead), 1, (400000, 0), Bulk, linger_ms=3000)
    pair.run(lambda now_ms: now_ms >= 2000)
    sender = pair.peers[0]
    sender.close(2000)
    pair.net.now_ms = 2000
    end_ms = 2000
    while not sender.closed():
        end_ms = sender.next_ms(end_ms)
        sender.tick(end_ms)
    assert end_ms == 5000
    assert sender.session.error == ETIMEDOUT
    assert sender.session.lost_bytes > 0
    assert sender.session.timeout(end_ms) == -1


def silent_times(links, sizes, dead_ms):
    """Run until both have died; (errors, when each died, when it last heard something)."""
    pair, _ = make_pair((links, links), 3, sizes, Bulk, dead_ms=dead_ms)
    died = {}

    def over(now_ms):
        for side, peer in enumerate(pair.peers):
            if peer.closed() and side not in died:
                died[side] = now_ms
        return len(died) == 2

    pair.run(over)
    sessions = [peer.session for peer in pair.peers]
    return [s.error for s in sessions], died, [s.last_input_ms for s in sessions]


def test_outage_longer_than_the_limit_kills_both_sides():
    hole = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25, "blackhole": [[2000, 62000]]}
    size = 10 << 20
    errors, died, heard = silent_times(hole, (size, size), 4000)
    assert errors == [ETIMEDOUT, ETIMEDOUT]
    for side in (0, 1):
        # counted from the first datagram sent in vain
        assert heard[side] + 4000 <= died[side] <= heard[side] + 4100, (died, heard)


def test_side_without_unacknowledged_data_lives_on():
    hole = {"delay_ms": 15, "blackhole": [[500, 62000]]}
    pair, _ = make_pair((hole, hole), 3, (1 << 20, 0), Bulk, dead_ms=4000)
    pair.run(lambda now_ms: pair.peers[0].closed())
    assert pair.peers[0].session.error == ETIMEDOUT
    assert pair.peers[0].session.lost_bytes > 0
    receiver = pair.peers[1].session
    assert receiver.state != CLOSED and receiver.error is None
    assert receiver.timeout(receiver.last_input_ms + 100000) == -1


def test_outage_shorter_than_the_limit_is_survived():
    hole = dict(LOSSY, blackhole=[[500, 8000]])
    for seed in seeds():
        pair, _ = make_pair((hole, hole), seed, (200000, 50000), Bulk, dead_ms=12000)
        pair.run()
        assert [peer.session.error for peer in pair.peers] == [None, None]


def test_corruption_is_noticed_and_repaired():
    noisy = {"delay_ms": 15, "corrupt_pct": 30, "corrupt_burst": 3}
    for seed in seeds():
        pair, stats = make_pair((noisy, noisy), seed, (50000, 50000), Bulk, crypt="none")
        pair.run()
        n_corrupted = pair.net.counters()["corrupted"]
        n_noticed = stats[0].InCsumErrors + stats[1].InCsumErrors
        # 16 of up to 1392 bytes are the nonce, which nothing covers: harmless, and not noticed
        assert n_corrupted * 0.5 < n_noticed <= n_corrupted, (seed, n_corrupted, n_noticed)
        assert stats[0].KCPInErrors + stats[1].KCPInErrors == 0


def test_corruption_without_a_checksum_never_raises():
    # The bytes may be wrong, and kcp's own counters with them; it must only go on.
    noisy = {"delay_ms": 15, "corrupt_pct": 30, "corrupt_burst": 3}

    class Careless(Bulk):
        def _read(self, now_ms):
            while self.peer.read_into(self._buf):
                pass

    for seed in seeds():
        pair, _ = make_pair((noisy, noisy), seed, (50000, 50000), Careless)
        pair.peers[0].check = pair.peers[1].check = lambda: None
        pair.run(lambda now_ms: now_ms > 20000)
