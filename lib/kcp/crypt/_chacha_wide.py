"""ChaCha20 and Poly1305 for small ints of 63 bits: words in locals, five limbs of 26 bits.

For 64-bit MicroPython, where nothing of it allocates, and for CPython without `cryptography`.
"""

from struct import pack_into, unpack

from kcp._compat import const

from ._poly1305 import PolyBase

_M = const(0xFFFFFFFF)
_M26 = const(0x3FFFFFF)


class ChaCha20:
    """ChaCha20 with a 96-bit nonce (RFC 8439, section 2.4). key: 32 bytes."""

    def __init__(self, key):
        self._s = list(unpack("<16I", b"expand 32-byte k" + key + bytes(16)))

    def start(self, nonce):
        """Take the nonce from the first 12 bytes of a buffer."""
        s = self._s
        s[13] = nonce[0] | nonce[1] << 8 | nonce[2] << 16 | nonce[3] << 24
        s[14] = nonce[4] | nonce[5] << 8 | nonce[6] << 16 | nonce[7] << 24
        s[15] = nonce[8] | nonce[9] << 8 | nonce[10] << 16 | nonce[11] << 24

    def block(self, counter, out, off):
        """Write the 64 bytes of keystream block `counter` to out[off:] (off in bytes)."""
        self._s[12] = counter
        _block(self._s, out, off)


def _block(s, out, off):  # noqa: PLR0915  (unrolled: a loop would cost more than the steps)
    x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15 = s
    for _ in range(10):
        x0 = x0 + x4 & _M
        t = x12 ^ x0
        x12 = (t << 16 | t >> 16) & _M
        x8 = x8 + x12 & _M
        t = x4 ^ x8
        x4 = (t << 12 | t >> 20) & _M
        x0 = x0 + x4 & _M
        t = x12 ^ x0
        x12 = (t << 8 | t >> 24) & _M
        x8 = x8 + x12 & _M
        t = x4 ^ x8
        x4 = (t << 7 | t >> 25) & _M
        x1 = x1 + x5 & _M
        t = x13 ^ x1
        x13 = (t << 16 | t >> 16) & _M
        x9 = x9 + x13 & _M
        t = x5 ^ x9
        x5 = (t << 12 | t >> 20) & _M
        x1 = x1 + x5 & _M
        t = x13 ^ x1
        x13 = (t << 8 | t >> 24) & _M
        x9 = x9 + x13 & _M
        t = x5 ^ x9
        x5 = (t << 7 | t >> 25) & _M
        x2 = x2 + x6 & _M
        t = x14 ^ x2
        x14 = (t << 16 | t >> 16) & _M
        x10 = x10 + x14 & _M
        t = x6 ^ x10
        x6 = (t << 12 | t >> 20) & _M
        x2 = x2 + x6 & _M
        t = x14 ^ x2
        x14 = (t << 8 | t >> 24) & _M
        x10 = x10 + x14 & _M
        t = x6 ^ x10
        x6 = (t << 7 | t >> 25) & _M
        x3 = x3 + x7 & _M
        t = x15 ^ x3
        x15 = (t << 16 | t >> 16) & _M
        x11 = x11 + x15 & _M
        t = x7 ^ x11
        x7 = (t << 12 | t >> 20) & _M
        x3 = x3 + x7 & _M
        t = x15 ^ x3
        x15 = (t << 8 | t >> 24) & _M
        x11 = x11 + x15 & _M
        t = x7 ^ x11
        x7 = (t << 7 | t >> 25) & _M
        x0 = x0 + x5 & _M
        t = x15 ^ x0
        x15 = (t << 16 | t >> 16) & _M
        x10 = x10 + x15 & _M
        t = x5 ^ x10
        x5 = (t << 12 | t >> 20) & _M
        x0 = x0 + x5 & _M
        t = x15 ^ x0
        x15 = (t << 8 | t >> 24) & _M
        x10 = x10 + x15 & _M
        t = x5 ^ x10
        x5 = (t << 7 | t >> 25) & _M
        x1 = x1 + x6 & _M
        t = x12 ^ x1
        x12 = (t << 16 | t >> 16) & _M
        x11 = x11 + x12 & _M
        t = x6 ^ x11
        x6 = (t << 12 | t >> 20) & _M
        x1 = x1 + x6 & _M
        t = x12 ^ x1
        x12 = (t << 8 | t >> 24) & _M
        x11 = x11 + x12 & _M
        t = x6 ^ x11
        x6 = (t << 7 | t >> 25) & _M
        x2 = x2 + x7 & _M
        t = x13 ^ x2
        x13 = (t << 16 | t >> 16) & _M
        x8 = x8 + x13 & _M
        t = x7 ^ x8
        x7 = (t << 12 | t >> 20) & _M
        x2 = x2 + x7 & _M
        t = x13 ^ x2
        x13 = (t << 8 | t >> 24) & _M
        x8 = x8 + x13 & _M
        t = x7 ^ x8
        x7 = (t << 7 | t >> 25) & _M
        x3 = x3 + x4 & _M
        t = x14 ^ x3
        x14 = (t << 16 | t >> 16) & _M
        x9 = x9 + x14 & _M
        t = x4 ^ x9
        x4 = (t << 12 | t >> 20) & _M
        x3 = x3 + x4 & _M
        t = x14 ^ x3
        x14 = (t << 8 | t >> 24) & _M
        x9 = x9 + x14 & _M
        t = x4 ^ x9
        x4 = (t << 7 | t >> 25) & _M
    pack_into(
        "<16I", out, off,
        x0 + s[0] & _M, x1 + s[1] & _M, x2 + s[2] & _M, x3 + s[3] & _M,
        x4 + s[4] & _M, x5 + s[5] & _M, x6 + s[6] & _M, x7 + s[7] & _M,
        x8 + s[8] & _M, x9 + s[9] & _M, x10 + s[10] & _M, x11 + s[11] & _M,
        x12 + s[12] & _M, x13 + s[13] & _M, x14 + s[14] & _M, x15 + s[15] & _M,
    )  # fmt: skip


