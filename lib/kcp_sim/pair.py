"""One run: two peers, two applications, a path, and virtual time that jumps from event to event.

Twin: tests/interop/peers/sim/pair.go; the order of everything below is part of the model. At a
moment:

1. Sessions whose timer has run out: peer 0, then peer 1 (`timer`). Real arrivals come at some time
   within a ms, so after the timers that ran out at its beginning.
2. Every datagram that has arrived is given to its peer, in the order of net.py. What a bare ARQ
   wants to send in answer is put on the path before the next datagram is looked at; a session's
   answers come after the last one (`settle`, peer 0's and then peer 1's).
3. The applications, peer 0's and then peer 1's: read all, then write.
4. A bare ARQ's update(), which is on a fixed grid: peer 0, then peer 1 (`tick`; see arq_peer.py).

Then time goes on to the nearest of: the next arrival, the peers' next ticks, what an application
asks for. A run is over when the applications are done, nothing is under way, both peers hold
nothing unacknowledged and nothing was sent or has arrived for QUIET_MS, or when no event is left
at all. One that takes longer than the scenario's limit_ms is an error.

A peer has: input(data, now_ms), timer(now_ms), settle(now_ms), tick(now_ms), next_ms(now_ms) (-1 =
never), idle() (nothing unacknowledged), write and read_into for its application. It checks its
invariants by itself whenever it has sent all that is due.
"""

QUIET_MS = 1000


class Pair:
    """Runs two peers over `net` with `apps`; `run()` returns the moment at which all was quiet."""

    def __init__(self, net, peers, apps, limit_ms):
        self.net = net
        self.peers = peers
        self.apps = apps
        self.limit_ms = limit_ms

    def run(self, until=None):
        """Run until all is quiet, or until `until(now_ms)` is true or nothing is left to happen;
        return that moment.
        """
        over = until or self._over
        now_ms = 0
        while True:
            self.net.now_ms = now_ms
            self._moment(now_ms)
            if over(now_ms):
                return now_ms
            next_ms = self._next_ms(now_ms)
            if next_ms < 0:
                if not until and not self._done():
                    raise AssertionError("stuck at %d ms: nothing left to happen" % now_ms)
                return now_ms
            if next_ms < now_ms:
                raise AssertionError("a timer went back from %d to %d ms" % (now_ms, next_ms))
            if next_ms > self.limit_ms:
                raise AssertionError("not done at the limit of %d ms" % self.limit_ms)
            now_ms = next_ms

    def _moment(self, now_ms):
        net, peers = self.net, self.peers
        for peer in peers:
            peer.timer(now_ms)
        arrived = net.arrive()
        while arrived:
            peers[1 - arrived[0]].input(arrived[1], now_ms)
            arrived = net.arrive()
        for peer in peers:
            peer.settle(now_ms)
        for app in self.apps:
            app.step(now_ms)
        for peer in peers:
            peer.tick(now_ms)

    def _done(self):
        return self.apps[0].done_ms >= 0 and self.apps[1].done_ms >= 0

    def _over(self, now_ms):
        net = self.net
        quiet_ms = now_ms - max(net.last_send_ms, net.last_arrival_ms)
        if quiet_ms < QUIET_MS or not self._done() or net.next_ms() >= 0:
            return False
        return self.peers[0].idle() and self.peers[1].idle()

    def _next_ms(self, now_ms):
        nearest = self.net.next_ms()
        for source in self.peers + self.apps:
            ms = source.next_ms(now_ms)
            if ms >= 0 and (nearest < 0 or ms < nearest):
                nearest = ms
        return nearest

    def result(self, quiet_ms):
        """What a run gives: a dict that is equal, name by name, to what the Go twin prints."""
        net = self.net
        result = {
            "done_ms": max(self.apps[0].done_ms, self.apps[1].done_ms),
            "quiet_ms": quiet_ms,
            "wire": list(net.wire),
            "datagrams": [link.counters["sent"] for link in net.links],
            "bytes": list(net.n_bytes),
            "links": net.counters(),
            "segs_lost": net.segs_lost,
            "segs_repeated": net.segs_repeated,
        }
        rtts = getattr(self.apps[0], "rtts", None)
        if rtts is not None:
            ordered = sorted(rtts)
            result["rtt_sum_ms"] = sum(rtts)
            result["rtt_count"] = len(rtts)
            result["rtt_p95_ms"] = ordered[len(ordered) * 95 // 100]
            result["rtt_max_ms"] = ordered[-1]
        return result
