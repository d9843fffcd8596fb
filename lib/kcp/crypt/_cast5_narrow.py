"""CAST-128 over halves of words, for 32-bit MicroPython (see _cfb_halves.py, and cast5.py)."""

from kcp._compat import const

from ._cfb_halves import halves
from .cast5 import Cast5

_M = const(0xFFFF)


def _round(masking, rotation):
    """What a round needs: the masking key, and how to rotate: halves exchanged?, the rest."""
    n = rotation & 15
    return masking >> 16, masking & _M, rotation > 15, n, 16 - n, _M >> n


class Cast5Halves:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        boxes, rounds = Cast5(key).tables()
        self._boxes = tuple([halves(box) for box in boxes])
        rounds = [_round(one[0], one[1]) for one in rounds]
        self._threes = tuple([tuple(rounds[i : i + 3]) for i in range(0, 15, 3)])
        self._last = rounds[15]

    def run(self, w, n, reg, opening):  # noqa: PLR0915  (unrolled)
        """CFB over the n halves of w."""
        (s1h, s1l), (s2h, s2l), (s3h, s3l), (s4h, s4l) = self._boxes
        threes, last = self._threes, self._last
        yh, yl, zh, zl = reg
        for i in range(0, n, 4):
            for one, two, three in threes:
                kh, kl, exchanged, n, m, mask = one
                l = kl + zl
                h = kh + zh + (l >> 16) & _M
                l &= _M
                if exchanged:
                    t = h
                    h = l
                    l = t
                t = (h & mask) << n | l >> m
                l = (l & mask) << n | h >> m
                p = t >> 8
                q = t & 255
                r = l >> 8
                s = l & 255
                l = (s1l[p] ^ s2l[q]) - s3l[r] + s4l[s]
                yh ^= (s1h[p] ^ s2h[q]) - s3h[r] + s4h[s] + (l >> 16) & _M
                yl ^= l & _M
                kh, kl, exchanged, n, m, mask = two
                l = kl ^ yl
                h = kh ^ yh
                if exchanged:
                    t = h
                    h = l
                    l = t
                t = (h & mask) << n | l >> m
                l = (l & mask) << n | h >> m
                p = t >> 8
                q = t & 255
                r = l >> 8
                s = l & 255
                l = s1l[p] - s2l[q] + s3l[r]
                zh ^= s1h[p] - s2h[q] + s3h[r] + (l >> 16) & _M ^ s4h[s]
                zl ^= l & _M ^ s4l[s]
                kh, kl, exchanged, n, m, mask = three
                l = kl - zl
                h = kh - zh + (l >> 16) & _M
                l &= _M
                if exchanged:
                    t = h
                    h = l
                    l = t
                t = (h & mask) << n | l >> m
                l = (l & mask) << n | h >> m
                p = t >> 8
                q = t & 255
                r = l >> 8
                s = l & 255
                l = s1l[p] + s2l[q]
                h = s1h[p] + s2h[q] + (l >> 16) ^ s3h[r]
                l = (l & _M ^ s3l[r]) - s4l[s]
                t = yh ^ (h - s4h[s] + (l >> 16) & _M)
                l = yl ^ l & _M
                yh = zh
                yl = zl
                zh = t
                zl = l
            kh, kl, exchanged, n, m, mask = last
            l = kl + zl
            h = kh + zh + (l >> 16) & _M
            l &= _M
            if exchanged:
                t = h
                h = l
                l = t
            t = (h & mask) << n | l >> m
            l = (l & mask) << n | h >> m
            p = t >> 8
            q = t & 255
            r = l >> 8
            s = l & 255
            l = (s1l[p] ^ s2l[q]) - s3l[r] + s4l[s]
            yh ^= (s1h[p] ^ s2h[q]) - s3h[r] + s4h[s] + (l >> 16) & _M
            yl ^= l & _M
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
