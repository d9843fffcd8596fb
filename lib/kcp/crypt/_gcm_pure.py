"""AES-GCM (SP 800-38D) over any AES: MicroPython's cryptolib, or plain Python.

Counter mode is one call over prepared counter blocks, of which the nonce alone changes. GHASH is
the slow part: Shoup's method with a table of 256 multiples of H (McGrew and Viega, "The
Galois/Counter Mode of Operation", section 4.1), the value held in five numbers of 24 bits and one
of 8, which are no heap objects on any MicroPython: nothing is allocated.

Bits are counted as GCM does, from the left: shifting right multiplies by x.
"""

from array import array

from kcp._compat import const

from ._aead import HEAD, TAIL, Aead

_BLOCKS = const(94)  # for 1500 bytes
_REDUCE = 0xE1 << 120  # x**128 = 1 + x + x**2 + x**7


class Ghash:
    """GHASH with no associated data. h: the 16 bytes E(0)."""

    def __init__(self, h):
        self._low = bytearray(256)
        self._limbs = tuple([array("I", bytes(1024)) for _ in range(5)])
        self._back = array("H", bytes(512))
        self._y = bytearray(16)
        v = int.from_bytes(h, "big")
        multiples = [0] * 256  # of H by the polynomial whose coefficients are the bits of i
        for bit in range(8):
            multiples[0x80 >> bit] = v
            v = v >> 1 ^ (_REDUCE if v & 1 else 0)
        for i in range(256):
            v = multiples[i & -i] ^ multiples[i & i - 1] if i & i - 1 else multiples[i]
            multiples[i] = v
            self._low[i] = v & 0xFF
            for k in range(5):
                self._limbs[k][i] = v >> (104 - 24 * k) & 0xFFFFFF
            v = i
            for _ in range(8):
                v = v >> 1 ^ (_REDUCE if v & 1 else 0)
            self._back[i] = v >> 112

    def tag(self, buf, off, end, tag):
        """Write the GHASH of buf[off:end] and its length into the bytearray tag."""
        y = self._y
        for i in range(16):
            tag[i] = 0
        n_bits = 8 * (end - off)
        while off < end:
            n = end - off if end - off < 16 else 16
            for i in range(n):
                y[i] = tag[i] ^ buf[off + i]
            for i in range(n, 16):
                y[i] = tag[i]
            self._times_h(y, tag)
            off += 16
        for i in range(16):
            y[i] = tag[i]
        y[13] ^= n_bits >> 16
        y[14] ^= n_bits >> 8 & 0xFF
        y[15] ^= n_bits & 0xFF
        self._times_h(y, tag)

    def _times_h(self, y, out):
        """Write the product of y and H into out: by Horner's rule, last byte first."""
        t0, t1, t2, t3, t4 = self._limbs
        t5, back = self._low, self._back
        a = b = c = d = e = f = 0
        for i in range(15, -1, -1):
            x = y[i]
            r = back[f]
            f = e & 0xFF ^ t5[x]
            e = (e >> 8 | (d & 0xFF) << 16) ^ t4[x]
            d = (d >> 8 | (c & 0xFF) << 16) ^ t3[x]
            c = (c >> 8 | (b & 0xFF) << 16) ^ t2[x]
            b = (b >> 8 | (a & 0xFF) << 16) ^ t1[x]
            a = a >> 8 ^ r << 8 ^ t0[x]
        i = 0
        while i < 15:
            out[i] = a >> 16
            out[i + 1] = a >> 8 & 0xFF
            out[i + 2] = a & 0xFF
            a = b  # one by one: a tuple would be allocated
            b = c
            c = d
            d = e
            i += 3
        out[15] = f


class Gcm(Aead):
    """encrypt(src, dst): AES over whole blocks, such as cryptolib.aes(key, 1).encrypt; ghash: a
    class like Ghash."""

    def __init__(self, encrypt, fill, ghash=Ghash):
        super().__init__(fill, 16 * _BLOCKS)
        self._encrypt = encrypt
        block = bytearray(16)
        encrypt(block, block)
        self._ghash = ghash(block)
        self._counters = bytearray(16 * _BLOCKS)
        for i in range(_BLOCKS):
            self._counters[16 * i + 15] = i + 2
        counters, stream = memoryview(self._counters), memoryview(self._mixer.ks)
        word_bytes = 16 * _BLOCKS // len(self._mixer.ks)
        self._views = tuple(
            [(counters[:n], stream[: n // word_bytes]) for n in (32, 64, 128, 512, 16 * _BLOCKS)]
        )
        self._nonce = bytearray(HEAD)
        self._first = bytearray(16)  # counter 1, which masks the tag
        self._first[15] = 1
        self._mask = bytearray(16)

    def stream(self, buf, n):
        """Prepare the keystream of a payload of n bytes, under the nonce buf[0:12]."""
        for views in self._views:
            if len(views[0]) >= n:
                break
        counters, nonce = self._counters, self._nonce
        for i in range(HEAD):
            nonce[i] = buf[i]
        for i in range(0, n, 16):
            counters[i : i + HEAD] = nonce
        self._encrypt(views[0], views[1])
        self._first[:HEAD] = nonce
        self._encrypt(self._first, self._mask)

    def make_tag(self, buf, end):
        """Put the tag of the ciphertext buf[12:end] into self._tag."""
        tag, mask = self._tag, self._mask
        self._ghash.tag(buf, HEAD, end, tag)
        for i in range(TAIL):
            tag[i] ^= mask[i]
