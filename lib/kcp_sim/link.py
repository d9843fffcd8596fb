"""One direction of a simulated path. The twin is tests/interop/peers/sim/link.go.

tools/netlab runs real programs over it. The model, exactly (the Go twin draws the same numbers in
the same order):

Time is an integer number of ticks: of ms in the simulator, and as fine as `ticks_per_ms` says in
real time (the twin has ms only). Options are in ms all the same. Everything that happens to a
datagram is decided when it is sent, by `Link.send`, in this order; a step whose parameter is 0 or
missing is left out and draws nothing:

1. Bottleneck (`rate_kbps`, `queue`). One kbit/s is one bit per ms, so time is counted in bits:
   the datagram takes 8 * (its bytes + `overhead`) bits and starts when the line is free, at the
   earliest now * rate. If `queue` datagrams are waiting already (their start lies after now *
   rate; the one being transmitted does not count) it is dropped (queue_drops), and draws nothing.
   It leaves at the first whole tick at which its last bit is out: ceil(end / rate). Without a
   rate it leaves now. `rates`, a list of [from_ms, kbit/s], changes the rate for the datagrams
   that come later; what waits already keeps its place and its times (the twin has no `rates`).
2. Blackhole (`blackhole`: list of [from_ms, to_ms)). By the time of sending: dropped (blackholed).
3. Loss (`loss_pct`, `loss_burst`). d = below(100); it is lost if d < loss_pct, unless loss_burst >
   0 and that many in a row have been lost: then this one passes and the count begins anew. That is
   quic-interop's drop model. The queue and the blackhole neither count nor reset.
4. Gilbert-Elliott (`ge`: [p, r, loss_bad, loss_good] in 1/10000, as netem's gemodel p r 1-h 1-k).
   d = below(10000); from good to bad if d < p, from bad to good if d < r; then d = below(10000):
   lost if d < the loss of the state it is in now.
5. Corruption (`corrupt_pct`, `corrupt_burst`): as 3 with below(100); a corrupted datagram then
   draws its place below(n_bytes) and 1 + below(255), which is XORed into that byte.
6. Delay (`delay_ms`, `jitter_ms`): arrives at leaving + delay_ms + (below(jitter_ms + 1) if
   jitter_ms).
7. Reordering (`reorder_pct`): below(100) < reorder_pct: it overtakes; the whole of step 6's delay
   is left out (as netem does), though the draw for the jitter has been made.
8. Duplication (`dup_pct`): below(100) < dup_pct: a second copy, with a delay of its own by step 6.
9. Replay (`replay_pct`, `replay_ms`): below(100) < replay_pct: a further copy arrives 1 +
   below(replay_ms) ms after leaving.

Copies are handed to the network in the order original, duplicate, replay. Arrivals at the same ms
are in the order in which they were handed over, over both directions of the path (net.py).

Receiver (`rx_queue`, `rx_poll_ms`): it looks at its socket at multiples of rx_poll_ms (default 1)
only, so an arrival is seen at the next of them; of the datagrams seen at one look the first
rx_queue are kept and the others dropped (rx_drops), as lwIP does with its 4.
"""

from .rng import Rng

COUNTERS = (
    "sent",
    "queue_drops",
    "blackholed",
    "lost",
    "corrupted",
    "duplicated",
    "replayed",
    "rx_drops",
    "delivered",
)
_DEFAULTS = {
    "delay_ms": 0,
    "jitter_ms": 0,
    "loss_pct": 0,
    "loss_burst": 0,
    "ge": None,
    "reorder_pct": 0,
    "dup_pct": 0,
    "replay_pct": 0,
    "replay_ms": 0,
    "corrupt_pct": 0,
    "corrupt_burst": 0,
    "rate_kbps": 0,
    "rates": (),
    "queue": 0,
    "overhead": 0,
    "blackhole": (),
    "rx_queue": 0,
    "rx_poll_ms": 1,
}
OPTIONS = tuple(sorted(_DEFAULTS))


class _Bursts:
    """quic-interop's drop model: a percentage, but never more than `limit` in a row (0 = any)."""

    def __init__(self, rng, pct, limit):
        self.rng = rng
        self.pct = pct
        self.limit = limit
        self.n_in_row = 0

    def hit(self):
        if self.rng.below(100) < self.pct and (not self.limit or self.n_in_row < self.limit):
            self.n_in_row += 1
            return True
        self.n_in_row = 0
        return False


