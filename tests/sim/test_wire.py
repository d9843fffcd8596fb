"""Whole sessions over simulated links: what FEC repairs, and what damaged datagrams do (or not).

Against the real kcp-go both are tested by tests/interop; here every run is repeatable and every
datagram is known: an independent account (sim/wire.py) says what the decoder must have repaired,
to the packet. The loads are scaled down on MicroPython, where a packet takes longer.
KCP_SIM_SEED=7 runs that seed alone.
"""
# upy: heapsize=16m timeout=240

from sim import cases, wire, workers

from kcp.session import CLOSED
from kcp_sim.pair import Pair

N_SEEDS = {"cpython": 20, "unix": 2, "arm": 1}[cases.target()]
SCALE = {"cpython": 1, "unix": 4, "arm": 32}[cases.target()]  # loads are divided by this
WND = {"sndwnd": 128, "rcvwnd": 128}


def bulk(n_bytes, scaled=True):
    return {"kind": "bulk", "bytes": n_bytes // SCALE if scaled else n_bytes}


def case(case_id, link, load, **config):
    options = dict(WND)
    options.update(config)
    return {"id": case_id, "link": link, "load": load, "config": options, "limit_ms": 400000}


def run(one, n_seeds=N_SEEDS, **options):
    """Run a case with its seeds: the results; FEC has repaired what it must have."""
    jobs = [(one, seed, options) for seed in cases.seeds({"seeds": [n_seeds] * 4})]
    results = workers.run_all("wire", jobs)
    for result in results:
        for side in (0, 1):
            account, stats = result["fec"][1 - side], result["stats"][side]
            if account:
                left_out = account["recovered"] - stats["FECRecovered"]
                assert 0 <= left_out <= wire.UNSURE, (one["id"], result["seed"], left_out)
                assert stats["FECFullShards"] == account["full"], (one["id"], result["seed"])
            assert stats["FECErrs"] == 0
            assert stats["KCPInErrors"] == 0
    return results


def total(results, name):
    """Sum of a number of the accounts of both directions, over all runs."""
    return sum(account[name] for result in results for account in result["fec"])


# T05: quic-interop's transferloss. With parity, a window of 32 fits into the path and its queue;
# what overflows a queue is lost by the dozen, and no FEC repairs that.
TRANSFERLOSS = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25, "loss_pct": 2, "loss_burst": 3}


def test_t05_fec_recovers_what_is_lost():
    config = {"sndwnd": 32, "rcvwnd": 32, "crypt": "none"}
    results = run(case("T05-fec", TRANSFERLOSS, bulk(2097152), **config), fec=(10, 3))
    n_lost, n_recovered = total(results, "lost_data"), total(results, "recovered")
    n_open = len(results)  # groups at the end, whose parity was not all sent
    assert n_recovered >= 0.95 * n_lost - n_open, (n_recovered, n_lost)
    if len(results) > 1:
        assert n_lost > 20 * len(results) / SCALE


# How often FEC succeeds when losses are independent: the binomial distribution's word for it.


def binomial(n, p):
    """Probabilities of 0..n losses among n."""
    row = [1.0]
    for _ in range(n):
        row = [a * (1 - p) + b * p for a, b in zip(row + [0.0], [0.0] + row)]
    return row


def expected(data, parity, p):
    """(probability that a group has more losses than parity, mean and variance of the data
    packets that a group then loses for good).
    """
    failing = mean = square = 0.0
    for i, p_data in enumerate(binomial(data, p)):
        for j, p_parity in enumerate(binomial(parity, p)):
            if i + j > parity:
                failing += p_data * p_parity
                mean += i * p_data * p_parity
                square += i * i * p_data * p_parity
    return failing, mean, square - mean * mean


def test_expected_values_are_those_of_the_tables():
    for ratio, pct, failing_pct in (
        ((10, 3), 2, 0.0099), ((10, 3), 5, 0.31), ((10, 3), 10, 3.4), ((10, 3), 20, 25),
        ((5, 2), 5, 0.38), ((3, 1), 10, 5.2), ((20, 4), 20, 54),
    ):  # fmt: skip
        assert abs(100 * expected(*ratio, pct / 100)[0] / failing_pct - 1) < 0.03
    for pct, left_pct in ((5, 0.098), (10, 1.1), (20, 8.8)):
        assert abs(100 * expected(10, 3, pct / 100)[1] / 10 / left_pct - 1) < 0.03


def assert_within_3_sigma(got, n, mean, variance, what):
    sigma = (n * variance) ** 0.5
    assert abs(got - n * mean) <= 3 * sigma + 1, (what, got, n * mean, sigma)


def check_independent_losses(data, parity, pct):
    link = {"delay_ms": 15, "loss_pct": pct}
    one = case("iid-%d" % pct, link, bulk(60000), crypt="none", mtu=128)
    results = run(one, n_seeds=min(N_SEEDS, 10), fec=(data, parity))
    groups = [group for result in results for side in result["fec"] for group in side["groups"]]
    n_failed = len([lost for lost, _ in groups if lost > parity])
    n_left = sum([lost_data for lost, lost_data in groups if lost > parity])
    what = (data, parity, pct, len(groups))
    failing, mean, variance = expected(data, parity, pct / 100)
    assert_within_3_sigma(n_failed, len(groups), failing, failing * (1 - failing), what)
    assert_within_3_sigma(n_left, len(groups), mean, variance, what)
    # And that is what the decoder counts: all that is lost in the other groups, and perhaps in the
    # last one, whose parity was not all sent.
    n_possible = sum([lost_data for lost, lost_data in groups if lost <= parity])
    assert 0 <= total(results, "recovered") - n_possible <= 2 * parity * len(results)


