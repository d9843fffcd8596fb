"""ChaCha20 and Poly1305 as machine code, for MicroPython (see `_viper.py`).

Same classes as `_chacha_narrow`, whose Poly1305 has products that fit 32 bits.
"""

from array import array
from struct import unpack

import micropython

from kcp._compat import const

from ._poly1305 import PolyBase

_LIMBS = const(13)
_BITS = const(10)
_MASK = 0xFFFFFFFF  # an argument, as it is a heap object on a 32-bit build


class ChaCha20:
    """ChaCha20 with a 96-bit nonce (RFC 8439, section 2.4). key: 32 bytes."""

    def __init__(self, key):
        self._s = array("I", unpack("<16I", b"expand 32-byte k" + key + bytes(16)))

    def start(self, nonce):
        """Take the nonce from the first 12 bytes of a buffer."""
        _nonce(self._s, nonce)

    def block(self, counter, out, off):
        """Write the 64 bytes of keystream block `counter` to out[off:] (off in bytes)."""
        _block(self._s, counter, out, off, _MASK)


@micropython.viper
def _nonce(s: ptr32, b: ptr8):
    s[13] = b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24
    s[14] = b[4] | b[5] << 8 | b[6] << 16 | b[7] << 24
    s[15] = b[8] | b[9] << 8 | b[10] << 16 | b[11] << 24


@micropython.viper
def _block(s: ptr32, counter: int, out: ptr32, off: int, m: uint):  # noqa: PLR0915  (unrolled)
    # Bits above the 32 of a word appear on 64-bit machines, and are masked before they matter.
    s[12] = counter
    x0 = uint(s[0])
    x1 = uint(s[1])
    x2 = uint(s[2])
    x3 = uint(s[3])
    x4 = uint(s[4])
    x5 = uint(s[5])
    x6 = uint(s[6])
    x7 = uint(s[7])
    x8 = uint(s[8])
    x9 = uint(s[9])
    x10 = uint(s[10])
    x11 = uint(s[11])
    x12 = uint(s[12])
    x13 = uint(s[13])
    x14 = uint(s[14])
    x15 = uint(s[15])
    i = 0
    while i < 10:
        x0 += x4
        t = (x12 ^ x0) & m
        x12 = t << 16 | t >> 16
        x8 += x12
        t = (x4 ^ x8) & m
        x4 = t << 12 | t >> 20
        x0 += x4
        t = (x12 ^ x0) & m
        x12 = t << 8 | t >> 24
        x8 += x12
        t = (x4 ^ x8) & m
        x4 = t << 7 | t >> 25
        x1 += x5
        t = (x13 ^ x1) & m
        x13 = t << 16 | t >> 16
        x9 += x13
        t = (x5 ^ x9) & m
        x5 = t << 12 | t >> 20
        x1 += x5
        t = (x13 ^ x1) & m
        x13 = t << 8 | t >> 24
        x9 += x13
        t = (x5 ^ x9) & m
        x5 = t << 7 | t >> 25
        x2 += x6
        t = (x14 ^ x2) & m
        x14 = t << 16 | t >> 16
        x10 += x14
        t = (x6 ^ x10) & m
        x6 = t << 12 | t >> 20
        x2 += x6
        t = (x14 ^ x2) & m
        x14 = t << 8 | t >> 24
        x10 += x14
        t = (x6 ^ x10) & m
        x6 = t << 7 | t >> 25
        x3 += x7
        t = (x15 ^ x3) & m
        x15 = t << 16 | t >> 16
        x11 += x15
        t = (x7 ^ x11) & m
        x7 = t << 12 | t >> 20
        x3 += x7
        t = (x15 ^ x3) & m
        x15 = t << 8 | t >> 24
        x11 += x15
        t = (x7 ^ x11) & m
        x7 = t << 7 | t >> 25
        x0 += x5
        t = (x15 ^ x0) & m
        x15 = t << 16 | t >> 16
        x10 += x15
        t = (x5 ^ x10) & m
        x5 = t << 12 | t >> 20
        x0 += x5
        t = (x15 ^ x0) & m
        x15 = t << 8 | t >> 24
        x10 += x15
        t = (x5 ^ x10) & m
        x5 = t << 7 | t >> 25
        x1 += x6
        t = (x12 ^ x1) & m
        x12 = t << 16 | t >> 16
        x11 += x12
        t = (x6 ^ x11) & m
        x6 = t << 12 | t >> 20
        x1 += x6
        t = (x12 ^ x1) & m
        x12 = t << 8 | t >> 24
        x11 += x12
        t = (x6 ^ x11) & m
        x6 = t << 7 | t >> 25
        x2 += x7
        t = (x13 ^ x2) & m
        x13 = t << 16 | t >> 16
        x8 += x13
        t = (x7 ^ x8) & m
        x7 = t << 12 | t >> 20
        x2 += x7
        t = (x13 ^ x2) & m
        x13 = t << 8 | t >> 24
        x8 += x13
        t = (x7 ^ x8) & m
        x7 = t << 7 | t >> 25
        x3 += x4
        t = (x14 ^ x3) & m
        x14 = t << 16 | t >> 16
        x9 += x14
        t = (x4 ^ x9) & m
        x4 = t << 12 | t >> 20
        x3 += x4
        t = (x14 ^ x3) & m
        x14 = t << 8 | t >> 24
        x9 += x14
        t = (x4 ^ x9) & m
        x4 = t << 7 | t >> 25
        i += 1
    o = ptr32(uint(out) + off)
    o[0] = x0 + s[0]
    o[1] = x1 + s[1]
    o[2] = x2 + s[2]
    o[3] = x3 + s[3]
    o[4] = x4 + s[4]
    o[5] = x5 + s[5]
    o[6] = x6 + s[6]
    o[7] = x7 + s[7]
    o[8] = x8 + s[8]
    o[9] = x9 + s[9]
    o[10] = x10 + s[10]
    o[11] = x11 + s[11]
    o[12] = x12 + s[12]
    o[13] = x13 + s[13]
    o[14] = x14 + s[14]
    o[15] = x15 + s[15]


