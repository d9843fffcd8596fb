"""Finds a sender's (data, parity) from the order of its packets (specs: kcp-go.md section 3).

The last 258 packets' (is data, seqid) are kept. Sorted by seqid, the first complete run of data
packets tells `data`, the first complete run of parity packets `parity`; complete means that the
packets at both its edges are there. Any gap or duplicate before a run is complete ends the search
without a result, so on a lossy link it takes until 258 samples hold an unbroken stretch.
"""

from array import array

from ._compat import const

_SAMPLES = const(258)  # 256 shards and an edge on either side


class Tuner:
    """A ring of samples; find() looks at it. Holds 5 bytes per sample."""

    def __init__(self):
        self._seqids = array("I", bytes(4 * _SAMPLES))
        self._kinds = bytearray(_SAMPLES)
        self._next = self._count = 0

    def sample(self, is_data, seqid):
        """Note a packet."""
        i = self._next
        self._seqids[i] = seqid
        self._kinds[i] = 1 if is_data else 0
        self._next = i + 1 if i + 1 < _SAMPLES else 0
        if self._count < _SAMPLES:
            self._count += 1

    def find(self):
        """Return (data, parity), or None if the samples do not tell. Allocates."""
        if self._count < 3:
            return None
        samples = self._sorted()
        data = _run(samples, 1)
        if data:
            parity = _run(samples, 0)
            if parity and data + parity < 256:
                return data, parity
        return None

    def _sorted(self):
        """The samples as 2 * (seqid - that of one of them) + kind, in the order of seqids."""
        base = self._seqids[0]
        samples = []
        for i in range(self._count):
            d = (self._seqids[i] - base) & 0xFFFFFFFF
            if d >= 0x80000000:
                d -= 0x100000000
            samples.append(2 * d + self._kinds[i])
        samples.sort()
        return samples


def _run(samples, kind):
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