def test_t12_independent_losses():
    for pct in (2, 5, 10, 20):
        check_independent_losses(10, 3, pct)
    for data, parity in ((5, 2), (3, 1), (20, 4)):
        check_independent_losses(data, parity, 10)


# T12: losses in bursts of ten on average, with jitter that reorders.
BURSTS = {"delay_ms": 30, "jitter_ms": 20, "ge": [100, 1000, 7000, 10]}


def test_t12_bursts_and_jitter():
    shares = []
    for fec in ((10, 3), (20, 10)):
        results = run(case("T12", BURSTS, bulk(2097152), crypt="none"), fec=fec)
        for result in results:
            assert result["stats"][1]["FECRecovered"] > 0 or SCALE > 4
        shares.append(total(results, "recovered") / max(1, total(results, "lost_data")))
    if cases.target() == "cpython":
        assert 0.2 < shares[0] < shares[1], shares  # long groups stand long bursts


# T08: a byte is changed. What the check covers: from this byte of the datagram on, 0 = everything.
def is_covered(crypt, place):
    if crypt in ("none", "xor"):
        return place >= 16
    return crypt != "salsa20" or not 8 <= place < 16


def check_corruption(one, crypt, **options):
    for result in run(one, crypt=crypt, **options):
        for side in (0, 1):
            noticed = [p for p in result["places"][1 - side] if is_covered(crypt, p)]
            stats = result["stats"][side]
            assert stats["InCsumErrors"] == len(noticed), (crypt, result["seed"])
            assert stats["InErrs"] == 0


def corruption(pct):
    return {"delay_ms": 15, "corrupt_pct": pct}


CIPHERS = ("none", "xor", "salsa20", "aes-128", "aes-192", "aes-128-gcm")


def test_t08_two_percent():
    for crypt in ("none", "aes-128", "aes-128-gcm"):
        check_corruption(case("T08-2", corruption(2), bulk(2097152)), crypt)


def test_t08_every_cipher():
    for crypt in CIPHERS:
        n_seeds = 1 if cases.target() == "arm" else 4
        check_corruption(case("T08-all", corruption(10), bulk(65536)), crypt, n_seeds=n_seeds)


def test_t08_thirty_percent():
    for crypt in ("none", "aes-128-gcm"):
        check_corruption(case("T08-30", corruption(30), bulk(262144)), crypt)


def test_t08_thirty_percent_fifty_sessions():
    n_seeds = 50 if cases.target() != "arm" else 5
    for crypt in ("none", "aes-128-gcm"):
        one = case("T08-1k", corruption(30), {"kind": "echo", "count": 1, "size": 1024})
        check_corruption(one, crypt, n_seeds=n_seeds)


def test_t08_with_fec():
    results = run(case("T08-fec", corruption(5), bulk(262144), crypt="aes-128"), fec=(10, 3))
    recovered = [result["stats"][1]["FECRecovered"] for result in results]
    assert all(recovered) if SCALE == 1 else any(recovered) or SCALE > 4


class Careless:
    """An application that writes and reads anything, as long as the session lets it."""

    def __init__(self, peer, end_ms):
        self.peer = peer
        self.end_ms = end_ms
        self.done_ms = 0
        self._buf = bytearray(4096)

    def next_ms(self, now_ms):
        return min(now_ms + 50, self.end_ms) if now_ms < self.end_ms else -1

    def step(self, now_ms):
        while self.peer.read_into(self._buf):
            pass
        if now_ms < self.end_ms:
            self.peer.write(self._buf[:300])


def survive(seed, corrupt_pct, fec):
    """A minute of traffic without any check against damage: nothing may raise, whatever comes."""
    link = {"delay_ms": 15, "loss_pct": 1, "corrupt_pct": corrupt_pct}
    one = case("T08-null", link, None, crypt="null", dead_ms=20000)
    net, peers, stats = wire.start(one, seed, fec=fec)
    end_ms = 20000 // SCALE
    pair = Pair(net, peers, tuple([Careless(peer, end_ms) for peer in peers]), 10 * end_ms)
    pair.run(lambda now_ms: now_ms >= end_ms)
    assert net.counters()["corrupted"] > 5
    for peer in peers:
        session = peer.session
        assert session.state != CLOSED or session.error is not None
        assert session.unacked_bytes <= 2 * 128 * 1400
    return stats[0].KCPInErrors + stats[1].KCPInErrors


def test_t08_without_crypt_nothing_crashes():
    n_errors = 0
    for seed in cases.seeds({"seeds": [min(N_SEEDS, 2)] * 4}):
        for corrupt_pct in (2, 30):
            for fec in (None, (10, 3)):
                n_errors += survive(seed, corrupt_pct, fec)
    assert n_errors > 0
