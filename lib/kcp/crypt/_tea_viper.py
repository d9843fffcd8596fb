"""TEA and XTEA in CFB mode as machine code, for MicroPython (see `_viper.py`)."""

from array import array
from struct import unpack

import micropython

from ._frame import IV, Framed

_MASK = 0xFFFFFFFF  # an argument, as it is a heap object on a 32-bit build


class _Cfb(Framed):
    """cipher: a Tea or an Xtea. A subclass has the static method run()."""

    def __init__(self, cipher, fill):
        super().__init__(fill)
        self._words = array("I", cipher.constants())
        self._y, self._z = unpack(">2I", IV[:8])

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        self.run(buf, n, self._words, len(self._words), self._y, self._z, 0, _MASK)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
        self.run(buf, n, self._words, len(self._words), self._y, self._z, 1, _MASK)


@micropython.viper
def _tea(b: ptr8, n: int, k: ptr32, end: int, y: uint, z: uint, opening: int, m: uint):
    """CFB over b[0:n] and what is left of its last block; k[4:end]: the sums."""
    k0 = uint(k[0])
    k1 = uint(k[1])
    k2 = uint(k[2])
    k3 = uint(k[3])
    while n > 0:
        j = 4
        while j < end:
            s = uint(k[j])
            y = (y + ((z << 4) + k0 ^ z + s ^ (z >> 5) + k1)) & m
            z = (z + ((y << 4) + k2 ^ y + s ^ (y >> 5) + k3)) & m
            j += 1
        c = uint(b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3])
        d = uint(b[4] << 24 | b[5] << 16 | b[6] << 8 | b[7])
        y ^= c
        z ^= d
        b[0] = y >> 24
        b[1] = y >> 16
        b[2] = y >> 8
        b[3] = y
        b[4] = z >> 24
        b[5] = z >> 16
        b[6] = z >> 8
        b[7] = z
        if opening:
            y = c
            z = d
        b = ptr8(uint(b) + 8)
        n -= 8


@micropython.viper
def _xtea(b: ptr8, n: int, k: ptr32, end: int, y: uint, z: uint, opening: int, m: uint):
    """CFB over b[0:n] and what is left of its last block; k[0:end]: what each half adds."""
    while n > 0:
        j = 0
        while j < end:
            y = (y + ((z << 4 ^ z >> 5) + z ^ uint(k[j]))) & m
            z = (z + ((y << 4 ^ y >> 5) + y ^ uint(k[j + 1]))) & m
            j += 2
        c = uint(b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3])
        d = uint(b[4] << 24 | b[5] << 16 | b[6] << 8 | b[7])
        y ^= c
        z ^= d
        b[0] = y >> 24
        b[1] = y >> 16
        b[2] = y >> 8
        b[3] = y
        b[4] = z >> 24
        b[5] = z >> 16
        b[6] = z >> 8
        b[7] = z
        if opening:
            y = c
            z = d
        b = ptr8(uint(b) + 8)
        n -= 8


class CfbTea(_Cfb):
    """Over a Tea."""

    run = staticmethod(_tea)


class CfbXtea(_Cfb):
    """Over an Xtea."""

    run = staticmethod(_xtea)
