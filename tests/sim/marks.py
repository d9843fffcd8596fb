"""What the table of scenarios measures, each with its pass mark (see table.py).

A measure has `mark`, in words, and measure(seeds) -> (what was measured, does it keep the mark).
Every transfer also checks its bytes, and the invariants of its sessions (session_peer.py).
"""

from sim import cases, crowd, full_socket, reference, vopr, wire, workers

QUEUE25 = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}
LONG = dict(QUEUE25, delay_ms=750)
LOSSES = dict(QUEUE25, loss_pct=2, loss_burst=3)
MESS = {
    "delay_ms": 10, "jitter_ms": 80, "reorder_pct": 25, "dup_pct": 10, "replay_pct": 5,
    "replay_ms": 60000,
}  # fmt: skip
BURSTS = {"delay_ms": 30, "jitter_ms": 20, "ge": [100, 1000, 7000, 10]}
DEVICE = {"delay_ms": 5, "rate_kbps": 10000, "queue": 100, "rx_queue": 4, "rx_poll_ms": 2}
M10, M5, M2, M1 = 10485760, 5242880, 2097152, 1048576
CROWDED = dict(QUEUE25, loss_pct=30, loss_burst=3)


def transfers(seeds, link, load, wnd, **config):
    """Results of transfers with our defaults over a link, for these seeds."""
    if isinstance(load, int):
        load = {"kind": "bulk", "bytes": load}
    options = {"crypt": "none", "sndwnd": wnd, "rcvwnd": wnd}
    options.update(config)
    one = {"id": "table", "link": link, "load": load, "config": options, "limit_ms": 400000}
    return workers.run_all("wire", [(one, seed, {}) for seed in seeds])


def mean_ms(results):
    return reference.mean(result["done_ms"] for result in results)


def counted(results, name):
    return sum(result["links"][name] for result in results)


class Goodput:
    """At least so many Mbit/s, and (drops: so many at most) hardly a queue that runs over."""

    def __init__(self, link, n_bytes, wnd, least, drops_pct=None, **config):
        self.arguments = link, n_bytes, wnd
        self.config = config
        self.least = least
        self.drops_pct = drops_pct
        self.mark = ">= %.1f Mbit/s" % least
        if drops_pct is not None:
            self.mark += ", %s drops" % ("no" if drops_pct == 0 else "<= %d %%" % drops_pct)

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        n_bytes = self.arguments[1]
        mbits = reference.mean(n_bytes * 8 / r["done_ms"] / 1000 for r in results)
        text, is_good = "%.2f Mbit/s" % mbits, mbits >= self.least
        if self.drops_pct is not None:
            pct = 100 * counted(results, "queue_drops") / (len(results) * n_bytes / 1348)
            text += ", %.1f %%" % pct
            is_good = is_good and pct <= self.drops_pct
        return text, is_good


class Time:
    """The mean time to the last byte, of at most so many ms."""

    def __init__(self, link, load, wnd, most_ms, **config):
        self.arguments = link, load, wnd
        self.config = config
        self.most_ms = most_ms
        self.mark = "<= %s s" % (most_ms / 1000)

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        return "%.2f s" % (mean_ms(results) / 1000), mean_ms(results) <= self.most_ms


class Repaired(Time):
    """The same, and FEC repairs at least so much of the data packets that are lost."""

    def __init__(self, link, load, wnd, most_ms, least_pct, **config):
        super().__init__(link, load, wnd, most_ms, **config)
        self.least_pct = least_pct
        self.mark += ", >= %d %% repaired" % least_pct

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        accounts = [account for result in results for account in result["fec"]]
        n_lost = sum(account["lost_data"] for account in accounts)
        pct = 100 * sum(account["recovered"] for account in accounts) / max(1, n_lost)
        text = "%.2f s, %.1f %%" % (mean_ms(results) / 1000, pct)
        return text, mean_ms(results) <= self.most_ms and pct >= self.least_pct


