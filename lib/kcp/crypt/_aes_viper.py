"""AES as machine code, for MicroPython (see `_viper.py`): where the platform has none, or not for
keys of 192 bits. The class of `_aes_pure`, with its warning about tables.
"""

from array import array

import micropython

from . import _aes_pure
from ._frame import IV, Framed

_MASK = 0xFFFFFFFF  # an argument, as it is a heap object on a 32-bit build


def _table():
    """Return the words (2s, s, s, 3s) of s = SBOX[x]; the other three are its rotations."""
    words = array("I", bytes(1024))
    for x in range(256):
        s = _aes_pure.SBOX[x]
        twice = (s << 1 ^ (0x11B if s & 0x80 else 0)) & 0xFF
        words[x] = twice << 24 | s << 16 | s << 8 | twice ^ s
    return words


_TABLE = _table()


class Aes(_aes_pure.Aes):
    """key: 16, 24 or 32 bytes."""

    def block(self, r):
        """Encrypt the 16 bytes of the bytearray r in place."""
        self.run(r, 0, r, 0, 1, 16, 0)

    def encrypt(self, src, dst):
        """Encrypt the blocks of src into dst (as cryptolib in ECB mode)."""
        self.run(src, 0, dst, 0, len(src) >> 4, 16, 0)

    def run(self, src, src_off, dst, dst_off, n, step, mix):
        """Encrypt n blocks, the next one of both being `step` bytes on; mix = 255: into what dst
        holds, by XOR; 0: in its place."""
        keys = self._keys
        n_keys = len(keys)
        _run(src, src_off, dst, dst_off, n, step, mix, keys, n_keys, _TABLE, _aes_pure.SBOX, _MASK)


class CfbAes(Framed):
    """AES-CFB in place. Sealing takes the last block of ciphertext for the next block, opening
    goes backwards, as it needs the ciphertext that it replaces."""

    def __init__(self, key, fill):
        super().__init__(fill)
        self._run = Aes(key).run

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        run = self._run
        run(IV, 0, buf, 0, 1, 16, 255)
        run(buf, 0, buf, 16, (n - 1) >> 4, 16, 255)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
        run = self._run
        n = (n - 1) & ~15
        run(buf, n - 16, buf, n, n >> 4, -16, 255)
        run(IV, 0, buf, 0, 1, 16, 255)


@micropython.viper
def _run(
    src: ptr8, src_off: int, dst: ptr8, dst_off: int, n: int, step: int, mix: int,
    keys: ptr16, n_keys: int, t: ptr32, box: ptr8, m: uint,
):  # fmt: skip
    """As Aes.run(); keys: the round keys, n_keys halves of words."""
    src = ptr8(uint(src) + src_off)
    dst = ptr8(uint(dst) + dst_off)
    while n > 0:
        n -= 1
        a = uint(src[0] << 24 | src[1] << 16 | src[2] << 8 | src[3])
        b = uint(src[4] << 24 | src[5] << 16 | src[6] << 8 | src[7])
        c = uint(src[8] << 24 | src[9] << 16 | src[10] << 8 | src[11])
        d = uint(src[12] << 24 | src[13] << 16 | src[14] << 8 | src[15])
        k = keys
        a ^= uint(k[0] << 16 | k[1])
        b ^= uint(k[2] << 16 | k[3])
        c ^= uint(k[4] << 16 | k[5])
        d ^= uint(k[6] << 16 | k[7])
        i = 16
        while i < n_keys:
            k = ptr16(uint(k) + 16)
            i += 8
            e = a
            f = b
            g = c
            x = uint(t[int(f >> 16 & 255)])
            y = uint(t[int(g >> 8 & 255)])
            z = uint(t[int(d & 255)])
            a = uint(t[int(e >> 24 & 255)]) ^ (x >> 8 | x << 24) ^ (y >> 16 | y << 16)
            a = (a ^ (z >> 24 | z << 8) ^ uint(k[0] << 16 | k[1])) & m
            x = uint(t[int(g >> 16 & 255)])
            y = uint(t[int(d >> 8 & 255)])
            z = uint(t[int(e & 255)])
            b = uint(t[int(f >> 24 & 255)]) ^ (x >> 8 | x << 24) ^ (y >> 16 | y << 16)
            b = (b ^ (z >> 24 | z << 8) ^ uint(k[2] << 16 | k[3])) & m
            x = uint(t[int(d >> 16 & 255)])
            y = uint(t[int(e >> 8 & 255)])
            z = uint(t[int(f & 255)])
            c = uint(t[int(g >> 24 & 255)]) ^ (x >> 8 | x << 24) ^ (y >> 16 | y << 16)
            c = (c ^ (z >> 24 | z << 8) ^ uint(k[4] << 16 | k[5])) & m
            x = uint(t[int(e >> 16 & 255)])
            y = uint(t[int(f >> 8 & 255)])
            z = uint(t[int(g & 255)])
            d = uint(t[int(d >> 24 & 255)]) ^ (x >> 8 | x << 24) ^ (y >> 16 | y << 16)
            d = (d ^ (z >> 24 | z << 8) ^ uint(k[6] << 16 | k[7])) & m
        k = ptr16(uint(k) + 16)
        dst[0] = box[int(a >> 24 & 255)] ^ k[0] >> 8 ^ dst[0] & mix
        dst[1] = box[int(b >> 16 & 255)] ^ k[0] ^ dst[1] & mix
        dst[2] = box[int(c >> 8 & 255)] ^ k[1] >> 8 ^ dst[2] & mix
        dst[3] = box[int(d & 255)] ^ k[1] ^ dst[3] & mix
        dst[4] = box[int(b >> 24 & 255)] ^ k[2] >> 8 ^ dst[4] & mix
        dst[5] = box[int(c >> 16 & 255)] ^ k[2] ^ dst[5] & mix
        dst[6] = box[int(d >> 8 & 255)] ^ k[3] >> 8 ^ dst[6] & mix
        dst[7] = box[int(a & 255)] ^ k[3] ^ dst[7] & mix
        dst[8] = box[int(c >> 24 & 255)] ^ k[4] >> 8 ^ dst[8] & mix
        dst[9] = box[int(d >> 16 & 255)] ^ k[4] ^ dst[9] & mix
        dst[10] = box[int(a >> 8 & 255)] ^ k[5] >> 8 ^ dst[10] & mix
        dst[11] = box[int(b & 255)] ^ k[5] ^ dst[11] & mix
        dst[12] = box[int(d >> 24 & 255)] ^ k[6] >> 8 ^ dst[12] & mix
        dst[13] = box[int(a >> 16 & 255)] ^ k[6] ^ dst[13] & mix
        dst[14] = box[int(b >> 8 & 255)] ^ k[7] >> 8 ^ dst[14] & mix
        dst[15] = box[int(c & 255)] ^ k[7] ^ dst[15] & mix
        src = ptr8(uint(src) + step)
        dst = ptr8(uint(dst) + step)
