"""AES (FIPS 197) in plain Python, encryption only, for where there is no other.

The state is eight numbers of 16 bits, two per column, so that nothing is a heap object on a 32-bit
MicroPython; SubBytes, ShiftRows and MixColumns of one byte are two look-ups in four tables of 256
such numbers (2 KB), after Daemen and Rijmen, "The Design of Rijndael", section 4.2.

Look-ups take a time that depends on the data, so a program on the same machine may learn the key
from the cache; a platform's own AES is to be preferred for that reason too.
"""

from array import array
from struct import pack_into

_RCON = b"\x01\x02\x04\x08\x10\x20\x40\x80\x1b\x36"


def _sbox():
    box = bytearray(256)
    p = q = 1
    while True:  # p runs through all powers of 3, q through their inverses
        p = (p ^ p << 1 ^ (0x11B if p & 0x80 else 0)) & 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 9
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = x & 0xFF ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return bytes(box)


def _tables():
    """Tables of (2s, s), (3s, 2s), (s, 3s), (s, s), s being SBOX[x]."""
    a, b, c, d = (array("H", bytes(512)) for _ in range(4))
    for x in range(256):
        s = SBOX[x]
        twice = (s << 1 ^ (0x11B if s & 0x80 else 0)) & 0xFF
        a[x] = twice << 8 | s
        b[x] = (twice ^ s) << 8 | twice
        c[x] = s << 8 | twice ^ s
        d[x] = s << 8 | s
    return a, b, c, d


SBOX = _sbox()
_TABLES = _tables()


def _expand(key):
    """Return the round keys as 16-bit numbers."""
    n = len(key)
    k = bytearray(key)
    n_rounds = n // 4 + 6
    for i in range(n, 16 * (n_rounds + 1), 4):
        w = [k[i - 4], k[i - 3], k[i - 2], k[i - 1]]
        if i % n == 0:
            w = [SBOX[w[1]] ^ _RCON[i // n - 1], SBOX[w[2]], SBOX[w[3]], SBOX[w[0]]]
        elif n == 32 and i % n == 16:
            w = [SBOX[x] for x in w]
        k += bytes([k[i - n + j] ^ w[j] for j in range(4)])
    return array("H", [k[i] << 8 | k[i + 1] for i in range(0, len(k), 2)])


class Aes:
    """key: 16, 24 or 32 bytes."""

    block_bytes = 16

    def __init__(self, key):
        self._keys = _expand(key)
        self._r = bytearray(16)

    def block(self, r):
        """Encrypt the 16 bytes of the bytearray r in place."""
        a, b, c, d = _TABLES  # (a tuple on the right would be allocated)
        k = self._keys
        s0 = (r[0] << 8 | r[1]) ^ k[0]
        s1 = (r[2] << 8 | r[3]) ^ k[1]
        s2 = (r[4] << 8 | r[5]) ^ k[2]
        s3 = (r[6] << 8 | r[7]) ^ k[3]
        s4 = (r[8] << 8 | r[9]) ^ k[4]
        s5 = (r[10] << 8 | r[11]) ^ k[5]
        s6 = (r[12] << 8 | r[13]) ^ k[6]
        s7 = (r[14] << 8 | r[15]) ^ k[7]
        last = len(k) - 8
        for i in range(8, last, 8):
            w = s0 >> 8
            x = s2 & 255
            y = s5 >> 8
            z = s7 & 255
            t0 = a[w] ^ b[x] ^ c[y] ^ d[z] ^ k[i]
            t1 = c[w] ^ d[x] ^ a[y] ^ b[z] ^ k[i + 1]
            w = s2 >> 8
            x = s4 & 255
            y = s7 >> 8
            z = s1 & 255
            t2 = a[w] ^ b[x] ^ c[y] ^ d[z] ^ k[i + 2]
            t3 = c[w] ^ d[x] ^ a[y] ^ b[z] ^ k[i + 3]
            w = s4 >> 8
            x = s6 & 255
            y = s1 >> 8
            z = s3 & 255
            t4 = a[w] ^ b[x] ^ c[y] ^ d[z] ^ k[i + 4]
            t5 = c[w] ^ d[x] ^ a[y] ^ b[z] ^ k[i + 5]
            w = s6 >> 8
            x = s0 & 255
            y = s3 >> 8
            z = s5 & 255
            s6 = a[w] ^ b[x] ^ c[y] ^ d[z] ^ k[i + 6]
            s7 = c[w] ^ d[x] ^ a[y] ^ b[z] ^ k[i + 7]
            s0 = t0
            s1 = t1
            s2 = t2
            s3 = t3
            s4 = t4
            s5 = t5
        box = SBOX
        _put(r, 0, box[s0 >> 8], box[s2 & 255], box[s5 >> 8], box[s7 & 255], k, last)
        _put(r, 4, box[s2 >> 8], box[s4 & 255], box[s7 >> 8], box[s1 & 255], k, last + 2)
        _put(r, 8, box[s4 >> 8], box[s6 & 255], box[s1 >> 8], box[s3 & 255], k, last + 4)
        _put(r, 12, box[s6 >> 8], box[s0 & 255], box[s3 >> 8], box[s5 & 255], k, last + 6)

    def encrypt(self, src, dst):
        """Encrypt the blocks of src into dst (as cryptolib in ECB mode)."""
        r = self._r
        for off in range(0, len(src), 16):
            for i in range(16):
                r[i] = src[off + i]
            self.block(r)
            pack_into("16s", dst, off, r)  # whatever the type of its items


def _put(r, i, w, x, y, z, k, j):
    r[i] = w ^ k[j] >> 8
    r[i + 1] = x ^ k[j] & 255
    r[i + 2] = y ^ k[j + 1] >> 8
    r[i + 3] = z ^ k[j + 1] & 255
