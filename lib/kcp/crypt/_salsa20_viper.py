"""Salsa20 as machine code, for MicroPython (see `_viper.py`): one block after the other."""

from array import array
from struct import unpack

import micropython

from kcp._compat import const

from ._frame import Framed
from ._mix import Mixer
from .salsa20 import CONSTANTS

_BLOCKS = const(24)  # 8 + 24 * 64 > 1500
_MASK = 0xFFFFFFFF  # an argument, as it is a heap object on a 32-bit build


class Salsa20(Framed):
    """key: 32 bytes."""

    def __init__(self, key, fill):
        super().__init__(fill)
        self._mixer = Mixer(64 * _BLOCKS)
        c = CONSTANTS
        k = unpack("<8I", key)
        words = (c[0],) + k[:4] + (c[1], 0, 0, 0, 0, c[2]) + k[4:] + (c[3],)
        self._start = array("I", words)

    def encrypt(self, buf, n):
        """Encrypt (or decrypt) buf[0:n] in place, except its first 8 bytes."""
        start, stream = self._start, self._mixer.ks
        _nonce(start, buf)
        for i in range((n + 55) // 64):
            _block(start, i, stream, _MASK)
        self._mixer.apply(buf, 8, n)

    decrypt = encrypt


@micropython.viper
def _nonce(s: ptr32, b: ptr8):
    s[6] = b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24
    s[7] = b[4] | b[5] << 8 | b[6] << 16 | b[7] << 24


@micropython.viper
def _block(s: ptr32, i: int, out: ptr32, m: uint):  # noqa: PLR0915  (unrolled)
    """Write the 64 bytes of keystream block i to out[64 * i:] (in bytes), from the state s.

    Bits above the 32 of a word appear on 64-bit machines, and are masked before they matter.
    """
    s[8] = i
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
        t = (x0 + x12) & m
        x4 ^= t << 7 | t >> 25
        t = (x4 + x0) & m
        x8 ^= t << 9 | t >> 23
        t = (x8 + x4) & m
        x12 ^= t << 13 | t >> 19
        t = (x12 + x8) & m
        x0 ^= t << 18 | t >> 14
        t = (x5 + x1) & m
        x9 ^= t << 7 | t >> 25
        t = (x9 + x5) & m
        x13 ^= t << 9 | t >> 23
        t = (x13 + x9) & m
        x1 ^= t << 13 | t >> 19
        t = (x1 + x13) & m
        x5 ^= t << 18 | t >> 14
        t = (x10 + x6) & m
        x14 ^= t << 7 | t >> 25
        t = (x14 + x10) & m
        x2 ^= t << 9 | t >> 23
        t = (x2 + x14) & m
        x6 ^= t << 13 | t >> 19
        t = (x6 + x2) & m
        x10 ^= t << 18 | t >> 14
        t = (x15 + x11) & m
        x3 ^= t << 7 | t >> 25
        t = (x3 + x15) & m
        x7 ^= t << 9 | t >> 23
        t = (x7 + x3) & m
        x11 ^= t << 13 | t >> 19
        t = (x11 + x7) & m
        x15 ^= t << 18 | t >> 14
        t = (x0 + x3) & m
        x1 ^= t << 7 | t >> 25
        t = (x1 + x0) & m
        x2 ^= t << 9 | t >> 23
        t = (x2 + x1) & m
        x3 ^= t << 13 | t >> 19
        t = (x3 + x2) & m
        x0 ^= t << 18 | t >> 14
        t = (x5 + x4) & m
        x6 ^= t << 7 | t >> 25
        t = (x6 + x5) & m
        x7 ^= t << 9 | t >> 23
        t = (x7 + x6) & m
        x4 ^= t << 13 | t >> 19
        t = (x4 + x7) & m
        x5 ^= t << 18 | t >> 14
        t = (x10 + x9) & m
        x11 ^= t << 7 | t >> 25
        t = (x11 + x10) & m
        x8 ^= t << 9 | t >> 23
        t = (x8 + x11) & m
        x9 ^= t << 13 | t >> 19
        t = (x9 + x8) & m
        x10 ^= t << 18 | t >> 14
        t = (x15 + x14) & m
        x12 ^= t << 7 | t >> 25
        t = (x12 + x15) & m
        x13 ^= t << 9 | t >> 23
        t = (x13 + x12) & m
        x14 ^= t << 13 | t >> 19
        t = (x14 + x13) & m
        x15 ^= t << 18 | t >> 14
        i += 1
    o = ptr32(uint(out) + (s[8] << 6))
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
