"""Several flows over one simulated path: ours, and TCP ones, that share its bottleneck.

A case is a dict: `link` (options of Link for the way out; the way back has only its delay and
loss), `flows` (a list of dicts, each {"kind": "kcp", "config": options of kcp.Config, "start_ms":
ms} or {"kind": "cubic", "start_ms": ms}) and `run_ms`. Every flow sends all the time. What comes
of it is counted from `from_ms` on.
"""

import heapq

from kcp.config import Config
from kcp.stats import Stats

from . import cubic
from .link import Link
from .load import Bulk
from .session_peer import SessionPeer

IP_UDP_BYTES = 28
_FOREVER = 1 << 40
_CONFIG = {"mode": "fast3", "stream": False, "mtu": 1400, "crypt": "none"}


class _FlowNet:
    """What one flow sees of the path."""

    overhead = IP_UDP_BYTES

    def __init__(self, path, number):
        self.path = path
        self.number = number
        self.n_sent = [0, 0]
        self.n_dropped = [0, 0]  # at the queue

    @property
    def now_ms(self):
        return self.path.now_ms

    def send(self, direction, data):
        self.n_sent[direction] += 1
        if not self.path.send(direction, self.number, data):
            self.n_dropped[direction] += 1


class Path:
    """The two links, and what is under way on them."""

    def __init__(self, case, seed):
        out = dict(case["link"], overhead=IP_UDP_BYTES)
        back = {name: out[name] for name in ("delay_ms", "loss_pct", "loss_burst") if name in out}
        self.links = (Link(out, seed, 0), Link(back, seed, 1))
        self.now_ms = 0
        self.waits = []  # (ms, ms in the queue) of every datagram on the way out
        self._heap = []
        self._n = 0

    def send(self, direction, number, data):
        """Put one datagram on the path now; False: the queue was full."""
        link = self.links[direction]
        n_dropped = link.counters["queue_drops"]
        for arrival_ms, copy in link.send(self.now_ms, data):
            heapq.heappush(self._heap, (arrival_ms, self._n, direction, number, copy))
            self._n += 1
        if link.counters["queue_drops"] != n_dropped:
            return False
        if direction == 0:
            self.waits.append((self.now_ms, link.wait_ticks))
        return True

    def next_ms(self):
        return self._heap[0][0] if self._heap else -1

    def arrive(self):
        """The next datagram that has arrived by now: (direction, flow, bytes), or None."""
        if self._heap and self._heap[0][0] <= self.now_ms:
            return heapq.heappop(self._heap)[2:]
        return None


class _Kcp:
    """A flow of ours: two sessions and the applications on them."""

    def __init__(self, net, flow, seed):
        config = Config(**dict(_CONFIG, **flow["config"]))
        self.stats = (Stats(), Stats())
        self.start_ms = flow.get("start_ms", 0)
        self.ends = tuple(
            SessionPeer(net, side, {"phase_ms": side * seed % config.interval}, stats, config)
            for side, stats in enumerate(self.stats)
        )
        chunk_bytes = min(self.ends[0].chunk_bytes, 4096)
        self.apps = (
            Bulk(self.ends[0], _FOREVER, 0, chunk_bytes),
            Bulk(self.ends[1], 0, _FOREVER, chunk_bytes),
        )

    def step(self, now_ms):
        if now_ms >= self.start_ms:
            self.apps[0].step(now_ms)
        self.apps[1].step(now_ms)

    def next_ms(self, now_ms):
        return self.start_ms if now_ms < self.start_ms else -1

    @property
    def n_bytes(self):
        return self.apps[1].n_received


class _Tcp:
    def __init__(self, net, flow, seed):
        self.ends = (cubic.Sender(net, 0, flow.get("start_ms", 0)), cubic.Receiver(net, 1))
        self.stats = None

    def step(self, now_ms):
        """(There is no application.)"""

    def next_ms(self, now_ms):
        return -1

    @property
    def n_bytes(self):
        return self.ends[1].n_segs * cubic.MSS


_KINDS = {"kcp": _Kcp, "cubic": _Tcp}


class Crossing:
    """Runs a case; `flows` and `path` may be looked at between two calls of run()."""

    def __init__(self, case, seed):
        self.path = Path(case, seed)
        self.nets = [_FlowNet(self.path, i) for i in range(len(case["flows"]))]
        self.flows = [
            _KINDS[flow["kind"]](net, flow, seed) for net, flow in zip(self.nets, case["flows"])
        ]
        self._ends = [end for flow in self.flows for end in flow.ends]
        self._sources = self._ends + self.flows

    def run(self, until_ms):
        """Go on until until_ms."""
        path = self.path
        now_ms = path.now_ms
        while now_ms <= until_ms:
            path.now_ms = now_ms
            self._moment(now_ms)
            times = [source.next_ms(now_ms) for source in self._sources]
            times = [ms for ms in times if ms >= 0]
            if path.next_ms() >= 0:
                times.append(path.next_ms())
            now_ms = min(times)
        path.now_ms = until_ms

    def _moment(self, now_ms):
        for end in self._ends:
            end.timer(now_ms)
        arrived = self.path.arrive()
        while arrived:
            direction, number, data = arrived
            self.flows[number].ends[1 - direction].input(data, now_ms)
            arrived = self.path.arrive()
        for end in self._ends:
            end.settle(now_ms)
        for flow in self.flows:
            flow.step(now_ms)
        for end in self._ends:
            end.tick(now_ms)


def jain(values):
    """Jain's index of fairness: 1 = all have the same, 1/n = one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 0.0


def run(case, seed):
    """One run; per flow Mbit/s (goodput) and what was dropped, and of the queue its wait in ms."""
    one = Crossing(case, seed)
    from_ms, run_ms = case.get("from_ms", 0), case["run_ms"]
    one.run(from_ms)
    before = [flow.n_bytes for flow in one.flows]
    one.run(run_ms)
    n_bytes = [flow.n_bytes - n for flow, n in zip(one.flows, before)]
    waits = sorted(wait for at_ms, wait in one.path.waits if at_ms >= from_ms)
    sent = [net.n_sent[0] for net in one.nets]
    return {
        "mbits": [n * 8 / (run_ms - from_ms) / 1000 for n in n_bytes],
        "dropped_pct": [100 * net.n_dropped[0] / max(n, 1) for net, n in zip(one.nets, sent)],
        "sent": sent,
        "resent": [flow.stats[0].RetransSegs if flow.stats else 0 for flow in one.flows],
        "wait_mean_ms": sum(waits) / max(1, len(waits)),
        "wait_p95_ms": waits[len(waits) * 95 // 100] if waits else 0,
        "jain": jain(n_bytes),
    }
