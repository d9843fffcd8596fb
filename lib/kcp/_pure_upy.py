"""Byte kernels for MicroPython that do not allocate. Same names and effects as `_pure_cpy`.

Slicing a bytearray or memoryview allocates, assigning to a slice does not; so
- bytes are read from the middle of a buffer through an `io.BytesIO` over it (which refers to the
  buffer and does not copy it): seek, then readinto;
- bytes are written into the middle of a buffer by assigning a whole object to a slice. A chunk is
  therefore always copied out whole, past its used length: the reason for `buffer_bytes` being
  larger than the mtu.
`struct.pack_into` does not allocate but is slow; fields that change per packet are set bytewise.
"""

from binascii import crc32
from io import BytesIO
from struct import pack_into

from ._compat import const

_MAX_VIEWS = const(16)  # lengths whose memoryviews are kept, per buffer


class Chunk:
    """One segment's bytes, a reader over them and the link of the pool's free list."""

    def __init__(self, size):
        self.b = bytearray(size)
        self.io = BytesIO(self.b)
        self.next = None


class Pool:
    """Free chunks, kept in a linked list (a list object would reallocate).

    It holds what was in use at the busiest moment; the windows of the sessions bound that.
    """

    def __init__(self, size):
        self.size = size
        self.head = None
        self.src = None  # the buffer that src_io reads
        self.src_io = None

    def get(self, size):
        """Return a chunk of at least `size` bytes; all get as large as the largest asked for."""
        if size > self.size:
            self.size = size
        chunk = self.head
        if chunk is None:
            return Chunk(self.size)
        self.head = chunk.next
        chunk.next = None
        if len(chunk.b) < size:
            return Chunk(self.size)
        return chunk

    def put(self, chunk):
        """Take a chunk back."""
        chunk.next = self.head
        self.head = chunk

    def reader(self, buf):
        """Return a BytesIO over `buf`: the same one as long as the buffer is the same."""
        if self.src is not buf:
            self.src = buf
            self.src_io = BytesIO(buf)
        return self.src_io


def _u32(b, o):
    return b[o] | b[o + 1] << 8 | b[o + 2] << 16 | b[o + 3] << 24


def seg_parse(buf, off, hdr):
    """Fill hdr[0:9] with conv (low, high half), cmd, frg, wnd, ts, sn, una, len of a segment."""
    hdr[0] = buf[off] | buf[off + 1] << 8
    hdr[1] = buf[off + 2] | buf[off + 3] << 8
    hdr[2] = buf[off + 4]
    hdr[3] = buf[off + 5]
    hdr[4] = buf[off + 6] | buf[off + 7] << 8
    hdr[5] = _u32(buf, off + 8)
    hdr[6] = _u32(buf, off + 12)
    hdr[7] = _u32(buf, off + 16)
    hdr[8] = _u32(buf, off + 20)


def seg_header(buf, off, conv, cmd, frg, wnd, ts, sn, una, n):
    """Write a 24-byte segment header at buf[off:]."""
    pack_into("<IBBHIIII", buf, off, conv, cmd, frg, wnd, ts, sn, una, n)


def _copy(dst, dst_off, src, off, n):
    """Copy src[off:off+n]; allocates a view only if that is not the whole of `src`."""
    if off == 0 and n == len(src):
        dst[dst_off : dst_off + n] = src
    else:
        dst[dst_off : dst_off + n] = memoryview(src)[off : off + n]


def tx_new(pool, conv, frg, sn, data, off, n):
    """Return a chunk with a PUSH header and data[off:off+n]."""
    chunk = pool.get(0)
    b = chunk.b
    seg_header(b, 0, conv, 81, frg, 0, 0, sn, 0, n)
    _copy(b, 24, data, off, n)
    return chunk


def tx_extend(chunk, used, data, off, n):
    """Append data[off:off+n] to a chunk whose first `used` bytes are in use."""
    b = chunk.b
    _copy(b, used, data, off, n)
    used += n - 24
    b[20] = used & 0xFF
    b[21] = used >> 8


def tx_out(chunk, n, wnd, ts, sn, una, buf, off):
    """Stamp a chunk's header and copy its n bytes (and what lies behind them) to buf[off:]."""
    b = chunk.b
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


def rx_new(pool, buf, off, n):
    """Return a chunk with the n bytes at buf[off:]."""
    chunk = pool.get(n)
    reader = pool.reader(buf)
    reader.seek(off)
    reader.readinto(chunk.b, n)
    return chunk


def rx_take(chunk, off, dst, dst_off, n):
    """Copy chunk[off:off+n] to dst[dst_off:]; return how many bytes were copied.

    Only a copy to the start of `dst` is free of allocation, so anything else copies nothing and
    returns 0: the caller hands out what it has and is called again.
    """
    if dst_off:
        return 0
    reader = chunk.io
    reader.seek(off)
    return reader.readinto(dst, n)


class Crc32:
    """CRC-32/IEEE of a part of a buffer.

    binascii.crc32 takes a whole object, so a view per length is needed; the last few lengths'
    views are kept, and a length that is not among them costs one small allocation.
    """

    def __init__(self):
        self.buf = None
        self.off = 0
        self.views = {}

    def of(self, buf, off, end):
        """Return the CRC-32 of buf[off:end]."""
        if buf is not self.buf or off != self.off or len(self.views) > _MAX_VIEWS:
            self.buf = buf
            self.off = off
            self.views = {}
        view = self.views.get(end)
        if view is None:
            view = self.views[end] = memoryview(buf)[off:end]
        return crc32(view)
