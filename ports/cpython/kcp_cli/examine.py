"""What `kcp doctor` measures at a peer that answers, one question after the other."""

import time

from .probes import BURST, BURST_SEGS, LARGEST_BYTES, listen

_N_SINGLE = 30
_SINGLE_GAP_S = 0.02
_N_BURSTS = 10
_BURST_GAP_S = 0.03
_FEW = 0.3  # of the bursts; that many may be cut in two on a busy machine
_RATIO_S = 5  # for the peer's FEC, where the packets so far do not tell its ratio
_GRACE_S = 0.15  # the longest tick of most peers is 100 ms
_LATE_S = 1  # an answer that takes so much longer counts as lost
_COPIES = 4
_COPY_GAP_S = 0.01


class Examination:
    """The measurements, each of which leaves its results in attributes.

    n_sent, n_answered: single probes; trips_ms: round trips, in order; late_ms: by how much
    answers that wait for a tick were later than that, at most; largest_bytes: the largest
    datagram that gets there (None: not even the smallest did); bursts_lost: whether the long
    answers to bursts do not come back while short ones do.
    """

    def __init__(self, wire):
        self.wire = wire
        self.trips_ms = []
        self.late_ms = 0
        self.n_sent = self.n_answered = 0
        self.largest_bytes = None
        self.bursts_lost = False
        self._number = 0
        self._slowest_s = _GRACE_S

    def run(self):
        """Ask everything."""
        self._singles()
        self._measure_trips()
        if self.wire.n_fec:
            self._find_ratio()
        self.largest_bytes = self._find_largest()

    @property
    def loss_pct(self):
        """How many single probes were not answered: lost on the way there or back."""
        return round(100 * (self.n_sent - self.n_answered) / self.n_sent)

    @property
    def jitter_ms(self):
        """The mean difference of neighbouring round trips."""
        pairs = list(zip(self.trips_ms, self.trips_ms[1:]))
        return sum(abs(b - a) for a, b in pairs) / len(pairs) if pairs else 0

    def _next(self):
        self._number += 1
        return self._number

    def _listen(self, seconds, done=lambda: False):
        listen(self.wire.sock, [self.wire], time.monotonic() + seconds, done)

    def _singles(self):
        """One small datagram after the other: what is lost, and how late answers may be."""
        sent_s = {}
        for _ in range(_N_SINGLE):
            number = self._next()
            sent_s[number] = time.monotonic()
            self.wire.probe(number)
            self._listen(_SINGLE_GAP_S)
        echoes = self.wire.echoes

        def settled():
            return sent_s.keys() <= echoes.keys()

        self._listen(_LATE_S if echoes else 3 * _LATE_S, settled)
        waits_s = [echoes[number] - at for number, at in sent_s.items() if number in echoes]
        if waits_s:
            self._slowest_s = max(waits_s)
        self.n_sent, self.n_answered = len(sent_s), len(waits_s)
        self._singles_ms = [1000 * wait_s for wait_s in waits_s]

    def _measure_trips(self):
        """So many acknowledgements at once that they are sent at once: the round trip itself."""
        bursts = [self._burst() for _ in range(_N_BURSTS)]
        echoes = self.wire.echoes
        self.trips_ms = [trip_ms for _, trip_ms in bursts if trip_ms is not None]
        # Of a burst's answers the first is as long as the peer's datagrams get, unless the peer's
        # tick falls into the burst.
        part = sum(first in echoes for first, _ in bursts) / len(bursts)
        self.bursts_lost = part < _FEW * self.n_answered / self.n_sent
        if self._singles_ms and not self.trips_ms:
            self.trips_ms = [min(self._singles_ms)]
        if self._singles_ms:
            self.late_ms = max(0, max(self._singles_ms) - min(self.trips_ms))

    def _burst(self):
        """(number of the first datagram, ms until the last one was answered, or None)."""
        numbers = [self._next() for _ in range(BURST)]
        for number in numbers:
            sent_s = time.monotonic()
            self.wire.probe(number, BURST_SEGS)
        echoes = self.wire.echoes
        self._listen(self._slowest_s + _GRACE_S, lambda: number in echoes)
        trip_ms = 1000 * (echoes[number] - sent_s) if number in echoes else None
        self._listen(_BURST_GAP_S)
        return numbers[0], trip_ms

    def _find_ratio(self):
        """Have the peer send FEC packets until they tell."""
        end_s = time.monotonic() + _RATIO_S
        while self.wire.ratio is None and time.monotonic() < end_s:
            self._burst()

    def _find_largest(self):
        low, high = self.wire.least_bytes, LARGEST_BYTES
        if self._passes(high):
            return high
        if not self._passes(low):
            return None
        while high - low > 1:  # low passes, high does not
            middle = (low + high) // 2
            if self._passes(middle):
                low = middle
            else:
                high = middle
        return low

    def _passes(self, size):
        """Does a datagram of so many bytes get there? Asked several times, more often on a link
        that loses."""
        numbers = []
        echoes = self.wire.echoes

        def is_back():
            return any(number in echoes for number in numbers)

        for _ in range(_COPIES + self.loss_pct // 5):
            numbers.append(self._next())
            if not self.wire.probe(numbers[-1], size=size):
                return False
            self._listen(_COPY_GAP_S, is_back)
            if is_back():
                return True
        self._listen(self._slowest_s + 2 * _GRACE_S, is_back)
        return is_back()
