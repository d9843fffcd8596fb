"""What both Poly1305s share (RFC 8439, section 2.5): the ways into limbs and out of them.

The accumulator and r are lists of limbs, little end first, of `bits` bits each, 130 in all.
Nothing here allocates.
"""

_CLAMP = b"\xff\xff\xff\x0f\xfc\xff\xff\x0f\xfc\xff\xff\x0f\xfc\xff\xff\x0f"


class PolyBase:
    """n_limbs * bits = 130. A subclass gives update()."""

    def __init__(self, n_limbs, bits):
        self._bits = bits
        self._r = [0] * n_limbs
        self._h = [0] * n_limbs
        self._key = None

    def start(self, key):
        """Begin with the one-time key in the first 32 bytes of the buffer (kept until finish)."""
        self._key = key
        bits, r, h = self._bits, self._r, self._h
        mask = (1 << bits) - 1
        value = n_bits = k = 0
        for i in range(16):
            value |= (key[i] & _CLAMP[i]) << n_bits
            n_bits += 8
            if n_bits >= bits:
                r[k] = value & mask
                value >>= bits
                n_bits -= bits
                k += 1
        r[k] = value
        for i in range(len(h)):
            h[i] = 0

    def finish(self, tag):
        """Write the tag into the bytearray `tag`."""
        self._reduce()
        bits, h, key = self._bits, self._h, self._key
        value = n_bits = k = carry = 0
        for i in range(16):
            if n_bits < 8:
                value |= h[k] << n_bits
                n_bits += bits
                k += 1
            carry += (value & 0xFF) + key[16 + i]
            tag[i] = carry & 0xFF
            carry >>= 8
            value >>= 8
            n_bits -= 8

    def _reduce(self):
        """Make the accumulator the least number it is modulo 2**130 - 5."""
        bits, h = self._bits, self._h
        mask = (1 << bits) - 1
        n = len(h)
        carry = 0
        for _ in range(2):
            for i in range(n):
                carry += h[i]
                h[i] = carry & mask
                carry >>= bits
            carry *= 5  # 2**130 = 5; 0 at the second time, as update() leaves less than 2**131
        carry = 5
        for i in range(n):
            carry = (carry + h[i]) >> bits
        if carry:  # 2**130 - 5 or more: take that off
            carry = 5
            for i in range(n):
                carry += h[i]
                h[i] = carry & mask
                carry >>= bits
