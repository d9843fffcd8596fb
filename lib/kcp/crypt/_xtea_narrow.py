"""XTEA over halves of words, for 32-bit MicroPython (see _cfb_halves.py, and xtea.py)."""

from kcp._compat import const

from ._cfb_halves import in_halves
from .xtea import Xtea

_M = const(0xFFFF)


class XteaHalves:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        added = in_halves(Xtea(key).constants())
        self._cycles = tuple([added[i : i + 4] for i in range(0, len(added), 4)])

    def run(self, w, n, reg, opening):
        """CFB over the n halves of w."""
        cycles = self._cycles
        yh, yl, zh, zl = reg
        for i in range(0, n, 4):
            for sh, sl, th, tl in cycles:
                x = (zl << 4 & 0xFFF0 ^ (zh << 11 & 0xF800 | zl >> 5)) + zl
                h = ((zh << 4 | zl >> 12) ^ zh >> 5) + zh + (x >> 16) ^ sh
                yl += (x ^ sl) & _M
                yh = yh + h + (yl >> 16) & _M
                yl &= _M
                x = (yl << 4 & 0xFFF0 ^ (yh << 11 & 0xF800 | yl >> 5)) + yl
                h = ((yh << 4 | yl >> 12) ^ yh >> 5) + yh + (x >> 16) ^ th
                zl += (x ^ tl) & _M
                zh = zh + h + (zl >> 16) & _M
                zl &= _M
            c0 = w[i]
            c1 = w[i + 1]
            c2 = w[i + 2]
            c3 = w[i + 3]
            yh ^= c0
            yl ^= c1
            zh ^= c2
            zl ^= c3
            w[i] = yh
            w[i + 1] = yl
            w[i + 2] = zh
            w[i + 3] = zl
            if opening:
                yh = c0
                yl = c1
                zh = c2
                zl = c3