class Poly1305(PolyBase):
    """Poly1305: start(key), update(...), finish(tag)."""

    def __init__(self):
        super().__init__(5, 26)

    def update(self, buf, off, end, top):
        """Take the blocks buf[off:end], of 16 bytes each; top: the bit to put behind each one."""
        h0, h1, h2, h3, h4 = h = self._h
        r0, r1, r2, r3, r4 = self._r
        s1 = 5 * r1  # 2**130 = 5
        s2 = 5 * r2
        s3 = 5 * r3
        s4 = 5 * r4
        b = buf
        top <<= 24
        while off < end:
            h0 += b[off] | b[off + 1] << 8 | b[off + 2] << 16 | (b[off + 3] & 3) << 24
            h1 += b[off + 3] >> 2 | b[off + 4] << 6 | b[off + 5] << 14 | (b[off + 6] & 15) << 22
            h2 += b[off + 6] >> 4 | b[off + 7] << 4 | b[off + 8] << 12 | (b[off + 9] & 63) << 20
            h3 += b[off + 9] >> 6 | b[off + 10] << 2 | b[off + 11] << 10 | b[off + 12] << 18
            h4 += b[off + 13] | b[off + 14] << 8 | b[off + 15] << 16 | top
            off += 16
            d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1
            d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2 + (d0 >> 26)
            d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3 + (d1 >> 26)
            d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4 + (d2 >> 26)
            h4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + (d3 >> 26)
            h0 = (d0 & _M26) + 5 * (h4 >> 26)
            h1 = (d1 & _M26) + (h0 >> 26)
            h0 &= _M26
            h2 = d2 & _M26
            h3 = d3 & _M26
            h4 &= _M26
        h[0] = h0
        h[1] = h1
        h[2] = h2
        h[3] = h3
        h[4] = h4
