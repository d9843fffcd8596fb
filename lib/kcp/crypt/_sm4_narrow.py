"""SM4 over halves of words, for 32-bit MicroPython (see _cfb_halves.py, and sm4.py).

The tables of a word's third and fourth byte are those of the first and second with the halves
exchanged: 2 KB that all sessions share.
"""

from ._cfb_halves import halves, in_halves
from .sm4 import schedule, tables

_TABLES = tuple([halves(words) for words in tables((24, 16))])


class Sm4Halves:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 4

    def __init__(self, key):
        self._keys = tuple([in_halves(four) for four in schedule(key)])

    def run(self, w, n, reg, opening):  # noqa: PLR0915  (unrolled)
        """CFB over the n halves of w."""
        keys = self._keys
        (t0, t1), (t2, t3) = _TABLES
        ah, al, bh, bl, ch, cl, dh, dl = reg
        for i in range(0, n, 8):
            for k0, l0, k1, l1, k2, l2, k3, l3 in keys:
                x = bh ^ ch ^ dh ^ k0
                y = bl ^ cl ^ dl ^ l0
                p = x >> 8
                q = x & 255
                r = y >> 8
                s = y & 255
                ah ^= t0[p] ^ t2[q] ^ t1[r] ^ t3[s]
                al ^= t1[p] ^ t3[q] ^ t0[r] ^ t2[s]
                x = ch ^ dh ^ ah ^ k1
                y = cl ^ dl ^ al ^ l1
                p = x >> 8
                q = x & 255
                r = y >> 8
                s = y & 255
                bh ^= t0[p] ^ t2[q] ^ t1[r] ^ t3[s]
                bl ^= t1[p] ^ t3[q] ^ t0[r] ^ t2[s]
                x = dh ^ ah ^ bh ^ k2
                y = dl ^ al ^ bl ^ l2
                p = x >> 8
                q = x & 255
                r = y >> 8
                s = y & 255
                ch ^= t0[p] ^ t2[q] ^ t1[r] ^ t3[s]
                cl ^= t1[p] ^ t3[q] ^ t0[r] ^ t2[s]
                x = ah ^ bh ^ ch ^ k3
                y = al ^ bl ^ cl ^ l3
                p = x >> 8
                q = x & 255
                r = y >> 8
                s = y & 255
                dh ^= t0[p] ^ t2[q] ^ t1[r] ^ t3[s]
                dl ^= t1[p] ^ t3[q] ^ t0[r] ^ t2[s]
            # The words leave in reverse.
            p = dh
            q = dl
            r = ch
            s = cl
            ch = bh
            cl = bl
            dh = ah
            dl = al
            ah = p
            al = q
            bh = r
            bl = s
            p = w[i]
            x = ah ^ p
            w[i] = x
            ah = p if opening else x
            p = w[i + 1]
            x = al ^ p
            w[i + 1] = x
            al = p if opening else x
            p = w[i + 2]
            x = bh ^ p
            w[i + 2] = x
            bh = p if opening else x
            p = w[i + 3]
            x = bl ^ p
            w[i + 3] = x
            bl = p if opening else x
            p = w[i + 4]
            x = ch ^ p
            w[i + 4] = x
            ch = p if opening else x
            p = w[i + 5]
            x = cl ^ p
            w[i + 5] = x
            cl = p if opening else x
            p = w[i + 6]
            x = dh ^ p
            w[i + 6] = x
            dh = p if opening else x
            p = w[i + 7]
            x = dl ^ p
            w[i + 7] = x
            dl = p if opening else x
