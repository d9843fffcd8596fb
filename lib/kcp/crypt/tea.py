"""TEA in CFB mode: "tea".

Wheeler and Needham, "TEA, a Tiny Encryption Algorithm", 1994, with 8 cycles in place of 32: what
kcp-go asks its library for as 16 rounds. Words are big-endian. It protects little.
"""

from struct import unpack

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON, const

from ._cfb_words import NARROW, CfbWords

_M = const(0xFFFFFFFF)
_DELTA = const(0x9E3779B9)
_CYCLES = const(8)


class Tea:
    """key: 16 bytes; cycles: kcp-go's number, 32 are the paper's."""

    ORDER = ">"
    WORDS = 2

    def __init__(self, key, cycles=_CYCLES):
        self._key = unpack(">4I", key)
        self._sums = tuple([_DELTA * i & _M for i in range(1, cycles + 1)])

    def constants(self):
        """Return the words of the key and the sums, for TeaLanes."""
        return self._key + self._sums

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        k0, k1, k2, k3 = self._key
        sums = self._sums
        y, z = reg
        for i in range(0, n, 2):
            for s in sums:
                y = y + ((z << 4) + k0 ^ z + s ^ (z >> 5) + k1) & _M
                z = z + ((y << 4) + k2 ^ y + s ^ (y >> 5) + k3) & _M
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
        from ._tea_viper import CfbTea

        return CfbTea(Tea(key), fill)
    if NARROW:
        from ._cfb_halves import CfbHalves
        from ._tea_narrow import TeaHalves

        return CfbHalves(TeaHalves(key), fill)
    if MICROPYTHON:
        return CfbWords(Tea(key), fill)
    from ._lanes_cpy import TeaLanes

    return TeaLanes(Tea(key), fill)
