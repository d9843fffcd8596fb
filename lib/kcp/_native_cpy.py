"""Byte kernels for CPython over the C module `_kcp`, where that is better than `_pure_cpy`."""

import _kcp

#: gf_add(sums, tables, buf, off, n): as `_pure_cpy.gf_add`; of a table it looks at [1], the factor
gf_add = _kcp.gf_add


class Accumulator:
    """A sum of multiples of shards: a parity shard, or a repaired one, in the making."""

    __slots__ = ("value",)

    def __init__(self, size):
        self.value = bytearray(size)

    def grow(self, size):
        """Have room for `size` bytes, and keep what is summed up."""
        self.value += bytes(max(0, size - len(self.value)))

    def clear(self):
        """Begin anew."""
        _kcp.zero(self.value)

    def take(self, buf, off, n):
        """Write the first n bytes of the sum to buf[off:]."""
        _kcp.copy(self.value, 0, buf, off, n)
