"""Everything at once, drawn from a seed: T13, after the simulator of TigerBeetle.

Until HEAL_MS the two directions lose, delay, reorder, replay and clog, each as it was drawn; from
then on only the delay is left. Whatever was sent must arrive soon after that.
"""

from sim import wire

from kcp.config import Config
from kcp.stats import Stats
from kcp_sim.link import Link
from kcp_sim.load import make_loads
from kcp_sim.net import Net
from kcp_sim.pair import Pair
from kcp_sim.rng import Rng
from kcp_sim.session_peer import SessionPeer

HEAL_MS = 60000
LIVE_MS = 60000  # what it may take after that
_HEADS = {"null": 0, "none": 20}


def _one_of(rng, values):
    return values[rng.below(len(values))]


def draw_link(rng):
    """Options of one direction."""
    holes = []
    for _ in range(rng.below(4)):  # clogged, or cut off in this direction
        begin_ms = rng.below(HEAL_MS)
        holes.append([begin_ms, min(begin_ms + rng.below(10000), HEAL_MS)])
    return {
        "delay_ms": rng.below(31),
        "jitter_ms": 2 * (30 + rng.below(71)),
        "loss_pct": rng.below(31),
        "replay_pct": rng.below(51),
        "replay_ms": 5000,
        "blackhole": holes,
        "overhead": wire.IP_UDP_BYTES,
    }


def draw_config(rng):
    """Options of one side."""
    return {
        "mode": _one_of(rng, ("normal", "fast", "fast2", "fast3")),
        "cc": _one_of(rng, ("rate", "kcp", "none")),
        "sndwnd": 32 + rng.below(200),
        "rcvwnd": 32 + rng.below(200),
        "mtu": 600 + rng.below(800),
        "stream": bool(rng.below(2)),
        "acknodelay": bool(rng.below(2)),
        "write_delay": bool(rng.below(2)),
        "fec": _one_of(rng, (None, None, (10, 3), (3, 1), (2, 1))),
    }


class HealingNet(Net):
    """A Net whose links are well again from HEAL_MS on."""

    def __init__(self, options, seed):
        super().__init__(options, seed, -1)
        self.is_ill = True

    def send(self, direction, data):
        if self.is_ill and self.now_ms >= HEAL_MS:
            self.is_ill = False
            for link in self.links:
                assert isinstance(link, Link)
                link.loss_pct = link.replay_pct = 0
        super().send(direction, data)


def run(seed, n_bytes):
    """One run, n_bytes each way; {"done_ms", "links", "config"}. It asserts that all arrives in
    time, that the sessions' invariants hold at every step, and that both come to rest.

    With kcp-go's congestion window it is a quarter of n_bytes: where packets overtake each other
    that window stays small, as in kcp-go.
    """
    rng = Rng(seed, 13)
    net = HealingNet((draw_link(rng), draw_link(rng)), seed)
    crypt = _one_of(rng, ("null", "none"))
    configs = [dict(draw_config(rng), crypt=crypt, dead_ms=200000) for _ in (0, 1)]
    peers = tuple(
        SessionPeer(net, side, {"phase_ms": side * 3}, Stats(), Config(**configs[side]))
        for side in (0, 1)
    )
    if "kcp" in [config["cc"] for config in configs]:
        n_bytes //= 4
    load = {"kind": "bulk", "bytes": n_bytes, "bytes_back": n_bytes}
    pair = Pair(net, peers, make_loads(load, peers), 10 * HEAL_MS)
    result = pair.result(pair.run())
    result["config"] = configs
    where = (seed, configs, net.counters())
    assert result["done_ms"] <= HEAL_MS + LIVE_MS, (result["done_ms"], where)
    for peer in peers:
        assert peer.session.error is None and peer.idle(), where
        assert peer.session.timeout(result["quiet_ms"]) == -1, where
    return result
