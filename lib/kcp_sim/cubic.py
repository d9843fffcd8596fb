"""A TCP connection with CUBIC congestion control (RFC 9438), as a flow beside ours on a simulated
path.

What it is: bulk data in one direction, segments of MSS bytes in IP packets of 1500, initial window
10 (RFC 6928); slow start that ends by HyStart's delay test (as Linux has it by default) or a loss;
CUBIC with C = 0.4, beta = 0.7, the Reno-friendly region and fast convergence; timeouts by RFC 6298
(200 ms at least, as Linux has it). What is lost is found as Linux finds it, from selective
acknowledgements: a segment is lost if one that was sent 3 or more transmissions later has arrived
(the path of this simulation does not reorder); in recovery the window is what may be under way.
The receiver acknowledges every second segment, after 40 ms at the latest, and at once if something
is missing. Not there: handshake, pacing, ECN, the end of the connection, a limited receive window.

A flow has two ends: `Sender` at side 0 and `Receiver` at side 1. Each has input(data, now_ms),
timer(now_ms), settle(now_ms) and next_ms(now_ms) as the peers of `pair`.
"""

import struct

MSS = 1448
IP_BYTES = 1500
ACK_BYTES = 52
_C = 0.4
_BETA = 0.7
_FIRST_CWND = 10
_DUP_THRESH = 3
_MIN_RTO_MS = 200
_MAX_RTO_MS = 60000
_FIRST_RTO_MS = 1000
_DELACK_MS = 40
_HYSTART_SAMPLES = 8
_HYSTART_LOW = 16  # segments below which slow start goes on
_NEVER = -1


class Cubic:
    """The window alone: cwnd in segments, times in ms. RFC 9438, sections 4 and 5."""

    def __init__(self):
        self.cwnd = float(_FIRST_CWND)
        self.ssthresh = float("inf")
        self.w_max = 0.0
        self._epoch_ms = _NEVER
        self._k_s = 0.0
        self._w_est = 0.0
        self._cwnd_epoch = 0.0

    def on_ack(self, n_segs, now_ms, srtt_ms):
        """So many segments were newly acknowledged outside of recovery."""
        if self.cwnd < self.ssthresh:
            self.cwnd = min(self.cwnd + n_segs, self.ssthresh + n_segs)
            return
        if self._epoch_ms < 0:
            self._begin_epoch(now_ms)
        t_s = (now_ms - self._epoch_ms) / 1000
        alpha = 3 * (1 - _BETA) / (1 + _BETA) if self._w_est < self.w_max else 1.0
        self._w_est += alpha * n_segs / self.cwnd
        if self.at(t_s) < self._w_est:
            self.cwnd = max(self.cwnd, self._w_est)
            return
        target = min(max(self.at(t_s + srtt_ms / 1000), self.cwnd), 1.5 * self.cwnd)
        self.cwnd += (target - self.cwnd) / self.cwnd * n_segs

    def _begin_epoch(self, now_ms):
        self._epoch_ms = now_ms
        self._cwnd_epoch = self._w_est = self.cwnd
        if self.cwnd < self.w_max:
            self._k_s = ((self.w_max - self.cwnd) / _C) ** (1 / 3)
        else:
            self.w_max = self.cwnd
            self._k_s = 0.0

    def at(self, t_s):
        """W_cubic(t) in segments, t seconds after the epoch began."""
        return _C * (t_s - self._k_s) ** 3 + self.w_max

    def on_loss(self):
        """A congestion event."""
        if self.cwnd < self.w_max:  # fast convergence
            self.w_max = self.cwnd * (1 + _BETA) / 2
        else:
            self.w_max = self.cwnd
        self.ssthresh = max(self.cwnd * _BETA, 2.0)
        self.cwnd = self.ssthresh
        self._epoch_ms = _NEVER

    def on_timeout(self):
        self.on_loss()
        self.cwnd = 1.0


class _HyStart:
    """Ends slow start when the round trip grows (the delay test of HyStart)."""

    def __init__(self):
        self.base_ms = float("inf")
        self._end = 0
        self._n = 0
        self._least_ms = float("inf")

    def found(self, seq, next_seq, rtt_ms, cwnd):
        """A sample came with the acknowledgement of `seq`: is the queue growing?"""
        self.base_ms = min(self.base_ms, rtt_ms)
        if seq >= self._end:  # a round begins
            self._end = next_seq
            self._n = 0
            self._least_ms = float("inf")
        self._n += 1
        if self._n <= _HYSTART_SAMPLES:
            self._least_ms = min(self._least_ms, rtt_ms)
        margin_ms = min(max(self.base_ms / 8, 4), 16)
        return (
            self._n == _HYSTART_SAMPLES
            and cwnd >= _HYSTART_LOW
            and self._least_ms >= self.base_ms + margin_ms
        )


