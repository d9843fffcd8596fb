"""Twofish over halves of words, for 32-bit MicroPython (see _cfb_halves.py, and twofish.py)."""

from kcp._compat import const

from ._cfb_halves import halves, in_halves
from .twofish import Twofish

_M = const(0xFFFF)


class TwofishHalves:
    """key: 16, 24 or 32 bytes. Here the lower half of a word comes first."""

    ORDER = "<"
    WORDS = 4

    def __init__(self, key):
        wide = Twofish(key)
        self._tables = tuple([halves(words) for words in wide.tables()])
        k = in_halves(wide.constants())
        self._ends = k[:16]
        self._keys = tuple([k[i : i + 8] for i in range(16, 80, 8)])

    def run(self, w, n, reg, opening):  # noqa: PLR0915  (unrolled)
        """CFB over the n halves of w."""
        (t0, u0), (t1, u1), (t2, u2), (t3, u3) = self._tables
        ends = self._ends
        keys = self._keys
        al, ah, bl, bh, cl, ch, dl, dh = reg
        for i in range(0, n, 8):
            ah ^= ends[0]
            al ^= ends[1]
            bh ^= ends[2]
            bl ^= ends[3]
            ch ^= ends[4]
            cl ^= ends[5]
            dh ^= ends[6]
            dl ^= ends[7]
            for k0, l0, k1, l1, k2, l2, k3, l3 in keys:
                p = al & 255
                q = al >> 8
                r = ah & 255
                s = ah >> 8
                x = u0[p] ^ u1[q] ^ u2[r] ^ u3[s]
                h = t0[p] ^ t1[q] ^ t2[r] ^ t3[s]
                p = bl & 255
                q = bl >> 8
                r = bh & 255
                s = bh >> 8
                y = u1[p] ^ u2[q] ^ u3[r] ^ u0[s]
                g = t1[p] ^ t2[q] ^ t3[r] ^ t0[s]
                x += y
                h += g
                p = x + l0
                cl ^= p & _M
                ch ^= h + k0 + (p >> 16) & _M
                p = cl & 1
                cl = cl >> 1 | (ch & 1) << 15
                ch = ch >> 1 | p << 15
                p = x + y + l1
                q = dh >> 15
                dh = (dh << 1 & _M | dl >> 15) ^ (h + g + k1 + (p >> 16) & _M)
                dl = (dl << 1 & _M | q) ^ (p & _M)
                p = cl & 255
                q = cl >> 8
                r = ch & 255
                s = ch >> 8
                x = u0[p] ^ u1[q] ^ u2[r] ^ u3[s]
                h = t0[p] ^ t1[q] ^ t2[r] ^ t3[s]
                p = dl & 255
                q = dl >> 8
                r = dh & 255
                s = dh >> 8
                y = u1[p] ^ u2[q] ^ u3[r] ^ u0[s]
                g = t1[p] ^ t2[q] ^ t3[r] ^ t0[s]
                x += y
                h += g
                p = x + l2
                al ^= p & _M
                ah ^= h + k2 + (p >> 16) & _M
                p = al & 1
                al = al >> 1 | (ah & 1) << 15
                ah = ah >> 1 | p << 15
                p = x + y + l3
                q = bh >> 15
                bh = (bh << 1 & _M | bl >> 15) ^ (h + g + k3 + (p >> 16) & _M)
                bl = (bl << 1 & _M | q) ^ (p & _M)
            # The halves of the block leave exchanged.
            p = ah
            q = al
            r = bh
            s = bl
            ah = ch ^ ends[8]
            al = cl ^ ends[9]
            bh = dh ^ ends[10]
            bl = dl ^ ends[11]
            ch = p ^ ends[12]
            cl = q ^ ends[13]
            dh = r ^ ends[14]
            dl = s ^ ends[15]
            p = w[i]
            x = al ^ p
            w[i] = x
            al = p if opening else x
            p = w[i + 1]
            x = ah ^ p
            w[i + 1] = x
            ah = p if opening else x
            p = w[i + 2]
            x = bl ^ p
            w[i + 2] = x
            bl = p if opening else x
            p = w[i + 3]
            x = bh ^ p
            w[i + 3] = x
            bh = p if opening else x
            p = w[i + 4]
            x = cl ^ p
            w[i + 4] = x
            cl = p if opening else x
            p = w[i + 5]
            x = ch ^ p
            w[i + 5] = x
            ch = p if opening else x
            p = w[i + 6]
            x = dl ^ p
            w[i + 6] = x
            dl = p if opening else x
            p = w[i + 7]
            x = dh ^ p
            w[i + 7] = x
            dh = p if opening else x
