"""Blowfish over halves of words, for 32-bit MicroPython (see _cfb_halves.py, and blowfish.py)."""

from kcp._compat import const

from ._cfb_halves import halves, in_halves
from .blowfish import Blowfish

_M = const(0xFFFF)


class BlowfishHalves:
    """key: 1 to 56 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        subkeys, boxes = Blowfish(key).tables()
        p = in_halves(subkeys)
        self._ends = p[:2] + p[34:]
        self._fours = tuple([p[i : i + 4] for i in range(2, 34, 4)])
        self._boxes = tuple([halves(box) for box in boxes])

    def run(self, w, n, reg, opening):
        """CFB over the n halves of w."""
        (s0h, s0l), (s1h, s1l), (s2h, s2l), (s3h, s3l) = self._boxes
        first_h, first_l, last_h, last_l = self._ends
        fours = self._fours
        yh, yl, zh, zl = reg
        for i in range(0, n, 4):
            yh ^= first_h
            yl ^= first_l
            for k0, l0, k1, l1 in fours:
                p = yh >> 8
                q = yh & 255
                r = yl >> 8
                s = yl & 255
                x = s0l[p] + s1l[q]
                h = s0h[p] + s1h[q] + (x >> 16) ^ s2h[r]
                x = (x & _M ^ s2l[r]) + s3l[s]
                zh ^= h + s3h[s] + (x >> 16) & _M ^ k0
                zl ^= x & _M ^ l0
                p = zh >> 8
                q = zh & 255
                r = zl >> 8
                s = zl & 255
                x = s0l[p] + s1l[q]
                h = s0h[p] + s1h[q] + (x >> 16) ^ s2h[r]
                x = (x & _M ^ s2l[r]) + s3l[s]
                yh ^= h + s3h[s] + (x >> 16) & _M ^ k1
                yl ^= x & _M ^ l1
            h = zh ^ last_h  # the words leave exchanged
            x = zl ^ last_l
            zh = yh
            zl = yl
            yh = h
            yl = x
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
