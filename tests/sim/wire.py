"""Runs sessions with ciphers and FEC over simulated links, and accounts for what FEC must repair.

A case here is a dict: `id`, `link` (options of kcp_sim.link.Link, for both ways), `load`, `config`
(options of kcp.Config, for both sides; ciphers get KEY) and `limit_ms`. Where datagrams were
corrupted is recorded; what is sent and what arrives with FEC is followed by an Account.
"""

from kcp.config import Config
from kcp.stats import Stats
from kcp_sim.link import Link
from kcp_sim.load import make_loads
from kcp_sim.net import Net
from kcp_sim.pair import Pair
from kcp_sim.session_peer import SessionPeer

IP_UDP_BYTES = 28
_MODE = {"nodelay": 1, "interval": 10, "resend": 2, "nc": 1, "stream": False, "mtu": 1400}
#: Offset of the FEC head where it can be read on the wire.
_HEAD_BYTES = {"null": 0, "none": 20}
_FEC_KINDS = (0xF1, 0xF2)
KEY = bytes(range(32))

#: Packets of the first groups that may go without repair, when losses come in bursts: none is
#: repaired before the ratio has shown itself (fec.py).
UNSURE = 40


class RecordingLink(Link):
    """A link that notes at which bytes it has changed datagrams: `places`."""

    def __init__(self, options, seed, stream):
        super().__init__(options, seed, stream)
        self.places = []

    def _corrupt(self, data):
        changed = super()._corrupt(data)
        for i in range(len(data)):
            if changed[i] != data[i]:
                self.places.append(i)
        return changed


class Account:
    """What the decoder of one direction must come to, by plain bookkeeping over what arrives."""

    def __init__(self, data, parity):
        self.data = data
        self.n = data + parity
        self.groups = {}  # number -> places that came; None once it is done
        self.newest = 0
        self.sent = {}  # number -> places that were sent
        self.n_lost_data = self.n_lost = self.n_sent = 0
        self.recovered = self.full = 0

    def send(self, seqid, is_lost):
        """A packet was sent, and lost on the way or not."""
        number, place = divmod(seqid, self.n)
        sent = self.sent.setdefault(number, [0, 0, 0])  # packets, lost, lost data
        sent[0] += 1
        self.n_sent += 1
        if is_lost:
            sent[1] += 1
            self.n_lost += 1
            if place < self.data:
                sent[2] += 1
                self.n_lost_data += 1

    def arrive(self, seqid):
        """A packet has arrived."""
        number, place = divmod(seqid, self.n)
        if number > self.newest:
            self.newest = number
        if number < self.newest - 3:
            return
        places = self.groups.setdefault(number, set())
        if places is None or place in places:
            return
        places.add(place)
        if len(places) == self.data:
            n_missing = self.data - len([place for place in places if place < self.data])
            self.recovered += n_missing
            self.full += n_missing == 0
            self.groups[number] = None

    def complete(self):
        """Groups all of whose packets were sent: a list of (packets lost, data packets lost)."""
        return [(lost, data) for n, lost, data in self.sent.values() if n == self.n]


class WireNet(Net):
    """A Net of RecordingLinks whose FEC packets are followed.

    head_bytes: where the FEC head begins; accounts: one per direction, or None.
    """

    def __init__(self, link, seed, head_bytes, accounts):
        super().__init__((link, link), seed, -1)
        self.links = tuple([RecordingLink(link, seed, i) for i in (0, 1)])
        self.head_bytes = head_bytes
        self.accounts = accounts

    def send(self, direction, data):
        link = self.links[direction]
        n_before = link.counters["lost"] + link.counters["queue_drops"]
        super().send(direction, data)
        n_after = link.counters["lost"] + link.counters["queue_drops"]
        if self.accounts[direction] and self._is_fec(data):
            self.accounts[direction].send(self._seqid(data), n_after > n_before)

    def arrive(self):
        arrived = super().arrive()
        if arrived and self.accounts[arrived[0]] and self._is_fec(arrived[1]):
            self.accounts[arrived[0]].arrive(self._seqid(arrived[1]))
        return arrived

    def _is_fec(self, data):
        """Has it an FEC head? Acknowledgements alone have none."""
        return data[self.head_bytes + 4] in _FEC_KINDS

    def _seqid(self, data):
        return int.from_bytes(data[self.head_bytes : self.head_bytes + 4], "little")


def make_config(options):
    """A Config of a case's options, with a key where the cipher takes one."""
    settings = dict(_MODE)
    if "cc" in options:
        del settings["nc"]
    settings.update(options)
    if settings.get("crypt", "null") not in _HEAD_BYTES:
        settings["key"] = KEY
    return Config(**settings)


def start(case, seed, **config):
    """A case's (net, peers, stats); `config`: options laid over those of the case."""
    options = dict(case["config"])
    options.update(config)
    settings = make_config(options)
    fec = settings.datashard and (settings.datashard, settings.parityshard)
    head = _HEAD_BYTES.get(options.get("crypt", "null"), -1)
    followed = fec and head >= 0
    accounts = [Account(*fec) if followed else None for _ in (0, 1)]
    link = dict(case["link"])
    link["overhead"] = IP_UDP_BYTES
    net = WireNet(link, seed, head, accounts)
    stats = (Stats(), Stats())
    peers = []
    for side in (0, 1):
        phase = {"phase_ms": side * (seed % settings.interval)}
        peers.append(SessionPeer(net, side, phase, stats[side], settings))
    return net, tuple(peers), stats


def run(case, seed, **config):
    """One run, to the end of the load; what came of it as a dict."""
    net, peers, stats = start(case, seed, **config)
    pair = Pair(net, peers, make_loads(case["load"], peers), case["limit_ms"])
    try:
        result = pair.result(pair.run())
    except Exception:
        print("failed: case %s %r, replay with KCP_SIM_SEED=%d" % (case["id"], config, seed))
        raise
    result["case"] = case["id"]
    result["seed"] = seed
    result["stats"] = [one.as_dict() for one in stats]
    result["places"] = [link.places for link in net.links]
    result["fec"] = [account and _summary(account) for account in net.accounts]
    return result


def _summary(account):
    return {
        "recovered": account.recovered,
        "full": account.full,
        "sent": account.n_sent,
        "lost": account.n_lost,
        "lost_data": account.n_lost_data,
        "groups": account.complete(),
    }
