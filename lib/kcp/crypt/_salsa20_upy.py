"""Salsa20 for MicroPython: one block after the other, 16 words in 16 locals.

Allocates nothing on a 64-bit build. On a 32-bit one every word is a heap object: prefer AES there.
"""

from struct import pack_into, unpack

from kcp._compat import const

from ._frame import Framed
from ._mix import Mixer
from .salsa20 import CONSTANTS

_BLOCKS = const(24)  # 8 + 24 * 64 > 1500
_M = const(0xFFFFFFFF)


class Salsa20(Framed):
    """key: 32 bytes."""

    def __init__(self, key, fill):
        super().__init__(fill)
        self._mixer = Mixer(64 * _BLOCKS)
        k = unpack("<8I", key)
        c = CONSTANTS
        self._start = [
            c[0],
            k[0],
            k[1],
            k[2],
            k[3],
            c[1],
            0,
            0,
            0,
            0,
            c[2],
            k[4],
            k[5],
            k[6],
            k[7],
            c[3],
        ]

    def encrypt(self, buf, n):
        """Encrypt (or decrypt) buf[0:n] in place, except its first 8 bytes."""
        start = self._start
        start[6] = buf[0] | buf[1] << 8 | buf[2] << 16 | buf[3] << 24
        start[7] = buf[4] | buf[5] << 8 | buf[6] << 16 | buf[7] << 24
        for i in range((n + 55) // 64):
            start[8] = i
            _block(start, self._mixer.ks, 64 * i)
        self._mixer.apply(buf, 8, n)

    decrypt = encrypt


def _block(s, out, off):  # noqa: PLR0915  (unrolled: a loop would cost more than the steps)
    """Write 64 bytes of keystream to out[off:], from the state s."""
    x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15 = s
    for _ in range(10):
        t = x0 + x12 & _M
        x4 ^= (t << 7 | t >> 25) & _M
        t = x4 + x0 & _M
        x8 ^= (t << 9 | t >> 23) & _M
        t = x8 + x4 & _M
        x12 ^= (t << 13 | t >> 19) & _M
        t = x12 + x8 & _M
        x0 ^= (t << 18 | t >> 14) & _M
        t = x5 + x1 & _M
        x9 ^= (t << 7 | t >> 25) & _M
        t = x9 + x5 & _M
        x13 ^= (t << 9 | t >> 23) & _M
        t = x13 + x9 & _M
        x1 ^= (t << 13 | t >> 19) & _M
        t = x1 + x13 & _M
        x5 ^= (t << 18 | t >> 14) & _M
        t = x10 + x6 & _M
        x14 ^= (t << 7 | t >> 25) & _M
        t = x14 + x10 & _M
        x2 ^= (t << 9 | t >> 23) & _M
        t = x2 + x14 & _M
        x6 ^= (t << 13 | t >> 19) & _M
        t = x6 + x2 & _M
        x10 ^= (t << 18 | t >> 14) & _M
        t = x15 + x11 & _M
        x3 ^= (t << 7 | t >> 25) & _M
        t = x3 + x15 & _M
        x7 ^= (t << 9 | t >> 23) & _M
        t = x7 + x3 & _M
        x11 ^= (t << 13 | t >> 19) & _M
        t = x11 + x7 & _M
        x15 ^= (t << 18 | t >> 14) & _M
        t = x0 + x3 & _M
        x1 ^= (t << 7 | t >> 25) & _M
        t = x1 + x0 & _M
        x2 ^= (t << 9 | t >> 23) & _M
        t = x2 + x1 & _M
        x3 ^= (t << 13 | t >> 19) & _M
        t = x3 + x2 & _M
        x0 ^= (t << 18 | t >> 14) & _M
        t = x5 + x4 & _M
        x6 ^= (t << 7 | t >> 25) & _M
        t = x6 + x5 & _M
        x7 ^= (t << 9 | t >> 23) & _M
        t = x7 + x6 & _M
        x4 ^= (t << 13 | t >> 19) & _M
        t = x4 + x7 & _M
        x5 ^= (t << 18 | t >> 14) & _M
        t = x10 + x9 & _M
        x11 ^= (t << 7 | t >> 25) & _M
        t = x11 + x10 & _M
        x8 ^= (t << 9 | t >> 23) & _M
        t = x8 + x11 & _M
        x9 ^= (t << 13 | t >> 19) & _M
        t = x9 + x8 & _M
        x10 ^= (t << 18 | t >> 14) & _M
        t = x15 + x14 & _M
        x12 ^= (t << 7 | t >> 25) & _M
        t = x12 + x15 & _M
        x13 ^= (t << 9 | t >> 23) & _M
        t = x13 + x12 & _M
        x14 ^= (t << 13 | t >> 19) & _M
        t = x14 + x13 & _M
        x15 ^= (t << 18 | t >> 14) & _M
    pack_into(
        "<16I", out, off,
        x0 + s[0] & _M, x1 + s[1] & _M, x2 + s[2] & _M, x3 + s[3] & _M,
        x4 + s[4] & _M, x5 + s[5] & _M, x6 + s[6] & _M, x7 + s[7] & _M,
        x8 + s[8] & _M, x9 + s[9] & _M, x10 + s[10] & _M, x11 + s[11] & _M,
        x12 + s[12] & _M, x13 + s[13] & _M, x14 + s[14] & _M, x15 + s[15] & _M,
    )  # fmt: skip