class Link:
    """One direction: `send(now, datagram)` returns what arrives, and when, in ticks.

    `options`: a dict of the parameters in this file's opening comment; an unknown one is a
    ValueError.
    `stream` tells the directions of a path apart (0, 1), which share a seed.
    """

    def __init__(self, options, seed, stream, ticks_per_ms=1):
        for name in options:
            if name not in _DEFAULTS:
                raise ValueError("no link parameter " + name + "; there are " + ", ".join(OPTIONS))
        for name, value in _DEFAULTS.items():
            setattr(self, name, options.get(name, value))
        self.ticks_per_ms = ticks_per_ms
        self.wait_ticks = 0  # how long the datagram that was sent last waits for the line
        self._delay_ticks = self.delay_ms * ticks_per_ms
        self._jitter_ticks = self.jitter_ms * ticks_per_ms
        self._replay_ticks = self.replay_ms * ticks_per_ms
        self._poll_ticks = self.rx_poll_ms * ticks_per_ms if self.rx_poll_ms > 1 else 1
        self._holes = [(a * ticks_per_ms, b * ticks_per_ms) for a, b in self.blackhole]
        self._rates = [(ms * ticks_per_ms, kbps) for ms, kbps in self.rates]
        self.rng = Rng(seed, stream)
        self.counters = {}
        for name in COUNTERS:
            self.counters[name] = 0
        self._losses = _Bursts(self.rng, self.loss_pct, self.loss_burst)
        self._corruptions = _Bursts(self.rng, self.corrupt_pct, self.corrupt_burst)
        self._bad = False  # state of Gilbert-Elliott
        self._free_bits = 0  # when the line is free again
        # when the waiting datagrams begin; those that have begun go at the next send
        self._starts_bits = []
        self._look = -1
        self._n_seen = 0  # datagrams kept at the look of that time

    def send(self, now, data):
        """Return a list of (arrival, datagram), in the order in which they are handed over."""
        counters = self.counters
        counters["sent"] += 1
        leave = self._transmit(now, len(data))
        if leave < 0:
            counters["queue_drops"] += 1
            return ()
        for from_ticks, to_ticks in self._holes:
            if from_ticks <= now < to_ticks:
                counters["blackholed"] += 1
                return ()
        if (self.loss_pct and self._losses.hit()) or (self.ge and self._gilbert_elliott()):
            counters["lost"] += 1
            return ()
        if self.corrupt_pct and self._corruptions.hit():
            counters["corrupted"] += 1
            data = self._corrupt(data)
        return self._copies(leave, data)

    def _change_rate(self, kbps):
        """Count in bits of another rate from now on: what is held as bits keeps its times."""
        old = self.rate_kbps
        self.rate_kbps = kbps
        if old:
            self._free_bits = (self._free_bits * kbps + old - 1) // old
            self._starts_bits = [bits * kbps // old for bits in self._starts_bits]

    def _transmit(self, now, n_bytes):
        """When the last bit has left; -1 = the queue is full."""
        while self._rates and self._rates[0][0] <= now:
            self._change_rate(self._rates.pop(0)[1])
        rate = self.rate_kbps
        self.wait_ticks = 0
        if not rate:
            return now
        now_bits = now * rate
        waiting = self._starts_bits
        while waiting and waiting[0] <= now_bits:
            waiting.pop(0)
        if self.queue and len(waiting) >= self.queue:
            return -1
        start = self._free_bits
        if start <= now_bits:
            start = now_bits
        else:
            waiting.append(start)
            self.wait_ticks = (start - now_bits) // rate
        end = start + 8 * (n_bytes + self.overhead) * self.ticks_per_ms
        self._free_bits = end
        return (end + rate - 1) // rate

    def _gilbert_elliott(self):
        p, r, loss_bad, loss_good = self.ge
        draw = self.rng.below(10000)
        self._bad = draw >= r if self._bad else draw < p
        return self.rng.below(10000) < (loss_bad if self._bad else loss_good)

    def _corrupt(self, data):
        data = bytearray(data)
        place = self.rng.below(len(data))
        data[place] ^= 1 + self.rng.below(255)
        return bytes(data)

    def _delay(self):
        if self._jitter_ticks:
            return self._delay_ticks + self.rng.below(self._jitter_ticks + 1)
        return self._delay_ticks

    def _copies(self, leave, data):
        counters = self.counters
        rng = self.rng
        delay = self._delay()
        if self.reorder_pct and rng.below(100) < self.reorder_pct:
            delay = 0
        copies = [(leave + delay, data)]
        if self.dup_pct and rng.below(100) < self.dup_pct:
            counters["duplicated"] += 1
            copies.append((leave + self._delay(), data))
        if self.replay_pct and rng.below(100) < self.replay_pct:
            counters["replayed"] += 1
            copies.append((leave + 1 + rng.below(self._replay_ticks), data))
        poll = self._poll_ticks
        if poll > 1:
            copies = [((at + poll - 1) // poll * poll, data) for at, _ in copies]
        return copies

    def receive(self, now):
        """A datagram has arrived: True if the receiver's socket has room for it."""
        if self.rx_queue:
            if now != self._look:
                self._look = now
                self._n_seen = 0
            if self._n_seen >= self.rx_queue:
                self.counters["rx_drops"] += 1
                return False
            self._n_seen += 1
        self.counters["delivered"] += 1
        return True