class Accounted(Time):
    """FEC repairs, packet for packet, what plain bookkeeping over the wire says that it can, but
    for the first groups."""

    def __init__(self, link, load, wnd, **config):
        super().__init__(link, load, wnd, 0, **config)
        self.mark = "identical, all repaired that can be, but for %d of the first" % wire.UNSURE

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        n_possible = n_repaired = most_left = 0
        for result in results:
            for side in (0, 1):
                possible = result["fec"][1 - side]["recovered"]
                repaired = result["stats"][side]["FECRecovered"]
                n_possible += possible
                n_repaired += repaired
                most_left = max(most_left, possible - repaired)
        text = "%.2f s, %d of %d packets" % (mean_ms(results) / 1000, n_repaired, n_possible)
        return text, n_repaired > 0 and n_possible >= n_repaired and most_left <= wire.UNSURE


class Drops(Time):
    """The same, and nothing is dropped at the receiver's socket."""

    def __init__(self, link, load, wnd, most_ms, **config):
        super().__init__(link, load, wnd, most_ms, **config)
        self.mark += ", no drops"

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        n_drops = counted(results, "rx_drops") + counted(results, "queue_drops")
        text = "%.2f s, %d drops" % (mean_ms(results) / 1000, n_drops)
        return text, mean_ms(results) <= self.most_ms and n_drops == 0


class Trips:
    """The mean round trip of 500 echoes of 64 bytes, one after the other."""

    def __init__(self, link, wnd, most_ms, **config):
        self.arguments = link, {"kind": "echo", "count": 500, "size": 64}, wnd
        self.config = config
        self.most_ms = most_ms
        self.mark = "<= %d ms" % most_ms

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        mean = reference.mean(r["rtt_sum_ms"] / r["rtt_count"] for r in results)
        return "%.0f ms" % mean, mean <= self.most_ms


class AsKcpGo:
    """Sessions without pacing: at most 5 % (and three standard errors) above kcp-go's mean on the
    same link; see reference.py."""

    mark = "as kcp-go"

    def __init__(self, case_id):
        self.case = cases.cases(case_id)[0]

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        jobs = [(self.case, seed, {"crypt": "none" if seed % 2 else "null"}) for seed in seeds]
        results = workers.run_all("session", jobs)
        ours = reference.mean(reference.figure(result) for result in results)
        record = reference.of(self.case)
        theirs = max(reference.mean(record["update"]), reference.mean(record["session"]))
        n_trips = reference.n_trips(self.case)
        text = "%.0f ms (%.0f)" if n_trips > 1 else "%.2f s (%.2f)"
        scale = n_trips if n_trips > 1 else 1000
        return text % (ours / scale, theirs / scale), ours <= reference.bound(
            self.case, len(results)
        )


class SameAsKcpGo:
    """Our ARQ sends what kcp-go's does, byte for byte and ms for ms, in all cases of a row."""

    mark = "same bytes, same ms as kcp-go"

    def __init__(self, prefix):
        self.cases = cases.cases(prefix)

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        jobs = [(case, seed, {}) for case in self.cases for seed in seeds]
        n_same = 0
        for (case, seed, _), result in zip(jobs, workers.run_all("arq", jobs)):
            n_same += reference.wire_id(result) == reference.of(case)["wire"][seed]
        return "%d of %d runs" % (n_same, len(jobs)), n_same == len(jobs)


class Crowd:
    """Fifty new sessions at one listener, over links that lose a third."""

    mark = "50 of 50, each <= 3 s"

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        found = []
        for seed in seeds:
            found += crowd.echoes(50, 1024, CROWDED, seed, 3001, mode="fast2")
        n_good = len([ms for ms in found if ms >= 0])
        text = "%d of %d, mean %.0f, longest %d ms"
        mean = reference.mean(found)
        return text % (n_good, len(found), mean, max(found)), n_good == len(found)


