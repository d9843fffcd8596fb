"""Blowfish in CFB mode: "blowfish".

Schneier, "Description of a New Variable-Length Key, 64-Bit Block Cipher", 1994. The key has 1 to
56 bytes, which are used over and over. The tables depend on it: 4 KB per codec, and making them
takes as long as sealing several packets.
"""

from kcp._compat import const

from ._cfb_words import NARROW, codec

_M = const(0xFFFFFFFF)


class Blowfish:
    """key: 1 to 56 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        from ._blowfish_pi import boxes, subkeys

        p = subkeys()
        n = len(key)
        for i in range(18):
            for j in range(4 * i, 4 * i + 4):
                p[i] ^= key[j % n] << 8 * (3 - j % 4)
        self._subkeys = p
        self._boxes = boxes()
        self._take(p)
        block = [0, 0]
        for target in (p,) + self._boxes:
            for i in range(0, len(target), 2):
                reg = (block[0], block[1])
                block[0] = block[1] = 0
                self.run(block, 2, reg, False)
                target[i] = block[0]
                target[i + 1] = block[1]
                if target is p:
                    self._take(p)

    def _take(self, p):
        """Use these subkeys from now on."""
        self._first = p[0]
        self._pairs = tuple([(p[i], p[i + 1]) for i in range(1, 17, 2)])
        self._last = p[17]

    def tables(self):
        """Return the 18 subkeys and the four boxes."""
        return self._subkeys, self._boxes

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        s0, s1, s2, s3 = self._boxes
        first, pairs, last = self._first, self._pairs, self._last
        x, y = reg
        for i in range(0, n, 2):
            x ^= first
            for p, q in pairs:
                y ^= ((s0[x >> 24] + s1[x >> 16 & 255] ^ s2[x >> 8 & 255]) + s3[x & 255] & _M) ^ p
                x ^= ((s0[y >> 24] + s1[y >> 16 & 255] ^ s2[y >> 8 & 255]) + s3[y & 255] & _M) ^ q
            c = w[i]
            d = w[i + 1]
            y ^= last ^ c
            x ^= d
            w[i] = y
            w[i + 1] = x
            if opening:
                x = c
                y = d
            else:
                x, y = y, x


def new(name, key, fill):
    """Return a codec over `cryptography`, or in plain Python."""
    if NARROW:
        from ._blowfish_narrow import BlowfishHalves
        from ._cfb_halves import CfbHalves

        return CfbHalves(BlowfishHalves(key), fill)
    if len(key) < 4:
        key = key * 4  # the same cipher, and `cryptography` wants at least 4 bytes
    return codec(Blowfish, "Blowfish", key, fill)
