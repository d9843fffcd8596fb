"""Twofish in CFB mode, with a key of 16, 24 or 32 bytes: "twofish".

Schneier, Kelsey, Whiting, Wagner, Hall, Ferguson, "Twofish: A 128-Bit Block Cipher", 1998, with
full keying (section 5.3): the S-boxes and the matrix of one byte are one look-up in four tables of
256 words that depend on the key, 4 KB per codec. Words are little-endian.
"""

from binascii import unhexlify

from kcp._compat import MICROPYTHON, const

from ._cfb_words import NARROW, CfbWords, table

_M = const(0xFFFFFFFF)
_MDS_POLY = const(0x169)
_RS_POLY = const(0x14D)

# The nibbles that the permutations q0 and q1 are made of (section 4.3.5).
_NIBBLES = (
    ("817D6F320B59ECA4", "ECB81235F4A6709D", "BA5E6D90C8F32471", "D7F4126E9B3085CA"),
    ("28BDF76E31940AC5", "1E2B4C376DA5F908", "4C75169A0ED82B3F", "B951C3DE647F208A"),
)
_RS = (
    unhexlify("01a455875a58db9e"),
    unhexlify("a45682f31ec668e5"),
    unhexlify("02a1fcc147ae3d19"),
    unhexlify("a455875a58db9e03"),
)


def _permutation(rows):
    t0, t1, t2, t3 = [[int(digit, 16) for digit in row] for row in rows]
    found = bytearray(256)
    for x in range(256):
        a, b = x >> 4, x & 15
        a, b = a ^ b, (a ^ (b >> 1 | b << 3) ^ a << 3) & 15
        a, b = t0[a], t1[b]
        a, b = a ^ b, (a ^ (b >> 1 | b << 3) ^ a << 3) & 15
        found[x] = t3[b] << 4 | t2[a]
    return bytes(found)


def _product(a, b, poly):
    """Multiply in GF(2^8)."""
    found = 0
    while b:
        if b & 1:
            found ^= a
        a <<= 1
        if a & 0x100:
            a ^= poly
        b >>= 1
    return found


_Q0 = _permutation(_NIBBLES[0])
_Q1 = _permutation(_NIBBLES[1])
# Of each byte of a word: what it passes through, with a byte of the key after each but the last.
# Keys of fewer words begin later.
_PATHS = (
    (_Q1, _Q1, _Q0, _Q0, _Q1),
    (_Q0, _Q1, _Q1, _Q0, _Q0),
    (_Q0, _Q0, _Q0, _Q1, _Q1),
    (_Q1, _Q0, _Q1, _Q1, _Q0),
)
_BY_5B = bytes([_product(x, 0x5B, _MDS_POLY) for x in range(256)])
_BY_EF = bytes([_product(x, 0xEF, _MDS_POLY) for x in range(256)])
_BY_01 = bytes(range(256))
# The columns of the matrix MDS.
_COLUMNS = (
    (_BY_01, _BY_5B, _BY_EF, _BY_EF),
    (_BY_EF, _BY_EF, _BY_5B, _BY_01),
    (_BY_5B, _BY_EF, _BY_01, _BY_EF),
    (_BY_5B, _BY_01, _BY_EF, _BY_5B),
)


def _h(x, i, words):
    """What byte x in place i of a word adds to h(X, L); words: of L, as 4 bytes each."""
    path = _PATHS[i][4 - len(words) :]
    for k in range(len(words)):
        x = path[k][x] ^ words[-1 - k][i]
    x = path[-1][x]
    a, b, c, d = _COLUMNS[i]
    return a[x] | b[x] << 8 | c[x] << 16 | d[x] << 24


def _h_word(x, words):
    """h of a word of four equal bytes x."""
    return _h(x, 0, words) ^ _h(x, 1, words) ^ _h(x, 2, words) ^ _h(x, 3, words)


def _s_word(part):
    """A word of S: RS times 8 bytes of the key."""
    found = bytearray(4)
    for i in range(4):
        for j in range(8):
            found[i] ^= _product(part[j], _RS[i][j], _RS_POLY)
    return found


def _rol(x, n):
    return (x << n | x >> 32 - n) & _M


def _subkeys(key):
    even = [key[i : i + 4] for i in range(0, len(key), 8)]
    odd = [key[i + 4 : i + 8] for i in range(0, len(key), 8)]
    found = []
    for i in range(0, 40, 2):
        a = _h_word(i, even)
        b = _rol(_h_word(i + 1, odd), 8)
        found.append(a + b & _M)
        found.append(_rol(a + 2 * b & _M, 9))
    return found


class Twofish:
    """key: 16, 24 or 32 bytes."""

    ORDER = "<"
    WORDS = 4

    def __init__(self, key):
        s = [_s_word(key[i : i + 8]) for i in range(len(key) - 8, -1, -8)]
        self._tables = tuple([table([_h(x, i, s) for x in range(256)]) for i in range(4)])
        k = _subkeys(key)
        self._ends = tuple(k[:8])
        self._keys = tuple([tuple(k[i : i + 4]) for i in range(8, 40, 4)])

    def constants(self):
        """Return the subkeys, in a row, for TwofishLanes."""
        return self._ends + tuple([word for four in self._keys for word in four])

    def tables(self):
        """Return the four tables of words by a byte."""
        return self._tables

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        t0, t1, t2, t3 = self._tables
        k0, k1, k2, k3, k4, k5, k6, k7 = self._ends
        keys = self._keys
        a, b, c, d = reg
        for i in range(0, n, 4):
            a ^= k0
            b ^= k1
            c ^= k2
            d ^= k3
            for e, f, g, h in keys:
                t = t0[a & 255] ^ t1[a >> 8 & 255] ^ t2[a >> 16 & 255] ^ t3[a >> 24]
                u = t1[b & 255] ^ t2[b >> 8 & 255] ^ t3[b >> 16 & 255] ^ t0[b >> 24]
                t += u
                c ^= t + e & _M
                c = c >> 1 | (c & 1) << 31
                d = (d << 1 & _M | d >> 31) ^ (t + u + f & _M)
                t = t0[c & 255] ^ t1[c >> 8 & 255] ^ t2[c >> 16 & 255] ^ t3[c >> 24]
                u = t1[d & 255] ^ t2[d >> 8 & 255] ^ t3[d >> 16 & 255] ^ t0[d >> 24]
                t += u
                a ^= t + g & _M
                a = a >> 1 | (a & 1) << 31
                b = (b << 1 & _M | b >> 31) ^ (t + u + h & _M)
            e = w[i]
            f = w[i + 1]
            g = w[i + 2]
            h = w[i + 3]
            t = a ^ k6  # the halves leave exchanged
            u = b ^ k7
            a = c ^ k4 ^ e
            b = d ^ k5 ^ f
            c = t ^ g
            d = u ^ h
            w[i] = a
            w[i + 1] = b
            w[i + 2] = c
            w[i + 3] = d
            if opening:
                a = e
                b = f
                c = g
                d = h


def new(name, key, fill):
    """Return a codec in plain Python."""
    if NARROW:
        from ._cfb_halves import CfbHalves
        from ._twofish_narrow import TwofishHalves

        return CfbHalves(TwofishHalves(key), fill)
    if MICROPYTHON:
        return CfbWords(Twofish(key), fill)
    from ._twofish_cpy import TwofishLanes

    return TwofishLanes(Twofish(key), fill)
