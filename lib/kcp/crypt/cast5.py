"""CAST-128 (RFC 2144) in CFB mode, with a key of 16 bytes, which makes 16 rounds: "cast5".

Its S-boxes are text of 16 KB and tables of 4 KB per codec.
"""

from struct import pack, unpack

from kcp._compat import const

from ._cfb_words import NARROW, codec

_M = const(0xFFFFFFFF)

# The key schedule, section 2.4, as hex digits. A step fills 16 bytes from the 16 of the last step,
# four at a time: old bytes from where, four that pick of S5 to S8 (old ones in the first line, new
# ones in the others), an old one that picks again. Then four subkeys: what picks of S5 to S8, and
# again of S5, S6, S7, S8.
_THERE = ("0DFCE8", "80213A", "C76549", "4A9B8B")
_BACK = ("857460", "002132", "476541", "CA9B83")
_STEPS = (
    (_THERE, ("89762", "AB546", "CD329", "EF10C")),
    (_BACK, ("32CD8", "10EFD", "76893", "54AB7")),
    (_THERE, ("32CD9", "10EFC", "76892", "54AB6")),
    (_BACK, ("89763", "AB547", "CD328", "EF10D")),
)


def _schedule(key):
    """Return the 32 subkeys."""
    from ._cast5_boxes import box

    boxes = [box(number) for number in (5, 6, 7, 8)]
    s5, s6, s7, s8 = boxes
    old, new_ = bytearray(key), bytearray(16)
    found = []
    for lines, picks in _STEPS * 2:
        for i in range(4):
            at, a, b, c, d, again = [int(digit, 16) for digit in lines[i]]
            by = new_ if i else old
            word = unpack(">I", old[at : at + 4])[0]
            word ^= s5[by[a]] ^ s6[by[b]] ^ s7[by[c]] ^ s8[by[d]]
            word ^= boxes[(i + 2) % 4][old[again]]
            new_[4 * i : 4 * i + 4] = pack(">I", word)
        for i in range(4):
            a, b, c, d, again = [new_[int(digit, 16)] for digit in picks[i]]
            found.append(s5[a] ^ s6[b] ^ s7[c] ^ s8[d] ^ boxes[i][again])
        old, new_ = new_, old
    return found


def _round(masking, rotation):
    """What a round needs: the masking key, and how to rotate within 32 bits."""
    n = rotation & 31
    return masking, n, 32 - n, _M >> n


class Cast5:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        from ._cast5_boxes import box

        self._boxes = tuple([box(number) for number in (1, 2, 3, 4)])
        k = _schedule(key)
        rounds = [_round(k[i], k[16 + i]) for i in range(16)]
        self._threes = tuple([tuple(rounds[i : i + 3]) for i in range(0, 15, 3)])
        self._last = rounds[15]

    def tables(self):
        """Return S1 to S4, and of each round what begins with the masking key and the rotation."""
        rounds = [one for three in self._threes for one in three]
        return self._boxes, rounds + [self._last]

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        s1, s2, s3, s4 = self._boxes
        threes = self._threes
        m1, l1, r1, k1 = self._last
        x, y = reg
        for i in range(0, n, 2):
            for (m, l, r, k), (m2, l2, r2, k2), (m3, l3, r3, k3) in threes:
                t = m + y & _M
                t = (t & k) << l | t >> r
                x ^= (s1[t >> 24] ^ s2[t >> 16 & 255]) - s3[t >> 8 & 255] + s4[t & 255] & _M
                t = m2 ^ x
                t = (t & k2) << l2 | t >> r2
                y ^= (s1[t >> 24] - s2[t >> 16 & 255] + s3[t >> 8 & 255] & _M) ^ s4[t & 255]
                t = m3 - y & _M
                t = (t & k3) << l3 | t >> r3
                t = (s1[t >> 24] + s2[t >> 16 & 255] ^ s3[t >> 8 & 255]) - s4[t & 255] & _M
                t ^= x
                x = y
                y = t
            t = m1 + y & _M
            t = (t & k1) << l1 | t >> r1
            x ^= (s1[t >> 24] ^ s2[t >> 16 & 255]) - s3[t >> 8 & 255] + s4[t & 255] & _M
            c = w[i]
            d = w[i + 1]
            x ^= c
            y ^= d
            w[i] = x
            w[i + 1] = y
            if opening:
                x = c
                y = d


def new(name, key, fill):
    """Return a codec over `cryptography`, or in plain Python."""
    if NARROW:
        from ._cast5_narrow import Cast5Halves
        from ._cfb_halves import CfbHalves

        return CfbHalves(Cast5Halves(key), fill)
    return codec(Cast5, "CAST5", key, fill)
