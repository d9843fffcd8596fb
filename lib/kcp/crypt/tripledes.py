"""Three-key triple DES (FIPS 46-3; SP 800-67) in CFB mode: "3des", with a key of 24 bytes.

S-boxes and P are one look-up in eight tables of 64 words, 2 KB that all sessions share. The halves
are kept rotated right by three bits: then the expansion E gives four of its groups of six bits in
the four bytes of the half, and the other four when it is rotated left by four bits more.
"""

from struct import unpack

from kcp._compat import const

from ._cfb_words import NARROW, codec, table

_M = const(0xFFFFFFFF)
_M28 = const(0xFFFFFFF)

# The standard's tables: S-boxes row by row as hex digits, the others as positions from 1 on.
_BOXES = (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)
_P = bytes(
    (16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10)
    + (2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25)
)
_PC1 = bytes(
    (57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3)
    + (60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53)
    + (45, 37, 29, 21, 13, 5, 28, 20, 12, 4)
)
_PC2 = bytes(
    (14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2)
    + (41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36)
    + (29, 32)
)
_SHIFTS = bytes((1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1))


def _picked(x, n_bits, positions):
    """The bits of x, a number of n_bits bits, in the order of a table."""
    found = 0
    for position in positions:
        found = found << 1 | x >> n_bits - position & 1
    return found


def tables():
    """P of each S-box's output, by its six bits of input; rotated as the halves are."""
    found = []
    for i in range(8):
        words = []
        for x in range(64):
            digit = _BOXES[i][(x >> 4 & 2 | x & 1) << 4 | x >> 1 & 15]
            word = _picked(int(digit, 16) << 28 - 4 * i, 32, _P)
            words.append((word >> 3 | word << 29) & _M)
        found.append(table(words))
    return tuple(found)


_TABLES = []  # made when they are first needed


def _round_keys(key):
    """Return the round keys of one DES as (groups 0 2 4 6, groups 1 3 5 7), a group in a byte."""
    high, low = unpack(">2I", key)
    x = _picked(high << 32 | low, 64, _PC1)
    c, d = x >> 28, x & _M28
    found = []
    for n in _SHIFTS:
        c = (c << n | c >> 28 - n) & _M28
        d = (d << n | d >> 28 - n) & _M28
        x = _picked(c << 28 | d, 56, _PC2)
        even = odd = 0
        for i in range(42, -1, -12):
            even = even << 8 | x >> i & 63
            odd = odd << 8 | x >> i - 6 & 63
        found.append((even, odd))
    return found


def schedule(key):
    """Return the round keys of the three passes: tuples of two rounds' pairs."""
    first, second, third = [_round_keys(key[i : i + 8]) for i in (0, 8, 16)]
    second.reverse()  # that one decrypts
    return tuple(
        [tuple([k[i] + k[i + 1] for i in range(0, 16, 2)]) for k in (first, second, third)]
    )


class TripleDes:
    """key: 24 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        self._passes = schedule(key)
        if not _TABLES:
            _TABLES.extend(tables())

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        s0, s1, s2, s3, s4, s5, s6, s7 = _TABLES
        passes = self._passes
        x, y = reg
        for i in range(0, n, 2):
            # The initial permutation, as exchanges of bits between the halves.
            t = (x >> 4 ^ y) & 0xF0F0F0F
            y ^= t
            x ^= t << 4
            t = (x >> 16 ^ y) & 0xFFFF
            y ^= t
            x ^= t << 16
            t = (y >> 2 ^ x) & 0x33333333
            x ^= t
            y ^= t << 2
            t = (y >> 8 ^ x) & 0xFF00FF
            x ^= t
            y ^= t << 8
            t = (x >> 1 ^ y) & 0x55555555
            y ^= t
            x ^= t << 1
            x = x >> 3 | (x & 7) << 29
            y = y >> 3 | (y & 7) << 29
            for keys in passes:
                for k0, k1, k2, k3 in keys:
                    t = y ^ k0
                    u = (y << 4 | y >> 28) ^ k1
                    x ^= (
                        s0[t >> 24 & 63] ^ s2[t >> 16 & 63] ^ s4[t >> 8 & 63] ^ s6[t & 63]
                        ^ s1[u >> 24 & 63] ^ s3[u >> 16 & 63] ^ s5[u >> 8 & 63] ^ s7[u & 63]
                    )  # fmt: skip
                    t = x ^ k2
                    u = (x << 4 | x >> 28) ^ k3
                    y ^= (
                        s0[t >> 24 & 63] ^ s2[t >> 16 & 63] ^ s4[t >> 8 & 63] ^ s6[t & 63]
                        ^ s1[u >> 24 & 63] ^ s3[u >> 16 & 63] ^ s5[u >> 8 & 63] ^ s7[u & 63]
                    )  # fmt: skip
                t = x
                x = y
                y = t
            # And its inverse.
            x = (x & 0x1FFFFFFF) << 3 | x >> 29
            y = (y & 0x1FFFFFFF) << 3 | y >> 29
            t = (x >> 1 ^ y) & 0x55555555
            y ^= t
            x ^= t << 1
            t = (y >> 8 ^ x) & 0xFF00FF
            x ^= t
            y ^= t << 8
            t = (y >> 2 ^ x) & 0x33333333
            x ^= t
            y ^= t << 2
            t = (x >> 16 ^ y) & 0xFFFF
            y ^= t
            x ^= t << 16
            t = (x >> 4 ^ y) & 0xF0F0F0F
            y ^= t
            x ^= t << 4
            t = w[i]
            u = w[i + 1]
            x ^= t
            y ^= u
            w[i] = x
            w[i + 1] = y
            if opening:
                x = t
                y = u


def new(name, key, fill):
    """Return a codec over `cryptography`, or in plain Python."""
    if NARROW:
        from ._cfb_halves import CfbHalves
        from ._tripledes_narrow import TripleDesHalves

        return CfbHalves(TripleDesHalves(key), fill)
    return codec(TripleDes, "TripleDES", key, fill)