class Poly1305(PolyBase):
    """Poly1305: start(key), update(...), finish(tag). Thirteen limbs of 10 bits."""

    def __init__(self):
        super().__init__(_LIMBS, _BITS)
        self._work = array("I", bytes(4 * 3 * _LIMBS))  # 5 * r, then r, then h

    def start(self, key):
        """Begin with the one-time key in the first 32 bytes of the buffer (kept until finish)."""
        PolyBase.start(self, key)
        r, work = self._r, self._work
        for i in range(_LIMBS):
            work[i] = 5 * r[i]
            work[_LIMBS + i] = r[i]
            work[2 * _LIMBS + i] = 0

    def update(self, buf, off, end, top):
        """Take the blocks buf[off:end], of 16 bytes each; top: the bit to put behind each one."""
        _update(self._work, buf, off, end, top)

    def finish(self, tag):
        """Write the tag into the bytearray `tag`."""
        h, work = self._h, self._work
        for i in range(_LIMBS):
            h[i] = work[2 * _LIMBS + i]
        PolyBase.finish(self, tag)


@micropython.viper
def _update(rr: ptr32, buf: ptr8, off: int, end: int, top: int):
    h = ptr32(uint(rr) + 104)
    p = ptr8(uint(buf) + off)
    n = end - off
    while n > 0:
        # add 16 bytes: three times 40 bits in four limbs, and the rest
        k = 0
        j = 0
        while k < 12:
            h[k] = h[k] + (p[j] | (p[j + 1] & 3) << 8)
            h[k + 1] = h[k + 1] + (p[j + 1] >> 2 | (p[j + 2] & 15) << 6)
            h[k + 2] = h[k + 2] + (p[j + 2] >> 4 | (p[j + 3] & 63) << 4)
            h[k + 3] = h[k + 3] + (p[j + 3] >> 6 | p[j + 4] << 2)
            k += 4
            j += 5
        h[12] = h[12] + (p[15] | top << 8)
        p = ptr8(uint(p) + 16)
        n -= 16
        # multiply by r: the limbs of the product come lowest first, so that h[0:13] is still
        # needed while they come
        h0 = h[0]
        h1 = h[1]
        h2 = h[2]
        h3 = h[3]
        h4 = h[4]
        h5 = h[5]
        h6 = h[6]
        h7 = h[7]
        h8 = h[8]
        h9 = h[9]
        h10 = h[10]
        h11 = h[11]
        h12 = h[12]
        carry = 0
        r = rr
        k = 0
        while k < 13:
            carry += h0 * r[13] + h1 * r[12] + h2 * r[11] + h3 * r[10] + h4 * r[9]
            carry += h5 * r[8] + h6 * r[7] + h7 * r[6] + h8 * r[5] + h9 * r[4]
            carry += h10 * r[3] + h11 * r[2] + h12 * r[1]
            h[k] = carry & 1023
            carry >>= 10
            r = ptr32(uint(r) + 4)
            k += 1
        carry = 5 * carry + h[0]  # 2**130 = 5
        h[0] = carry & 1023
        h[1] = h[1] + (carry >> 10)
