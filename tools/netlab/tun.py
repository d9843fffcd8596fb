"""The relay between two TUN devices: what a kernel sends into one goes over a lane and comes out
of the other."""

import heapq
import itertools
import os
import select
import threading
import time

from . import packet as packets

_BATCH = 16  # packets taken from one device before the other, and the clock, have a turn
_MAX_UNDER_WAY = 65536
_BUFFER_BYTES = 2048


class TunRelay:
    """Carries IPv4 from the near to the far device and back, in a thread.

    tuns, lanes: of the near and the far end: lane 0 leads to the far end. events: (ms, function)
    pairs, in order, called at that time after start().
    """

    def __init__(self, tuns, lanes, nat, events=()):
        self.lanes = lanes
        self.nat = nat
        self.counters = {"not_ipv4": 0, "overfull": 0, "write_errors": 0}
        self._tuns = tuns
        self._events = list(events)
        self._under_way = []  # heap of (due us, serial, direction, packet, flow)
        self._serial = itertools.count()
        self._stopping = False
        self._wake_in, self._wake_out = os.pipe()
        self._thread = threading.Thread(target=self._run, name="tun relay", daemon=True)
        self._begin_ns = 0
        self.is_prompt = False  # the system lets it run before everything else

    def start(self):
        """Begin; the link's times count from now on."""
        self._begin_ns = time.monotonic_ns()
        self._thread.start()

    def stop(self):
        """End the thread. What is under way is dropped."""
        self._stopping = True
        os.write(self._wake_out, b"x")
        if self._thread.ident:
            self._thread.join()
        os.close(self._wake_in)
        os.close(self._wake_out)

    def now_us(self):
        """Microseconds since start()."""
        return (time.monotonic_ns() - self._begin_ns) // 1000

    def _run(self):
        self.is_prompt = go_first()
        sources = [*self._tuns, self._wake_in]
        while not self._stopping:
            ready, _, _ = select.select(sources, (), (), self._wait_s())
            self._happen()
            for direction, tun in enumerate(self._tuns):
                if tun in ready:
                    self._take(direction, tun)
            self._deliver()

    def _wait_s(self):
        due = [self._under_way[0][0]] if self._under_way else []
        if self._events:
            due.append(self._events[0][0] * 1000)
        return max(0, min(due) - self.now_us()) / 1e6 if due else None

    def _happen(self):
        while self._events and self._events[0][0] * 1000 <= self.now_us():
            self._events.pop(0)[1]()

    def _take(self, direction, tun):
        """Send what a device has over its lane."""
        lane = self.lanes[direction]
        for _ in range(_BATCH):
            try:
                packet = os.read(tun, _BUFFER_BYTES)
            except BlockingIOError:
                return
            if len(packet) < 20 or packet[0] >> 4 != 4:
                self.counters["not_ipv4"] += 1
                continue
            flow = lane.flow(packets.flow_of(packet, direction == 0))
            if direction == 0:
                packet = self.nat.outward(packet)
            for due_us, copy in lane.send(self.now_us(), packet, flow):
                if copy is not packet:
                    copy = packets.let_through(copy, packet)
                self._put(due_us, direction, copy, flow)

    def _put(self, due_us, direction, packet, flow):
        if len(self._under_way) >= _MAX_UNDER_WAY:
            self.counters["overfull"] += 1
            return
        heapq.heappush(self._under_way, (due_us, next(self._serial), direction, packet, flow))

    def _deliver(self):
        heap = self._under_way
        while heap and heap[0][0] <= self.now_us():
            due_us, _, direction, packet, flow = heapq.heappop(heap)
            if direction:
                packet = self.nat.inward(packet)
            if packet is None:
                continue
            if not self.lanes[direction].hand_over(self.now_us(), due_us, packet, flow):
                continue
            try:
                os.write(self._tuns[1 - direction], packet)
            except OSError:  # the device refuses it: damaged beyond what IPv4 may look like
                self.counters["write_errors"] += 1


def go_first():
    """Ask for this thread to run whenever it has something to do; False: the system refuses.

    It works a few per cent of the time, and without this it would wait behind the programs that
    it serves when they keep all processors busy.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except (OSError, AttributeError):
        return False
    return True