class Sender:
    """Sends for ever, from start_ms on. `n_acked` counts segments that have arrived for good."""

    def __init__(self, net, side, start_ms=0):
        self.net = net
        self.side = side
        self.start_ms = start_ms
        self.window = Cubic()
        self.hystart = _HyStart()
        self.n_acked = 0
        self.n_timeouts = 0
        self._next = 0  # first segment that was never sent
        self._una = 0
        self._sent = {}  # segment under way -> [transmission number, when]
        self._lost = []  # to be sent again, ascending
        self._n_sent = 0
        self._newest = -1  # highest transmission that has arrived
        self._recovery_end = -1
        self._srtt_ms = self._rttvar_ms = 0.0
        self._rto_ms = float(_FIRST_RTO_MS)
        self._timer_ms = _NEVER

    def input(self, data, now_ms):
        una, sn, echo_ms = struct.unpack("<III", data[:12])
        arrived = [seq for seq in self._sent if seq < una]
        if sn in self._sent and sn >= una:
            arrived.append(sn)
        for seq in arrived:
            self._newest = max(self._newest, self._sent.pop(seq)[0])
        if self._lost:
            self._lost = [seq for seq in self._lost if seq >= una]
        self._una = max(self._una, una)
        if not arrived:
            return
        self.n_acked += len(arrived)
        self._sample(now_ms - echo_ms, una, now_ms)
        self._find_lost()
        if self._una > self._recovery_end:
            self.window.on_ack(len(arrived), now_ms, self._srtt_ms)
        self._timer_ms = now_ms + self._rto_ms if self._sent or self._lost else _NEVER

    def _sample(self, rtt_ms, seq, now_ms):
        if not self._srtt_ms:
            self._srtt_ms, self._rttvar_ms = float(rtt_ms), rtt_ms / 2
        else:
            self._rttvar_ms += (abs(self._srtt_ms - rtt_ms) - self._rttvar_ms) / 4
            self._srtt_ms += (rtt_ms - self._srtt_ms) / 8
        self._rto_ms = min(
            max(self._srtt_ms + max(4 * self._rttvar_ms, 1), _MIN_RTO_MS), _MAX_RTO_MS
        )
        window = self.window
        if window.cwnd < window.ssthresh and self.hystart.found(
            seq, self._next, rtt_ms, window.cwnd
        ):
            window.ssthresh = window.cwnd

    def _find_lost(self):
        limit = self._newest - _DUP_THRESH
        found = [seq for seq, (number, _) in self._sent.items() if number <= limit]
        if not found:
            return
        for seq in found:
            del self._sent[seq]
        self._lost = sorted(self._lost + found)
        if self._una > self._recovery_end:
            self.window.on_loss()
            self._recovery_end = self._next - 1

    def timer(self, now_ms):
        if 0 <= self._timer_ms <= now_ms:
            self.n_timeouts += 1
            self.window.on_timeout()
            self._lost = sorted(self._lost + list(self._sent))
            self._sent = {}
            self._recovery_end = self._una - 1  # slow start goes on at once
            self._rto_ms = min(2 * self._rto_ms, _MAX_RTO_MS)
            self._timer_ms = now_ms + self._rto_ms
        self.settle(now_ms)

    def settle(self, now_ms):
        """Send what the window allows."""
        if now_ms < self.start_ms:
            return
        while len(self._sent) < int(self.window.cwnd):
            if self._lost:
                seq = self._lost.pop(0)
            else:
                seq = self._next
                self._next += 1
            self._sent[seq] = [self._n_sent, now_ms]
            self._n_sent += 1
            head = struct.pack("<II", seq, now_ms)
            self.net.send(self.side, head + bytes(IP_BYTES - self.net.overhead - len(head)))
            if self._timer_ms < 0:
                self._timer_ms = now_ms + self._rto_ms

    tick = settle

    def next_ms(self, now_ms):
        if now_ms < self.start_ms:
            return self.start_ms
        return -1 if self._timer_ms < 0 else max(int(self._timer_ms + 0.999), now_ms + 1)


class Receiver:
    """`n_segs`: how many segments have arrived in order."""

    def __init__(self, net, side):
        self.net = net
        self.side = side
        self.n_segs = 0
        self._early = set()  # arrived, but not in order
        self._waiting = None  # (segment, its time): what the delayed acknowledgement will tell
        self._due_ms = _NEVER

    def input(self, data, now_ms):
        seq, sent_ms = struct.unpack("<II", data[:8])
        in_order = seq == self.n_segs
        if seq >= self.n_segs:
            self._early.add(seq)
        while self.n_segs in self._early:
            self._early.remove(self.n_segs)
            self.n_segs += 1
        if self._waiting is None and in_order and not self._early:
            self._waiting = seq, sent_ms
            self._due_ms = now_ms + _DELACK_MS
        else:
            self._acknowledge(seq, sent_ms)

    def _acknowledge(self, seq, sent_ms):
        head = struct.pack("<III", self.n_segs, seq, sent_ms)
        self.net.send(self.side, head + bytes(max(0, ACK_BYTES - self.net.overhead - len(head))))
        self._waiting, self._due_ms = None, _NEVER

    def timer(self, now_ms):
        if 0 <= self._due_ms <= now_ms:
            self._acknowledge(*self._waiting)

    def settle(self, now_ms):
        """(Every input has been answered by itself, or waits.)"""

    tick = settle

    def next_ms(self, now_ms):
        return self._due_ms
