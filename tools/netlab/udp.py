"""The relay for who may not have namespaces: datagrams over loopback, through the same model.

It is tools/relay.py with lanes of another kind, so programs have to be told its port; and only
UDP goes through.
"""

import heapq
import socket
import time

from relay import Relay

IP_UDP_BYTES = 28  # so that the line is as busy as with real packets


class _ModelLane:
    """A netlab Lane in the place of relay.py's."""

    def __init__(self, lane, flow):
        self.lane = lane
        self.flow = lane.flow(flow)
        names = ("received", "received_bytes", "queue_full", "send_errors", "delivered")
        self.counters = dict.fromkeys(names, 0)


class UdpRelay(Relay):
    """A relay from a port of 127.0.0.1 to `target`. lanes: as TunRelay has them."""

    is_prompt = False

    def __init__(self, target, lanes):
        super().__init__(target, queue_limit=65536)
        self.lanes = lanes
        for lane in lanes:
            lane.link.overhead += IP_UDP_BYTES
        flow = ("udp", target[1])
        self.up, self.down = _ModelLane(lanes[0], flow), _ModelLane(lanes[1], flow)
        self.n_rebinds = 0
        self._events = []
        self._begin_s = time.monotonic()

    def set_events(self, events):
        """(ms, function) pairs, in order, to be called at that time after start()."""
        self._events = list(events)

    def start(self):
        self._begin_s = time.monotonic()
        return super().start()

    def now_us(self):
        """Microseconds since start()."""
        return int((time.monotonic() - self._begin_s) * 1e6)

    def rebind(self, kind):
        """Go on from new ports, or from another loopback address, as a NAT that forgets."""
        self.n_rebinds += 1
        for client in list(self._clients):
            self._forget(client)
            address = f"127.0.0.{1 + self.n_rebinds % 100}" if kind == "address" else None
            self._clients[client] = self._open_back(client, address)

    def _open_back(self, client, address):
        family, target = self._target
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        if address:
            sock.bind((address, 0))
        sock.connect(target)
        self._selector.register(sock, 1, client)
        return sock

    def _wait_s(self, end_s):
        wait_s = super()._wait_s(end_s)
        if not self._events:
            return wait_s
        event_s = max(0.0, self._begin_s + self._events[0][0] / 1000 - time.monotonic())
        return event_s if wait_s is None else min(wait_s, event_s)

    def _enqueue(self, model, sock, data, address):
        model.counters["received"] += 1
        model.counters["received_bytes"] += len(data)
        for due_us, copy in model.lane.send(self.now_us(), data, model.flow):
            if len(self._queue) >= self.queue_limit:
                model.counters["queue_full"] += 1
                return
            self._serial += 1
            due_s = self._begin_s + due_us / 1e6
            heapq.heappush(self._queue, (due_s, self._serial, sock, copy, address, model))

    def _deliver(self, now_s):
        while self._events and self._events[0][0] * 1000 <= self.now_us():
            self._events.pop(0)[1]()
        while self._queue and self._queue[0][0] <= now_s:
            due_s, _serial, sock, data, address, model = heapq.heappop(self._queue)
            due_us = int((due_s - self._begin_s) * 1e6)
            if not model.lane.hand_over(self.now_us(), due_us, data, model.flow):
                continue
            try:
                sock.send(data) if address is None else sock.sendto(data, address)
            except OSError:  # full buffer, refused, or under way at a rebind: a loss
                model.counters["send_errors"] += 1
            else:
                model.counters["delivered"] += 1
