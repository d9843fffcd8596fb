"""Opening Twofish packets on CPython: all blocks at once, see _lanes_cpy.py.

The tables work on bytes: byte j of a word, of all blocks, is a bytes object that passes through
bytes.translate(), once for each byte of the word that a table gives.
"""

from ._lanes_cpy import Lanes

_from_bytes = int.from_bytes


class TwofishLanes(Lanes):
    """cipher: a Twofish. A lane has 128 bits, a word and 96 bits of room."""

    def __init__(self, cipher, fill):
        super().__init__(cipher, fill)
        self._tables = [
            [bytes([word >> shift & 255 for word in words]) for shift in (0, 8, 16, 24)]
            for words in cipher.tables()
        ]

    def keystream(self, data, size, ones, mask, words):
        """Return the encryption of the blocks of data, as a little-endian number."""
        x = _from_bytes(data, "little")
        a = x & mask ^ words[0]
        b = x >> 32 & mask ^ words[1]
        c = x >> 64 & mask ^ words[2]
        d = x >> 96 & mask ^ words[3]
        for i in range(8, 40, 2):
            t, u = self._looked_up(a.to_bytes(size, "little"), b.to_bytes(size, "little"))
            t += u
            c ^= t + words[i] & mask
            c = c >> 1 & mask | (c & ones) << 31
            d = ((d << 1 | d >> 31) & mask) ^ (t + u + words[i + 1] & mask)
            a, b, c, d = c, d, a, b
        # After an even number of exchanges; the halves leave exchanged.
        x = c ^ words[4] | (d ^ words[5]) << 32 | (a ^ words[6]) << 64 | (b ^ words[7]) << 96
        return x & (1 << 8 * len(data)) - 1

    def _looked_up(self, a, b):
        """Return g of the words of a, and of those of b rotated left by 8 bits, in lanes."""
        n = len(a) // 16
        total = 0
        for j in range(4):
            plane = a[j::16] + b[(j - 1) % 4 :: 16]
            p, q, r, s = self._tables[j]
            plane = (
                plane.translate(p) + plane.translate(q) + plane.translate(r) + plane.translate(s)
            )
            total ^= _from_bytes(plane, "little")
        planes = total.to_bytes(8 * n, "little")
        t, u = bytearray(16 * n), bytearray(16 * n)
        for i in range(4):
            t[i::16] = planes[2 * n * i : 2 * n * i + n]
            u[i::16] = planes[2 * n * i + n : 2 * n * (i + 1)]
        return _from_bytes(t, "little"), _from_bytes(u, "little")
