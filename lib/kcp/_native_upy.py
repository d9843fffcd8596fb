"""Byte kernels for MicroPython over the C module `_kcp`. Same names and effects as `_pure_upy`.

Nothing here allocates, except a number beyond 30 bits on a 32-bit build. C takes offsets, so
neither slices nor a scratch buffer are needed, and copies are as long as what is copied.
"""

import _kcp
from _kcp import gf_add, put_u32, seg_header, u32  # noqa: F401

from ._pool import Pool  # noqa: F401

_copy = _kcp.copy
_parse = _kcp.seg_parse
_fields = [0] * 9

#: tx_out(chunk, n, wnd, ts, sn, una, buf, off): stamp a chunk's header, copy its n bytes out
tx_out = _kcp.tx_out


def seg_parse(buf, off):
    """Return the fields of a segment header, in the same list every time (see `_pure_upy`)."""
    return _parse(buf, off, _fields)


def tx_new(pool, conv, frg, sn, data, off, n):
    """Return a chunk with a PUSH header and data[off:off+n]."""
    chunk = pool.get(pool.size)
    seg_header(chunk, 0, conv, 81, frg, 0, 0, sn, 0, n)
    _copy(data, off, chunk, 24, n)
    return chunk


def tx_extend(pool, chunk, used, data, off, n):
    """Append data[off:off+n] to a chunk whose first `used` bytes are in use.

    Return the chunk, or a larger one with the same bytes: it was made for a smaller mtu."""
    if used + n > len(chunk):
        small = chunk
        chunk = pool.get(pool.size)
        _copy(small, 0, chunk, 0, used)
    _copy(data, off, chunk, used, n)
    used += n - 24
    chunk[20] = used & 0xFF
    chunk[21] = used >> 8
    return chunk


def rx_new(pool, buf, off, n):
    """Return a chunk with the n bytes at buf[off:]."""
    chunk = pool.get(n)
    _copy(buf, off, chunk, 0, n)
    return chunk


def rx_take(chunk, off, dst, dst_off, n):
    """Copy chunk[off:off+n] to dst[dst_off:]; return how many bytes were copied."""
    _copy(chunk, off, dst, dst_off, n)
    return n


def close_gap(buf, off, gap, n):
    """Move the n bytes at buf[off + gap:] down to buf[off:]."""
    _copy(buf, off + gap, buf, off, n)


class Accumulator:
    """A sum of multiples of shards: a parity shard, or a repaired one, in the making."""

    def __init__(self, size):
        self.value = bytearray(size)

    def grow(self, size):
        """Have room for `size` bytes, and keep what is summed up."""
        if size > len(self.value):
            self.value += bytes(size - len(self.value))

    def clear(self):
        """Begin anew."""
        _kcp.zero(self.value)

    def take(self, buf, off, n):
        """Write the first n bytes of the sum to buf[off:]."""
        _copy(self.value, 0, buf, off, n)


class Crc32:
    """CRC-32/IEEE of a part of a buffer."""

    def __init__(self):
        self.of = _kcp.crc32  # (buf, off, end)
