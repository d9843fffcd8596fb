"""XTEA in CFB mode: "xtea".

Needham and Wheeler, "Tea extensions", 1997: 32 cycles, a key of 16 bytes, big-endian words.
"""

from struct import unpack

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON, const

from ._cfb_words import NARROW, CfbWords

_M = const(0xFFFFFFFF)
_DELTA = const(0x9E3779B9)
_CYCLES = const(32)


def _schedule(key):
    """Return what is added in each cycle, as pairs."""
    k = unpack(">4I", key)
    pairs = []
    s = 0
    for _ in range(_CYCLES):
        first = s + k[s & 3] & _M
        s = s + _DELTA & _M
        pairs.append((first, s + k[s >> 11 & 3] & _M))
    return tuple(pairs)


class Xtea:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key):
        self._pairs = _schedule(key)

    def constants(self):
        """Return what is added, in a row, for XteaLanes."""
        return [word for pair in self._pairs for word in pair]

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        pairs = self._pairs
        y, z = reg
        for i in range(0, n, 2):
            for s, t in pairs:
                y = y + ((z << 4 ^ z >> 5) + z ^ s) & _M
                z = z + ((y << 4 ^ y >> 5) + y ^ t) & _M
            c = w[i]
            d = w[i + 1]
            y ^= c
            z ^= d
            w[i] = y
            w[i + 1] = z
            if opening:
                y = c
                z = d


def new(name, key, fill):
    """Return a codec over the twin for this runtime."""
    if VIPER:
        from ._tea_viper import CfbXtea

        return CfbXtea(Xtea(key), fill)
    if NARROW:
        from ._cfb_halves import CfbHalves
        from ._xtea_narrow import XteaHalves

        return CfbHalves(XteaHalves(key), fill)
    if MICROPYTHON:
        return CfbWords(Xtea(key), fill)
    from ._lanes_cpy import XteaLanes

    return XteaLanes(Xtea(key), fill)
