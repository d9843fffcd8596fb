"""A peer that was restarted and takes what comes for a new session, as kcp-go's server does: it
acknowledges and never delivers. That is noticed, and late packets are not mistaken for it. Both
runtimes, in virtual time."""

# upy: heapsize=8m arm=no timeout=120

from errno import ECONNRESET, ETIMEDOUT

from sim import cases
from sim.test_lifecycle import talked

from kcp.session import CLOSED, OPEN, Session
from kcp.stats import Stats
from kcp_sim.load import Bulk
from kcp_sim.net import Net
from kcp_sim.pair import Pair
from kcp_sim.session_peer import SessionPeer, make_config

FORGOTTEN = "the peer has forgotten this session: it was restarted, or we have another address"
MODES = {"normal": [0, 40, 2, 1], "fast3": [1, 10, 2, 1], "window": [0, 30, 0, 0]}
#: Late copies of everything, up to a minute old, and what is in time in any order.
MESS = {"delay_ms": 50, "jitter_ms": 80, "reorder_pct": 25, "dup_pct": 20, "loss_pct": 5}
MESS.update({"replay_pct": 40, "replay_ms": 60000})
N_SEEDS = {"cpython": 12, "unix": 2, "arm": 1}


def forgetful(**options):
    """A world whose server was restarted, and takes all that comes for a new session's."""
    world, client = talked(**options)
    world.start_server()
    one = world.listener
    shared = {"codec_": one.codec, "budget": one.budget}
    one._enter(Session(7, one.config, one._fill, world.now_ms, **shared), "a")
    return world, client


def test_a_client_that_sends_is_told():
    world, client = forgetful()
    client.send(b"second")
    world.run(3000)
    assert client.state == CLOSED and client.error == ECONNRESET and client.why == FORGOTTEN
    assert client.lost_bytes == 6, "what was acknowledged for nothing is not lost silently"
    assert world.got == b"" and client.stats.RetransSegs >= 2
    again = world.start_client("a", 8)
    again.send(b"third")
    world.run(300)
    assert world.heard["a"] == b"third"


def test_a_quiet_client_is_told_by_keep_alive():
    world, client = forgetful()
    client.set(dead_ms=4000, keepalive_ms=1000)
    world.run(4500)
    assert client.state == OPEN
    world.run(1500)
    assert client.error == ECONNRESET and client.why == FORGOTTEN


def test_data_beyond_the_new_peers_window_is_noticed_too():
    """It is not acknowledged at all, but questions are answered."""
    world, client = forgetful()
    client.arq.snd_una += 500
    client.arq.snd_nxt = client.arq._snd_end = client.arq._snd_new = client.arq.snd_una
    client.arq._ack_hi = client.arq._dup_first = client.arq.snd_una
    client.set(dead_ms=4000, keepalive_ms=500)
    client.send(b"second")
    world.run(5000)
    assert client.error == ECONNRESET and client.why == FORGOTTEN and client.lost_bytes == 6


def test_a_dead_path_after_late_packets_is_a_dead_path():
    world, client = talked()
    client.set(dead_ms=4000)
    world.listener.sessions["a"].probe()  # its answer knows of the first segment ...
    world.run(20)
    client.arq.behind = 1  # ... and a late one has come
    world.deaf = True
    client.send(b"second")
    world.run(4200)
    assert client.error == ETIMEDOUT and "(dead_ms)" in client.why


def test_packets_up_to_a_minute_late_are_no_sign():
    """Every mode, both directions, with 40 % of all packets coming once more at any time within 60
    s: nobody is taken for another."""
    for name, mode in MODES.items():
        for seed in range(N_SEEDS[cases.target()]):
            options = {"snd_wnd": 32, "rcv_wnd": 32, "mode": mode, "mtu": 1372}
            net = Net((MESS, MESS), seed, 0)
            peers = tuple(
                SessionPeer(net, side, options, Stats(), make_config(options, "null", {}))
                for side in (0, 1)
            )
            size = 120000
            apps = tuple(Bulk(peer, size, size, peer.chunk_bytes) for peer in peers)
            Pair(net, peers, apps, 400000).run()
            for peer, app in zip(peers, apps):
                assert app.n_received == size, (name, seed)
                assert peer.session.error is None, (name, seed, peer.session.why)
            assert net.counters()["replayed"] > 50
