"""Runs the scenarios of scenarios.json: which seeds, which driver, and what must hold in every
run.

scenarios.json is shared with the Go twin. A case's id begins with its row in the list of scenarios
(T01 ...; L: the links themselves). It has: `link` (`back` if the way back differs), `load`, `peer`
(`peer0` and `peer1` are laid over it for one side), `limit_ms` of virtual time, and `seeds`: how
many to run [in the full set, per push on CPython, on MicroPython unix, on 32-bit ARM];
`session_seeds` the same for sessions, if it differs. Peer 1's ticks begin
(seed modulo interval) ms after peer 0's, so that a link without chance has 20 different runs, too.

Environment: KCP_SIM_FULL=1 runs the full set; KCP_SIM_SEED=7 runs that seed alone. A run that
fails names its case and seed.
"""

import json
import os
import struct
import sys
from binascii import crc32

from sim.arq_peer import ArqPeer

from kcp.stats import Stats
from kcp_sim import SCENARIOS
from kcp_sim.load import make_loads, pattern
from kcp_sim.net import Net
from kcp_sim.pair import Pair

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


def _load(path):
    with open(path) as file:
        return json.load(file)


_SCENARIOS = _load(SCENARIOS)


def target():
    """ "cpython", "unix" or "arm": which column of `seeds` applies here."""
    if sys.implementation.name == "cpython":
        return "cpython"
    return os.getenv("KCP_TEST_TARGET") or "unix"


def cases(prefix=""):
    """The cases whose id begins with `prefix` (or with one of several, separated by commas)."""
    found = []
    for case in _SCENARIOS["cases"]:
        if any(case["id"].startswith(part) for part in prefix.split(",")):
            found.append(case)
    return found


def seeds(case, kind="arq"):
    """The seeds to run here and now, bare ("arq") or as sessions ("session")."""
    one = os.getenv("KCP_SIM_SEED")
    if one:
        return [int(one)]
    column = 0 if os.getenv("KCP_SIM_FULL") else _COLUMNS[target()]
    numbers = case["seeds"] if kind == "arq" else case.get("session_seeds", case["seeds"])
    return list(range(numbers[column]))


def leave_out_empty(namespace, kind):
    """Remove the tests that have no seed to run on this runtime, so that none passes for nothing.

    `test_t05_...` runs the cases "T05...", `test_links` those called "L...".
    """
    for name in list(namespace):
        if name.startswith("test_"):
            word = name.split("_")[1].upper()
            prefix = "L-" if word == "LINKS" else word
            if not any(seeds(case, kind) for case in cases(prefix)):
                del namespace[name]


def peer_options(case, side, seed):
    """The options of one peer of a case, as a new dict."""
    options = dict(case["peer"])
    options.update(case.get("peer%d" % side, {}))
    if side == 1:
        options["phase_ms"] = seed % options["mode"][1]
    return options


def link_options(case, header_bytes=0):
    """Link parameters of both directions; `header_bytes` of the overhead are in the datagrams
    themselves."""
    both = []
    for name in (case["link"], case.get("back", case["link"])):
        options = dict(_SCENARIOS["links"][name])
        options["overhead"] = options.get("overhead", 0) - header_bytes
        both.append(options)
    return both


def run_link(case, seed):
    """No peers: `count` datagrams of `size` bytes through direction 0, one every period_ms. The
    second wire checksum is of what arrives.
    """
    net = Net(link_options(case), seed)
    load = case["load"]
    n_sent = checksum = 0
    while n_sent < load["count"] or net.next_ms() >= 0:
        arrived = net.arrive()
        while arrived:
            data = arrived[1]
            checksum = crc32(data, crc32(struct.pack("<II", net.now_ms, len(data)), checksum))
            arrived = net.arrive()
        if n_sent < load["count"] and net.now_ms % load["period_ms"] == 0:
            net.send(0, pattern(n_sent * load["size"], load["size"]))
            n_sent += 1
        net.now_ms += 1
    return {
        "case": case["id"],
        "seed": seed,
        "done_ms": net.last_arrival_ms,
        "wire": [net.wire[0], checksum],
        "links": net.counters(),
    }


def run_arq(case, seed):
    """One run of a bare Arq pair; the result is comparable, name by name, with the Go twin's."""
    if case["load"]["kind"] == "link":
        return run_link(case, seed)
    net = Net(link_options(case), seed)
    net.count_cmds = "stall" in case["load"]
    stats = (Stats(), Stats())
    peers = tuple(
        ArqPeer(net, side, peer_options(case, side, seed), stats[side]) for side in (0, 1)
    )
    return _run(case, seed, net, peers, stats)


def run_session(case, seed, crypt="null", **more):
    """One run of a pair of Sessions; `more`: further Config options."""
    from kcp_sim.session_peer import CRYPT_BYTES, SessionPeer, make_config

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
    """Counters balance: every segment sent has arrived, or was in a datagram that the path
    dropped."""
    links = net.counters()
    n_arrived = links["sent"] + links["duplicated"] + links["replayed"]
    n_arrived -= links["lost"] + links["blackholed"] + links["queue_drops"] + links["rx_drops"]
    assert n_arrived == links["delivered"], links
    resent = total.FastRetransSegs + total.EarlyRetransSegs + total.LostSegs
    assert total.RetransSegs == resent, total.as_dict()
    if not links["corrupted"]:
        expected = total.OutSegs - net.segs_lost + net.segs_repeated
        assert total.InSegs == expected, (total.InSegs, expected)
