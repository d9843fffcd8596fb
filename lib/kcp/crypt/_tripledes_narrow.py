"""Triple DES over halves of words, for 32-bit MicroPython (see _cfb_halves.py, tripledes.py)."""

from ._cfb_halves import halves, in_halves
from .tripledes import schedule, tables

_TABLES = tuple([halves(words) for words in tables()])


class TripleDesHalves:
    """key: 24 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        self._passes = tuple([tuple([in_halves(k) for k in keys]) for keys in schedule(key)])

    def run(self, w, n, reg, opening):  # noqa: PLR0915  (unrolled)
        """CFB over the n halves of w."""
        (s0, t0), (s1, t1), (s2, t2), (s3, t3), (s4, t4), (s5, t5), (s6, t6), (s7, t7) = _TABLES
        passes = self._passes
        yh, yl, zh, zl = reg
        for i in range(0, n, 4):
            # The initial permutation, as exchanges of bits between the words.
            t = (yh >> 4 ^ zh) & 0xF0F
            zh ^= t
            yh ^= t << 4
            t = (yl >> 4 ^ zl) & 0xF0F
            zl ^= t
            yl ^= t << 4
            t = yh
            yh = zl
            zl = t
            t = (zh >> 2 ^ yh) & 0x3333
            yh ^= t
            zh ^= t << 2
            t = (zl >> 2 ^ yl) & 0x3333
            yl ^= t
            zl ^= t << 2
            t = (zh >> 8 ^ yh) & 0xFF
            yh ^= t
            zh ^= t << 8
            t = (zl >> 8 ^ yl) & 0xFF
            yl ^= t
            zl ^= t << 8
            t = (yh >> 1 ^ zh) & 0x5555
            zh ^= t
            yh ^= t << 1
            t = (yl >> 1 ^ zl) & 0x5555
            zl ^= t
            yl ^= t << 1
            t = yh
            yh = yh >> 3 | (yl & 7) << 13
            yl = yl >> 3 | (t & 7) << 13
            t = zh
            zh = zh >> 3 | (zl & 7) << 13
            zl = zl >> 3 | (t & 7) << 13
            for keys in passes:
                for k0, l0, k1, l1, k2, l2, k3, l3 in keys:
                    p = zh ^ k0
                    q = zl ^ l0
                    r = (zh << 4 | zl >> 12) ^ k1
                    s = (zl << 4 | zh >> 12) ^ l1
                    a = p >> 8 & 63
                    p &= 63
                    b = q >> 8 & 63
                    q &= 63
                    c = r >> 8 & 63
                    r &= 63
                    d = s >> 8 & 63
                    s &= 63
                    yh ^= s0[a] ^ s2[p] ^ s4[b] ^ s6[q] ^ s1[c] ^ s3[r] ^ s5[d] ^ s7[s]
                    yl ^= t0[a] ^ t2[p] ^ t4[b] ^ t6[q] ^ t1[c] ^ t3[r] ^ t5[d] ^ t7[s]
                    p = yh ^ k2
                    q = yl ^ l2
                    r = (yh << 4 | yl >> 12) ^ k3
                    s = (yl << 4 | yh >> 12) ^ l3
                    a = p >> 8 & 63
                    p &= 63
                    b = q >> 8 & 63
                    q &= 63
                    c = r >> 8 & 63
                    r &= 63
                    d = s >> 8 & 63
                    s &= 63
                    zh ^= s0[a] ^ s2[p] ^ s4[b] ^ s6[q] ^ s1[c] ^ s3[r] ^ s5[d] ^ s7[s]
                    zl ^= t0[a] ^ t2[p] ^ t4[b] ^ t6[q] ^ t1[c] ^ t3[r] ^ t5[d] ^ t7[s]
                t = yh
                yh = zh
                zh = t
                t = yl
                yl = zl
                zl = t
            # And its inverse.
            t = yh
            yh = (yh & 0x1FFF) << 3 | yl >> 13
            yl = (yl & 0x1FFF) << 3 | t >> 13
            t = zh
            zh = (zh & 0x1FFF) << 3 | zl >> 13
            zl = (zl & 0x1FFF) << 3 | t >> 13
            t = (yh >> 1 ^ zh) & 0x5555
            zh ^= t
            yh ^= t << 1
            t = (yl >> 1 ^ zl) & 0x5555
            zl ^= t
            yl ^= t << 1
            t = (zh >> 8 ^ yh) & 0xFF
            yh ^= t
            zh ^= t << 8
            t = (zl >> 8 ^ yl) & 0xFF
            yl ^= t
            zl ^= t << 8
            t = (zh >> 2 ^ yh) & 0x3333
            yh ^= t
            zh ^= t << 2
            t = (zl >> 2 ^ yl) & 0x3333
            yl ^= t
            zl ^= t << 2
            t = yh
            yh = zl
            zl = t
            t = (yh >> 4 ^ zh) & 0xF0F
            zh ^= t
            yh ^= t << 4
            t = (yl >> 4 ^ zl) & 0xF0F
            zl ^= t
            yl ^= t << 4
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
