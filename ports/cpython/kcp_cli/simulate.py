"""One run of `kcp sim`: a load between two sessions over a simulated link, watched on the way.

What is watched is told by `Watch`; the figures of a run are a dict fit for JSON.
"""

import collections

from .errors import Failure

LIMIT_MS = 3_600_000  # of virtual time
_MAX_POINTS = 4000
_KEY = bytes(range(32))  # a cipher wants one; nobody listens
_PLAIN = ("null", "none")

#: One look: bytes that have arrived, smoothed round trip, time that a datagram would wait in the
#: queue of the link now.
Look = collections.namedtuple("Look", "t_ms n_bytes rtt_ms queue_ms")


class Watch:
    """A third application of a `Pair`, which only looks: `looks`, at most one per ms."""

    done_ms = 0

    def __init__(self, net, peers, receiver):
        self.looks = []
        self._link = net.links[0]
        self._session = peers[0].session
        self._receiver = receiver

    def next_ms(self, _now_ms):
        """It wakes nobody."""
        return -1

    def step(self, now_ms):
        """Look; of a long run every second look is dropped again and again."""
        rate = self._link.rate_kbps
        queue_ms = max(0, self._link._free_bits - now_ms * rate) / rate if rate else 0
        n_bytes = self._receiver.n_received
        self.looks.append(Look(now_ms, n_bytes, self._session.rtt_ms, queue_ms))
        if len(self.looks) > _MAX_POINTS:
            del self.looks[1::2]


def run(link, load, settings, seed):
    """Run `load` (as scenarios.json has it) over `link` with `settings` (options of kcp.Config).

    Returns (figures, looks, round trips in ms, in order: of an echo load). ValueError on settings
    that are none; Failure if the run comes to no end.
    """
    from kcp._advice import advice
    from kcp.config import Config
    from kcp.stats import Stats
    from kcp_sim.load import make_loads
    from kcp_sim.net import Net
    from kcp_sim.pair import Pair
    from kcp_sim.session_peer import SessionPeer

    if settings.get("crypt", "null") not in _PLAIN:
        settings = dict(settings, key=_KEY)
    config = Config(**settings)
    net = Net((link, link), seed, -1)
    stats = (Stats(), Stats())
    phases = ({}, {"phase_ms": seed % config.interval})
    peers = tuple(SessionPeer(net, i, phases[i], stats[i], config) for i in (0, 1))
    apps = make_loads(load, peers)
    is_echo = load["kind"] == "echo"
    watch = Watch(net, peers, apps[0] if is_echo else apps[1])
    pair = Pair(net, peers, (*apps, watch), LIMIT_MS)
    try:
        pair.run()
    except AssertionError as error:  # how the simulator says it
        raise Failure(f"The simulated transfer comes to no end: {error}.") from None
    trips = sorted(apps[0].rtts) if is_echo else []
    done_ms = max(app.done_ms for app in apps)
    figures = _figures(net, stats, done_ms, load, trips)
    figures["advice"] = advice(peers[0].session)
    looks = [look for look in watch.looks if look.t_ms <= done_ms]
    return figures, looks, trips


def _figures(net, stats, done_ms, load, trips):
    n_bytes = 2 * load["count"] * load["size"] if trips else load["bytes"]
    counters = net.counters()
    figures = {
        "bytes": n_bytes,
        "seconds": done_ms / 1000,
        "mbit_per_s": round(n_bytes * 8 / 1000 / done_ms, 3) if done_ms else None,
        "wire_per_byte": round(sum(net.n_bytes) / n_bytes, 3),
        "datagrams": counters["sent"],
        "queue_drops": counters["queue_drops"],
        "lost": counters["lost"],
        "retransmitted": sum(one.RetransSegs for one in stats),
        "recovered": sum(one.FECRecovered for one in stats),
    }
    if trips:
        for name, pct in (("median", 50), ("p95", 95), ("p99", 99)):
            figures[f"{name}_ms"] = trips[len(trips) * pct // 100]
        figures["max_ms"] = trips[-1]
    return figures
