"""ChaCha20-Poly1305 in plain Python: the construction of RFC 8439, section 2.8."""

from kcp._compat import const

from ._aead import HEAD, Aead

_BLOCKS = const(24)  # of 64 bytes, for 1500


class ChachaPoly(Aead):
    """chacha, poly: a ChaCha20 and a Poly1305 of `_chacha_wide` or `_chacha_narrow`."""

    def __init__(self, chacha, poly, fill):
        super().__init__(fill, 64 * _BLOCKS)
        self._chacha = chacha
        self._poly = poly
        self._first = bytearray(64)  # keystream block 0: its beginning is Poly1305's key
        self._end = bytearray(16)

    def stream(self, buf, n):
        """Prepare the keystream of a payload of n bytes, under the nonce buf[0:12]."""
        chacha = self._chacha
        chacha.start(buf)
        chacha.block(0, self._first, 0)
        ks = self._mixer.ks
        for i in range((n + 63) >> 6):
            chacha.block(i + 1, ks, 64 * i)

    def make_tag(self, buf, end):
        """Put the tag of the ciphertext buf[12:end] into self._tag."""
        poly, block = self._poly, self._end
        n = end - HEAD
        poly.start(self._first)
        whole = end - (n & 15)
        poly.update(buf, HEAD, whole, 1)
        if whole < end:
            for i in range(16):
                block[i] = buf[whole + i] if whole + i < end else 0
            poly.update(block, 0, 16, 1)
        for i in range(16):
            block[i] = 0
        block[8] = n & 0xFF  # the length of the ciphertext; that of associated data is 0
        block[9] = n >> 8
        poly.update(block, 0, 16, 1)
        poly.finish(self._tag)
