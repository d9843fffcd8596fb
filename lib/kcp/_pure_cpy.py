"""Byte kernels for CPython: struct and slices. Same names and effects as `_pure_upy`.

A chunk holds one segment. Here it is a bytearray of exactly the bytes in it, so that copying it
out is a single memcpy; the allocator is the pool, and what is idle costs nothing.
"""

from struct import Struct
from zlib import crc32

#: seg_parse(buf, off) -> conv (low, high half), cmd, frg, wnd, ts, sn, una, len of a segment
seg_parse = Struct("<HHBBHIIII").unpack_from
_header = Struct("<IBBHIIII")
_header_into = _header.pack_into
_stamp_into = Struct("<HIII").pack_into
_u32 = Struct("<I").unpack_from
_u32_into = Struct("<I").pack_into
_from_bytes = int.from_bytes


class Pool:
    """Where chunks come from and go to. CPython's allocator does this well by itself."""

    __slots__ = ()

    def __init__(self, size):
        pass

    def grow(self, size):
        """Chunks have any size here."""

    def chunk_bytes(self, n):
        """Return how many bytes a chunk for n bytes has."""
        return n

    def reserve(self, n):
        """Nothing is kept here."""

    def put(self, chunk):
        """Take a chunk back."""


def seg_header(buf, off, conv, cmd, frg, wnd, ts, sn, una, n):
    """Write a 24-byte segment header at buf[off:]."""
    _header_into(buf, off, conv, cmd, frg, wnd, ts, sn, una, n)


def tx_new(pool, conv, frg, sn, data, off, n):
    """Return a chunk with a PUSH header and data[off:off+n]."""
    chunk = bytearray(_header.pack(conv, 81, frg, 0, 0, sn, 0, n))
    chunk += data[off : off + n]
    return chunk


def tx_extend(pool, chunk, used, data, off, n):
    """Append data[off:off+n] to a chunk whose first `used` bytes are in use; return the chunk."""
    chunk += data[off : off + n]
    used += n - 24
    chunk[20] = used & 0xFF
    chunk[21] = used >> 8
    return chunk


def tx_out(chunk, n, wnd, ts, sn, una, buf, off):
    """Stamp a chunk's header and copy its n bytes to buf[off:]."""
    _stamp_into(chunk, 6, wnd, ts, sn, una)
    buf[off : off + n] = chunk


def rx_new(pool, buf, off, n):
    """Return a chunk with the n bytes at buf[off:]."""
    return buf[off : off + n]


def rx_take(chunk, off, dst, dst_off, n):
    """Copy chunk[off:off+n] to dst[dst_off:]; return how many bytes were copied."""
    if n == len(chunk):
        dst[dst_off : dst_off + n] = chunk
    else:
        dst[dst_off : dst_off + n] = memoryview(chunk)[off : off + n]
    return n


def close_gap(buf, off, gap, n):
    """Move the n bytes at buf[off + gap:] down to buf[off:]."""
    buf[off : off + n] = buf[off + gap : off + gap + n]


def u32(buf, off):
    """Return the 32-bit number at buf[off:]."""
    return _u32(buf, off)[0]


def put_u32(buf, off, value):
    """Write a 32-bit number at buf[off:]."""
    _u32_into(buf, off, value)


class Accumulator:
    """A sum of multiples of shards: a parity shard, or a repaired one, in the making.

    Held as one big int: adding 1400 bytes is then a single operation.
    """

    __slots__ = ("value",)

    def __init__(self, size):
        self.value = 0

    def grow(self, size):
        """A number has room for anything."""

    def clear(self):
        """Begin anew."""
        self.value = 0

    def take(self, buf, off, n):
        """Write the first n bytes of the sum to buf[off:]."""
        buf[off : off + n] = self.value.to_bytes(n, "little")


def gf_add(sums, tables, buf, off, n):
    """Add buf[off:off+n], mapped by tables[i], to sums[i], for each i."""
    data = buf[off : off + n]
    for one, table in zip(sums, tables):
        one.value ^= _from_bytes(data.translate(table), "little")


class Crc32:
    """CRC-32/IEEE of a part of a buffer."""

    __slots__ = ()

    def of(self, buf, off, end):
        """Return the CRC-32 of buf[off:end]."""
        return crc32(memoryview(buf)[off:end])
