"""Finds a sender's (data, parity) from the order of its packets (specs: kcp-go.md section 3).

The last 258 packets' (is data, seqid) are kept. Sorted by seqid, the first complete run of data
packets tells `data`, the first complete run of parity packets `parity`; complete means that the
packets at both its edges are there. Any gap or duplicate before a run is complete ends the search
without a result, so on a lossy link it takes until 258 samples begin with an unbroken stretch, and
find() is called for hundreds of packets. So from its first call on the samples are kept sorted,
which costs one insertion per packet; when it has found something that ends. A packet that nobody
searches for costs O(1).
"""

from array import array

from ._compat import const

SAMPLES = const(258)  # 256 shards and an edge on either side
_HALF = 0x80000000
_SEQS = 0x100000000
_FAR = const(0x8000000)  # keys within it are small ints on every machine


class Tuner:
    """A ring of samples; find() looks at it. Holds 5 bytes per sample, 9 to 13 in a search."""

    def __init__(self):
        self._seqids = array("I", bytes(4 * SAMPLES))
        self._kinds = bytearray(SAMPLES)
        self._next = self._count = 0
        self._base = 0  # seqid that the keys are relative to
        self._order = None  # keys of the samples in the order of their seqids, in a search

    def sample(self, is_data, seqid):
        """Note a packet."""
        i = self._next
        kind = 1 if is_data else 0
        if self._order is not None:
            self._renew(i, seqid, kind)
        self._seqids[i] = seqid
        self._kinds[i] = kind
        self._next = i + 1 if i + 1 < SAMPLES else 0
        if self._count < SAMPLES:
            self._count += 1

    def find(self):
        """Return (data, parity), or None if the samples do not tell."""
        if self._count < 3:
            return None
        samples = self.in_order()
        data = run_length(samples, 1)
        if data:
            parity = run_length(samples, 0)
            if parity and data + parity < 256:
                self._order = None
                return data, parity
        return None

    def n_until_fit(self, data, n, paws):
        """Return how many more packets it takes until none of the samples misfits this ratio:
        `data` of `n`, seqids below `paws`. 0: all fit."""
        i = self._next
        for age in range(self._count):
            i = i - 1 if i else SAMPLES - 1
            seqid = self._seqids[i]
            if seqid < paws and (1 if seqid % n < data else 0) != self._kinds[i]:
                return SAMPLES - age
        return 0

    def alternates(self, paws):
        """Do data and parity take turns, as far as the samples tell? For 1 + 1, whose first parity
        may have been left out, so that find() sees a gap: no other ratio has two parity packets
        that are two apart, and none at an even place."""
        if self.n_until_fit(1, 2, paws):
            return False
        last = -5
        for key in self.in_order():
            if not key & 1:
                if key - last == 4:
                    return True
                last = key
        return False

    def in_order(self):
        """Return the keys of the samples, 2 * (seqid - that of one of them) + kind, sorted."""
        if self._order is None:
            self._base = self._seqids[0]
            order = self._order = []
            for i in range(self._count):  # a comprehension would make a closure at every call
                order.append(self._key(self._seqids[i], self._kinds[i]))
            order.sort()
        return self._order

    def _key(self, seqid, kind):
        d = seqid - self._base
        if d >= _HALF:
            d -= _SEQS
        elif d < -_HALF:
            d += _SEQS
        return 2 * d + kind

    def _renew(self, i, seqid, kind):
        """Put a sample into the order, in the place of the ring's sample i if it is full."""
        order = self._order
        key = self._key(seqid, kind)
        if not -_FAR < key < _FAR:
            self._order = None  # to be made again, with another base
            return
        if self._count == SAMPLES:
            order.pop(_place(order, self._key(self._seqids[i], self._kinds[i])))
        if not order or key >= order[-1]:
            order.append(key)
        else:
            order.insert(_place(order, key), key)


def _place(order, key):
    """Return the first place in the sorted list whose key is not smaller."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) >> 1
        if order[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


def run_length(samples, kind):
    """Return the length of the first complete run of `kind`; 0 = none before the first gap."""
    start = -1
    last = samples[0]
    for i in range(1, len(samples)):
        one = samples[i]
        if (one >> 1) - (last >> 1) != 1:
            return 0
        if start < 0:
            if last & 1 != kind and one & 1 == kind:
                start = i
        elif one & 1 != kind:
            return i - start
        last = one
    return 0
