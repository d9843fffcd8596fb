"""Byte kernels for MicroPython that do not allocate. Same names and effects as `_pure_cpy`.

Slicing a bytearray or memoryview allocates; assigning to a slice does not, nor do seek, write and
readinto of an `io.BytesIO`, whose write takes an offset into its source. So
- bytes come out of the middle of a buffer by way of one scratch BytesIO;
- bytes go into the middle of a buffer by assigning a whole object to a slice. A chunk is therefore
  always copied out whole, past its used length: the reason for `buffer_bytes` being larger than
  the mtu.
`struct.pack_into` does not allocate but is slow; fields that change per packet are set bytewise.
"""

try:
    from binascii import crc32
except ImportError:
    from ._crc32 import crc32
from io import BytesIO
from struct import pack_into

from ._compat import const
from ._pool import Pool  # noqa: F401

_SCRATCH_BYTES = const(1536)  # more than the largest datagram

_scratch = BytesIO(_SCRATCH_BYTES)
_zeros = bytes(_SCRATCH_BYTES)
_header = bytearray(24)
_fields = [0] * 9


def close_gap(buf, off, gap, n):
    """Move the n bytes at buf[off + gap:] down to buf[off:]."""
    io = _scratch
    io.seek(0)
    io.write(buf, off)
    io.write(buf, off + gap, n)
    io.seek(0)
    io.readinto(buf, off + n)


def u32(b, o):
    """Return the 32-bit number at b[o:]."""
    return b[o] | b[o + 1] << 8 | b[o + 2] << 16 | b[o + 3] << 24


def seg_parse(buf, off):
    """Return conv (low, high half), cmd, frg, wnd, ts, sn, una, len of a segment.

    In the same list every time: to be taken out at once.
    """
    hdr = _fields
    hdr[0] = buf[off] | buf[off + 1] << 8
    hdr[1] = buf[off + 2] | buf[off + 3] << 8
    hdr[2] = buf[off + 4]
    hdr[3] = buf[off + 5]
    hdr[4] = buf[off + 6] | buf[off + 7] << 8
    hdr[5] = u32(buf, off + 8)
    hdr[6] = u32(buf, off + 12)
    hdr[7] = u32(buf, off + 16)
    hdr[8] = u32(buf, off + 20)
    return hdr


def seg_header(buf, off, conv, cmd, frg, wnd, ts, sn, una, n):
    """Write a 24-byte segment header at buf[off:]."""
    pack_into("<IBBHIIII", buf, off, conv, cmd, frg, wnd, ts, sn, una, n)


def tx_new(pool, conv, frg, sn, data, off, n):
    """Return a chunk with a PUSH header and data[off:off+n]."""
    chunk = pool.get(pool.size)
    seg_header(_header, 0, conv, 81, frg, 0, 0, sn, 0, n)
    io = _scratch
    io.seek(0)
    io.write(_header)
    io.write(data, off, n)
    io.seek(0)
    io.readinto(chunk, n + 24)
    return chunk


def tx_extend(pool, chunk, used, data, off, n):
    """Append data[off:off+n] to a chunk whose first `used` bytes are in use.

    Return the chunk, or a larger one with the same bytes: it was made for a smaller mtu."""
    io = _scratch
    io.seek(0)
    io.write(chunk, used)
    io.write(data, off, n)
    io.seek(0)
    used += n
    if used > len(chunk):
        chunk = pool.get(pool.size)
    io.readinto(chunk, used)
    used -= 24
    chunk[20] = used & 0xFF
    chunk[21] = used >> 8
    return chunk


def tx_out(chunk, n, wnd, ts, sn, una, buf, off):
    """Stamp a chunk's header and copy its n bytes (and what lies behind them) to buf[off:]."""
    b = chunk
    b[6] = wnd & 0xFF
    b[7] = wnd >> 8
    b[8] = ts & 0xFF
    b[9] = ts >> 8 & 0xFF
    b[10] = ts >> 16 & 0xFF
    b[11] = ts >> 24
    b[12] = sn & 0xFF
    b[13] = sn >> 8 & 0xFF
    b[14] = sn >> 16 & 0xFF
    b[15] = sn >> 24
    b[16] = una & 0xFF
    b[17] = una >> 8 & 0xFF
    b[18] = una >> 16 & 0xFF
    b[19] = una >> 24
    buf[off : off + len(b)] = b


def _take(src, off, dst, n):
    """Copy src[off:off+n] to the start of dst."""
    io = _scratch
    io.seek(0)
    io.write(src, off, n)
    io.seek(0)
    return io.readinto(dst, n)


def rx_new(pool, buf, off, n):
    """Return a chunk with the n bytes at buf[off:]."""
    chunk = pool.get(n)
    _take(buf, off, chunk, n)
    return chunk


def rx_take(chunk, off, dst, dst_off, n):
    """Copy chunk[off:off+n] to dst[dst_off:]; return how many bytes were copied.

    Only a copy to the start of `dst` is free of allocation, so anything else copies nothing and
    returns 0: the caller hands out what it has and is called again.
    """
    return 0 if dst_off else _take(chunk, off, dst, n)


def put_u32(buf, off, value):
    """Write a 32-bit number at buf[off:]."""
    pack_into("<I", buf, off, value)


class Accumulator:
    """A sum of multiples of shards: a parity shard, or a repaired one, in the making."""

    def __init__(self, size):
        self.value = bytearray(size)
        self.used = 0

    def grow(self, size):
        """Have room for `size` bytes, and keep what is summed up."""
        if size > len(self.value):
            self.value += bytes(size - len(self.value))

    def clear(self):
        """Begin anew."""
        n = self.used
        if n:
            io = _scratch
            io.seek(0)
            io.write(_zeros, n)
            io.seek(0)
            io.readinto(self.value, n)
            self.used = 0

    def take(self, buf, off, n):
        """Write the first n bytes of the sum (and what lies behind them) to buf[off:]."""
        buf[off : off + len(self.value)] = self.value


def gf_add(sums, tables, buf, off, n):
    """Add buf[off:off+n], mapped by tables[i], to sums[i], for each i."""
    for k in range(len(sums)):  # enumerate() would allocate
        one, table = sums[k], tables[k]
        value = one.value
        if n > one.used:
            one.used = n
        for i in range(n):
            value[i] ^= table[buf[off + i]]


class Crc32:
    """CRC-32/IEEE of a part of a buffer.

    binascii.crc32 takes a whole object only. So the part is put at the end of a block of fixed
    size, behind zeros: from a register of 0, leading zeros leave it 0, and the usual start from
    all ones is the same as inverting the first four bytes.
    """

    def __init__(self):
        self.blocks = (bytearray(64), bytearray(256), bytearray(_SCRATCH_BYTES))

    def of(self, buf, off, end):
        """Return the CRC-32 of buf[off:end], at least 4 bytes."""
        n = end - off
        block = self.blocks[0 if n <= 64 else 1 if n <= 256 else 2]
        size = len(block)
        io = _scratch
        io.seek(0)
        io.write(_zeros, size - n)
        io.write(buf, off, n)
        io.seek(0)
        io.readinto(block, size)
        off = size - n
        block[off] ^= 0xFF
        block[off + 1] ^= 0xFF
        block[off + 2] ^= 0xFF
        block[off + 3] ^= 0xFF
        return crc32(block, 0xFFFFFFFF)
