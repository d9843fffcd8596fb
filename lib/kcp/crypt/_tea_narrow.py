"""TEA over halves of words, for 32-bit MicroPython (see _cfb_halves.py, and tea.py)."""

from kcp._compat import const

from ._cfb_halves import in_halves
from .tea import Tea

_M = const(0xFFFF)


class TeaHalves:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        constants = in_halves(Tea(key).constants())
        self._key = constants[:8]
        self._sums = tuple([constants[i : i + 2] for i in range(8, len(constants), 2)])

    def run(self, w, n, reg, opening):
        """CFB over the n halves of w."""
        k0, l0, k1, l1, k2, l2, k3, l3 = self._key
        sums = self._sums
        yh, yl, zh, zl = reg
        for i in range(0, n, 4):
            for sh, sl in sums:
                a = (zl << 4 & 0xFFF0) + l0
                b = zl + sl
                c = (zh << 11 & 0xF800 | zl >> 5) + l1
                h = (
                    (zh << 4 | zl >> 12) + k0 + (a >> 16)
                    ^ zh + sh + (b >> 16)
                    ^ (zh >> 5) + k1 + (c >> 16)
                )  # fmt: skip
                yl += (a ^ b ^ c) & _M
                yh = yh + h + (yl >> 16) & _M
                yl &= _M
                a = (yl << 4 & 0xFFF0) + l2
                b = yl + sl
                c = (yh << 11 & 0xF800 | yl >> 5) + l3
                h = (
                    (yh << 4 | yl >> 12) + k2 + (a >> 16)
                    ^ yh + sh + (b >> 16)
                    ^ (yh >> 5) + k3 + (c >> 16)
                )  # fmt: skip
                zl += (a ^ b ^ c) & _M
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
