"""GHASH as machine code, for MicroPython (see `_viper.py`): Shoup's method over 32-bit words.

Same class as in `_gcm_pure`, 4.6 KB of tables.
"""

from array import array

import micropython

_REDUCE = 0xE1 << 120  # x**128 = 1 + x + x**2 + x**7
_MASK = 0xFFFFFFFF  # an argument, as it is a heap object on a 32-bit build


class Ghash:
    """GHASH with no associated data. h: the 16 bytes E(0)."""

    def __init__(self, h):
        self._table = array("I", bytes(4096))  # 4 words for each multiple of h
        self._back = array("H", bytes(512))
        v = int.from_bytes(h, "big")
        multiples = [0] * 256  # of h by the polynomial whose coefficients are the bits of i
        for bit in range(8):
            multiples[0x80 >> bit] = v
            v = v >> 1 ^ (_REDUCE if v & 1 else 0)
        for i in range(256):
            v = multiples[i & -i] ^ multiples[i & i - 1] if i & i - 1 else multiples[i]
            multiples[i] = v
            for k in range(4):
                self._table[4 * i + k] = v >> (96 - 32 * k) & _MASK
            v = i
            for _ in range(8):
                v = v >> 1 ^ (_REDUCE if v & 1 else 0)
            self._back[i] = v >> 112

    def tag(self, buf, off, end, tag):
        """Write the GHASH of buf[off:end] and its length into the bytearray tag."""
        _hash(buf, off, end, tag, self._table, self._back, _MASK)


@micropython.viper
def _hash(buf: ptr8, off: int, end: int, y: ptr8, table: ptr32, back: ptr16, m: uint):
    n_bits = (end - off) << 3
    i = 0
    while i < 16:
        y[i] = 0
        i += 1
    p = ptr8(uint(buf) + off)
    n = end - off
    last = 0
    while not last:
        if n > 0:
            i = 0
            while i < 16 and i < n:
                y[i] = y[i] ^ p[i]
                i += 1
            p = ptr8(uint(p) + 16)
            n -= 16
        else:
            last = 1
            y[13] = y[13] ^ n_bits >> 16
            y[14] = y[14] ^ n_bits >> 8
            y[15] = y[15] ^ n_bits
        # y = y * h, by Horner's rule, last byte first
        a = uint(0)
        b = uint(0)
        c = uint(0)
        d = uint(0)
        i = 15
        while i >= 0:
            t = ptr32(uint(table) + (y[i] << 4))
            r = uint(back[int(d & 255)]) << 16
            d = (d >> 8 | c << 24) & m ^ uint(t[3])
            c = (c >> 8 | b << 24) & m ^ uint(t[2])
            b = (b >> 8 | a << 24) & m ^ uint(t[1])
            a = a >> 8 ^ r ^ uint(t[0])
            i -= 1
        while i < 3:
            i += 1
            t8 = ptr8(uint(y) + (i << 2))
            t8[0] = a >> 24
            t8[1] = a >> 16
            t8[2] = a >> 8
            t8[3] = a
            a = b
            b = c
            c = d
