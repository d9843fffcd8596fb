"""One direction of the modelled link in real time.

The simulator's Link decides everything about a packet when it is sent, among it when it arrives,
and reckons with the times at which the line *would* have been free. So a relay that is held up by
a loaded machine hands packets over late, but neither loses capacity nor lengthens the queue; how
late it was is counted (`late`), for whoever judges the figures.
"""

from kcp_sim.link import Link

TICKS_PER_MS = 1000  # so a tick is a microsecond
SLOT_US = 100_000  # what arrives is counted in slots of so long
_N_SLOTS = 36_000  # an hour; what comes later counts for the last slot
_MAX_FLOWS = 64  # further ones share an account
_OTHERS = ("others", 0)


class Spread:
    """Durations, in steps of 0.1 ms up to 10 s: bounded, however many come."""

    STEP_US = 100
    N_STEPS = 100_000

    def __init__(self):
        self.n = 0
        self.sum_us = 0
        self.max_us = 0
        self._counts = {}

    def add(self, us):
        """Count one."""
        self.n += 1
        self.sum_us += us
        self.max_us = max(self.max_us, us)
        step = min(us // self.STEP_US, self.N_STEPS)
        self._counts[step] = self._counts.get(step, 0) + 1

    def part_ms(self, part):
        """What a part of them (0.5: half) does not exceed, in ms, to the next step."""
        left = self.n * part
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return min((step + 1) * self.STEP_US, self.max_us) / 1000
        return 0.0

    def as_dict(self):
        """Mean, median, 99 % and greatest, in ms."""
        return {
            "mean_ms": round(self.sum_us / max(1, self.n) / 1000, 3),
            "p50_ms": self.part_ms(0.5),
            "p99_ms": self.part_ms(0.99),
            "max_ms": self.max_us / 1000,
        }


class Flow:
    """The packets of one conversation in one direction."""

    def __init__(self):
        self.sent = self.sent_bytes = self.queue_drops = self.lost = 0
        self.arrived_bytes = 0
        self.waits = Spread()  # for the line to be free
        self._slots = []  # bytes that arrived in each SLOT_US

    def arrived(self, n_bytes, now_us):
        """One has arrived at the other end."""
        self.arrived_bytes += n_bytes
        slot = min(now_us // SLOT_US, _N_SLOTS - 1)
        if slot >= len(self._slots):
            self._slots += [0] * (slot + 1 - len(self._slots))
        self._slots[slot] += n_bytes

    def bytes_between(self, from_ms, to_ms):
        """What arrived in that time, to the slot."""
        step_ms = SLOT_US // 1000
        return sum(self._slots[from_ms // step_ms : to_ms // step_ms])

    def as_dict(self):
        return {
            "sent": self.sent,
            "sent_bytes": self.sent_bytes,
            "arrived_bytes": self.arrived_bytes,
            "queue_drops": self.queue_drops,
            "lost": self.lost,
            "queueing": self.waits.as_dict(),
        }


class Lane:
    """A Link in real time. options: as kcp_sim.link has them; times in microseconds.

    A flow is named by (protocol, port of the far end).
    """

    def __init__(self, options, seed, stream):
        self.link = Link(options, seed, stream, TICKS_PER_MS)
        self.flows = {}
        self.late = Spread()  # how much after its time a packet was handed over

    def flow(self, key):
        """The account of a flow; all beyond the limit share one."""
        found = self.flows.get(key)
        if found is None:
            if len(self.flows) >= _MAX_FLOWS:
                key = _OTHERS
            found = self.flows.setdefault(key, Flow())
        return found

    def send(self, now_us, packet, flow):
        """Decide about one packet: pairs (arrival, packet)."""
        counters = self.link.counters
        n_dropped = counters["queue_drops"]
        flow.sent += 1
        flow.sent_bytes += len(packet)
        copies = self.link.send(now_us, packet)
        if counters["queue_drops"] != n_dropped:
            flow.queue_drops += 1
            return copies
        flow.waits.add(self.link.wait_ticks)
        flow.lost += not copies
        return copies

    def hand_over(self, now_us, due_us, packet, flow):
        """It is time for a packet that was to arrive at due_us: True if the receiver takes it."""
        self.late.add(max(0, now_us - due_us))
        if not self.link.receive(due_us):
            return False
        flow.arrived(len(packet), now_us)
        return True

    def as_dict(self):
        """Everything counted, fit for JSON."""
        flows = {f"{name}:{port}": flow.as_dict() for (name, port), flow in self.flows.items()}
        return {"link": dict(self.link.counters), "flows": flows, "late": self.late.as_dict()}
