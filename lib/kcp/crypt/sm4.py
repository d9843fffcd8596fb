"""SM4 (GB/T 32907-2016; ISO/IEC 18033-3) in CFB mode: "sm4", with a key of 16 bytes.

SBOX and the linear step L of one byte are one look-up in four tables of 256 words, 4 KB that all
sessions share.
"""

from binascii import unhexlify
from struct import unpack

from kcp._compat import const

from ._cfb_words import NARROW, codec, table

_M = const(0xFFFFFFFF)
_N_ROUNDS = const(32)
_FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)

SBOX = unhexlify(
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699"
    "9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6"
    "4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35"
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e"
    "eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3"
    "1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51"
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0"
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948"
)


def _rotated(x, n):
    return (x << n | x >> 32 - n) & _M


def tables(shifts):
    """L(SBOX[x]) of a byte x that stands so many bits from the end of a word."""
    found = []
    for shift in shifts:
        words = []
        for s in SBOX:
            x = s << shift
            words.append(x ^ _rotated(x, 2) ^ _rotated(x, 10) ^ _rotated(x, 18) ^ _rotated(x, 24))
        found.append(table(words))
    return tuple(found)


_TABLES = []  # made when they are first needed


def schedule(key):
    """Return the 32 round keys, in fours."""
    k = [word ^ constant for word, constant in zip(unpack(">4I", key), _FK)]
    for i in range(_N_ROUNDS):
        x = k[i + 1] ^ k[i + 2] ^ k[i + 3]
        for j in range(4):
            x ^= ((4 * i + j) * 7 & 255) << 24 - 8 * j  # the constant CK
        x = (
            SBOX[x >> 24] << 24
            | SBOX[x >> 16 & 255] << 16
            | SBOX[x >> 8 & 255] << 8
            | SBOX[x & 255]
        )
        k.append(k[i] ^ x ^ _rotated(x, 13) ^ _rotated(x, 23))
    return tuple([tuple(k[i : i + 4]) for i in range(4, 4 + _N_ROUNDS, 4)])


class Sm4:
    """key: 16 bytes."""

    ORDER = ">"
    WORDS = 4

    def __init__(self, key):
        self._keys = schedule(key)
        if not _TABLES:
            _TABLES.extend(tables((24, 16, 8, 0)))

    def run(self, w, n, reg, opening):
        """CFB over the n words of w (see _cfb_words.py)."""
        keys = self._keys
        t0, t1, t2, t3 = _TABLES
        a, b, c, d = reg
        for i in range(0, n, 4):
            for k0, k1, k2, k3 in keys:
                x = b ^ c ^ d ^ k0
                a ^= t0[x >> 24] ^ t1[x >> 16 & 255] ^ t2[x >> 8 & 255] ^ t3[x & 255]
                x = c ^ d ^ a ^ k1
                b ^= t0[x >> 24] ^ t1[x >> 16 & 255] ^ t2[x >> 8 & 255] ^ t3[x & 255]
                x = d ^ a ^ b ^ k2
                c ^= t0[x >> 24] ^ t1[x >> 16 & 255] ^ t2[x >> 8 & 255] ^ t3[x & 255]
                x = a ^ b ^ c ^ k3
                d ^= t0[x >> 24] ^ t1[x >> 16 & 255] ^ t2[x >> 8 & 255] ^ t3[x & 255]
            p = w[i]
            q = w[i + 1]
            r = w[i + 2]
            s = w[i + 3]
            x = d ^ p  # the words leave in reverse
            w[i] = x
            y = c ^ q
            w[i + 1] = y
            c = b ^ r
            w[i + 2] = c
            d = a ^ s
            w[i + 3] = d
            if opening:
                a = p
                b = q
                c = r
                d = s
            else:
                a = x
                b = y


def new(name, key, fill):
    """Return a codec over `cryptography`, or in plain Python."""
    if NARROW:
        from ._cfb_halves import CfbHalves
        from ._sm4_narrow import Sm4Halves

        return CfbHalves(Sm4Halves(key), fill)
    return codec(Sm4, "SM4", key, fill)