class Outage(Time):
    """A transfer through an outage: at most so much longer than without and the outage itself."""

    def __init__(self, outage_ms, grace_ms):
        hole = dict(QUEUE25, blackhole=[[5000, 5000 + outage_ms]])
        super().__init__(hole, M10, 48, 0)
        self.outage_ms, self.grace_ms = outage_ms, grace_ms
        self.mark = "<= undisturbed + %d + %d s" % (outage_ms // 1000, grace_ms // 1000)

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        base_ms = mean_ms(transfers(seeds, QUEUE25, M10, 48))
        ms = mean_ms(transfers(seeds, *self.arguments))
        over_ms = ms - base_ms - self.outage_ms
        text = "%.1f s (undisturbed + %d + %.1f s)"
        text %= (ms / 1000, self.outage_ms // 1000, over_ms / 1000)
        return text, over_ms <= self.grace_ms


class Noticed:
    """One byte of a part of the datagrams is changed: the data is right, and every change that
    the check covers is counted."""

    def __init__(self, pct, n_bytes, crypt):
        self.link = {"delay_ms": 15, "corrupt_pct": pct}
        self.n_bytes, self.crypt = n_bytes, crypt
        self.first = 16 if crypt == "none" else 0  # what the check covers
        self.mark = "identical, all counted"

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        n_changed = n_counted = 0
        for result in transfers(seeds, self.link, self.n_bytes, 128, crypt=self.crypt):
            for side in (0, 1):
                n_changed += len([p for p in result["places"][1 - side] if p >= self.first])
                n_counted += result["stats"][side]["InCsumErrors"]
        return "%d of %d counted" % (n_counted, n_changed), n_counted == n_changed > 0


class Repeats(Time):
    """All that comes twice is counted; the data is right (every run checks that)."""

    def __init__(self, mode):
        by_mode = {"nodelay": None, "interval": None, "resend": None, "nc": None}
        super().__init__(MESS, M2, 128, 0, mode=mode, **by_mode)
        self.mark = "identical, repeats counted"

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        results = transfers(seeds, *self.arguments, **self.config)
        repeats = [sum(one["RepeatSegs"] for one in r["stats"]) for r in results]
        text = "%.2f s, %d repeats" % (mean_ms(results) / 1000, reference.mean(repeats))
        return text, min(repeats) > 0


class Mix:
    """Everything at once, both ways (see vopr)."""

    mark = "all there within 60 s of healing"

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        found = [vopr.run(seed, M1)["done_ms"] for seed in seeds]
        late_ms = max(found) - vopr.HEAL_MS
        text = "%d of %d, the last %.1f s after" % (len(found), len(found), max(late_ms, 0) / 1000)
        return text, late_ms <= vopr.LIVE_MS


class Stalled:
    """The reader stands still for 30 s: nothing is lost, and the writer holds two windows."""

    mark = "probed, nothing lost, writer <= 128 segments"

    def __init__(self):
        self.case = cases.cases("T16")[0]

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        jobs = [(self.case, seed, {"pacing": True}) for seed in seeds]
        results = workers.run_all("session", jobs)  # (whose peers check the writer's window)
        probes = [result["cmds"].get(83, 0) for result in results]
        tells = [result["cmds"].get(84, 0) for result in results]
        times = [result["done_ms"] for result in results]
        text = "%.1f s, %d probes" % (reference.mean(times) / 1000, min(probes))
        return text, min(probes) > 0 and min(tells) > 0 and min(times) > 31000


class Refused:
    """The socket refuses 5 % of the datagrams with ENOMEM or ENOBUFS: losses, counted."""

    mark = "identical, each counted as lost"

    def measure(self, seeds):
        """(what was measured, is it good enough)"""
        found = [full_socket.transfer(500000, 5, seed) for seed in seeds]
        n_failed = sum(one["failed"] for one in found)
        n_drops = sum(one["drops"] for one in found)
        text = "%.2f s, %d of %d counted" % (mean_ms(found) / 1000, n_drops, n_failed)
        return text, n_drops == n_failed > 0


class Tests:
    """Nothing to measure: the tests that are named assert it."""

    measure = None

    def __init__(self, mark):
        self.mark = mark
