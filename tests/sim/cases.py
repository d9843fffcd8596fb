"""Runs the scenarios of scenarios.json: which seeds, which driver, and what must hold in every run.

scenarios.json is shared with the Go twin. A case has: `link` (`back` if the way back differs), `load`, `peer` (`peer0`
and `peer1` are laid over it for one side), `limit_ms` of virtual time, and `seeds`: how many to run
[in the full set, per push on CPython, on MicroPython unix, on 32-bit ARM]. Peer 1's ticks begin
(seed modulo interval) ms after peer 0's, so that a link without chance has 20 different runs, too.

Environment: KCP_SIM_FULL=1 runs the full set; KCP_SIM_SEED=7 runs that seed alone. A run that fails
names its case and seed.
"""

import json
import os
import sys

from kcp.stats import Stats

from sim.arq_peer import ArqPeer
from sim.load import make_loads
from sim.net import Net
from sim.pair import Pair

SCENARIOS = __file__.replace("\\", "/").rpartition("/")[0] + "/scenarios.json"
COUNTED = (
    "InSegs",
    "OutSegs",
    "RetransSegs",
    "FastRetransSegs",
    "EarlyRetransSegs",
    "LostSegs",
    "RepeatSegs",
)
_COLUMNS = {"cpython": 1, "unix": 2, "arm": 3}


def _load_scenarios():
    with open(SCENARIOS) as file:
        return json.load(file)


_SCENARIOS = _load_scenarios()


def target():
    """ "cpython", "unix" or "arm": which column of `seeds` applies here."""
    if sys.implementation.name == "cpython":
        return "cpython"
    return os.getenv("KCP_TEST_TARGET") or "unix"


def cases(prefix=""):
    """The cases whose id begins with `prefix`."""
    return [case for case in _SCENARIOS["cases"] if case["id"].startswith(prefix)]


def seeds(case):
    """The seeds to run here and now."""
    one = os.getenv("KCP_SIM_SEED")
    if one:
        return [int(one)]
    column = 0 if os.getenv("KCP_SIM_FULL") else _COLUMNS[target()]
    return list(range(case["seeds"][column]))


def peer_options(case, side, seed):
    """The options of one peer of a case, as a new dict."""
    options = dict(case["peer"])
    options.update(case.get("peer%d" % side, {}))
    if side == 1:
        options["phase_ms"] = seed % options["mode"][1]
    return options


def link_options(case, header_bytes=0):
    """Link parameters of both directions; `header_bytes` of the overhead are in the datagrams themselves."""
    both = []
    for name in (case["link"], case.get("back", case["link"])):
        options = dict(_SCENARIOS["links"][name])
        options["overhead"] = options.get("overhead", 0) - header_bytes
        both.append(options)
    return both


def run_arq(case, seed):
    """One run of a bare Arq pair; the result is comparable, name by name, with the Go twin's."""
    net = Net(link_options(case), seed)
    net.count_cmds = "stall" in case["load"]
    stats = (Stats(), Stats())
    peers = tuple(ArqPeer(net, side, peer_options(case, side, seed), stats[side]) for side in (0, 1))
    return _run(case, seed, net, peers, stats)


def run_session(case, seed, crypt="null", **more):
    """One run of a pair of Sessions; `more`: further Config options."""
    from sim.session_peer import CRYPT_BYTES, SessionPeer, make_config

    head = CRYPT_BYTES[crypt]
    net = Net(link_options(case, head), seed, head)
    net.count_cmds = "stall" in case["load"]
    stats = (Stats(), Stats())
    peers = []
    for side in (0, 1):
        options = peer_options(case, side, seed)
        config = make_config(options, crypt, more)
        peers.append(SessionPeer(net, side, options, stats[side], config))
    result = _run(case, seed, net, tuple(peers), stats)
    last_ms = max(net.last_send_ms, net.last_arrival_ms)
    for peer in peers:
        if peer.session.timeout(peer._now(result["quiet_ms"])) != -1:
            raise AssertionError("%s seed %d: a session has not come to rest" % (case["id"], seed))
    if result["quiet_ms"] > last_ms + 10000:
        raise AssertionError("%s seed %d: not at rest within 10 s" % (case["id"], seed))
    return result


def _run(case, seed, net, peers, stats):
    pair = Pair(net, peers, make_loads(case["load"], peers), case["limit_ms"])
    try:
        result = pair.result(pair.run())
        total = Stats()
        total.add(stats[0])
        total.add(stats[1])
        _check_balance(net, stats, total)
    except Exception:
        print("failed: case %s, replay with KCP_SIM_SEED=%d" % (case["id"], seed))
        raise
    result["case"] = case["id"]
    result["seed"] = seed
    result["input_errors"] = peers[0].input_errors + peers[1].input_errors
    result["max_in_flight"] = max(peers[0].max_in_flight, peers[1].max_in_flight)
    result["stats"] = {name: getattr(total, name) for name in COUNTED}
    if net.count_cmds:
        result["cmds"] = net.cmds
    return result


def _check_balance(net, stats, total):
    """Counters balance: every segment sent has arrived, or was in a datagram that the path dropped."""
    links = net.counters()
    n_arrived = links["sent"] + links["duplicated"] + links["replayed"]
    n_arrived -= links["lost"] + links["blackholed"] + links["queue_drops"] + links["rx_drops"]
    assert n_arrived == links["delivered"], links
    resent = total.FastRetransSegs + total.EarlyRetransSegs + total.LostSegs
    assert total.RetransSegs == resent, total.as_dict()
    if not links["corrupted"]:
        expected = total.OutSegs - net.segs_lost + net.segs_repeated
        assert total.InSegs == expected, (total.InSegs, expected)


def mean(values):
    """The mean of a sequence of numbers."""
    values = list(values)
    return sum(values) / len(values)


def figure(result):
    """What a run is judged by: the mean round trip in an echo load, else the time to the last byte, in ms."""
    if "rtt_sum_ms" in result and result["rtt_count"]:
        return result["rtt_sum_ms"] / result["rtt_count"]
    return result["done_ms"]
