"""Salsa20 for CPython: all blocks of a packet at once, in the lanes of big ints.

A lane has 64 bits: a 32-bit word and room for a carry or a shift. Word w of all n blocks are n
lanes; four words that go through the same step together are one number (a diagonal of the matrix,
4 * n lanes). So a packet of 22 blocks takes as many operations as one block, each over 5632 bits.
The words of a diagonal change places between column and row rounds: numbers are rotated by n, 2n
and 3n lanes.
"""

from array import array
from struct import unpack

from ._frame import Framed
from .salsa20 import CONSTANTS

_M32 = 0xFFFFFFFF
# The words of the 4x4 matrix in the four numbers, in the order of their lanes.
_DIAGONALS = ((0, 5, 10, 15), (4, 9, 14, 3), (8, 13, 2, 7), (12, 1, 6, 11))


class _Lanes:
    """What depends on the number of blocks and on the key, not on the nonce."""

    def __init__(self, n, key_words):
        self.n = n
        self.bits = 64 * n  # n lanes
        ones = sum(1 << 64 * i for i in range(n))
        self.mask = (
            ones * _M32 * (1 + (1 << self.bits) + (1 << 2 * self.bits) + (1 << 3 * self.bits))
        )
        self.ones = ones
        words = [0] * 16
        words[0], words[5], words[10], words[15] = [c * ones for c in CONSTANTS]
        words[1:5] = [k * ones for k in key_words[:4]]
        words[11:15] = [k * ones for k in key_words[4:]]
        words[8] = sum(i << 64 * i for i in range(n))  # the block counter
        self.start = [
            sum(words[w] << self.bits * i for i, w in enumerate(row)) for row in _DIAGONALS
        ]
        # Words 6 and 7 are the nonce: the third lanes of the last diagonal, the fourth of c.
        self.at_6 = ones << 2 * self.bits
        self.at_7 = ones << 3 * self.bits


def _rounds(a, b, c, d, bits, mask):
    """Twenty rounds over the four diagonals."""
    bits2, bits3 = 2 * bits, 3 * bits
    low, low2 = (1 << bits) - 1, (1 << bits2) - 1
    low3 = (1 << bits3) - 1
    for _ in range(10):
        t = a + d & mask
        b ^= (t << 7 | t >> 25) & mask
        t = b + a & mask
        c ^= (t << 9 | t >> 23) & mask
        t = c + b & mask
        d ^= (t << 13 | t >> 19) & mask
        t = d + c & mask
        a ^= (t << 18 | t >> 14) & mask
        b = (b & low3) << bits | b >> bits3
        c = (c & low2) << bits2 | c >> bits2
        d = (d & low) << bits3 | d >> bits
        t = a + b & mask
        d ^= (t << 7 | t >> 25) & mask
        t = d + a & mask
        c ^= (t << 9 | t >> 23) & mask
        t = c + d & mask
        b ^= (t << 13 | t >> 19) & mask
        t = b + c & mask
        a ^= (t << 18 | t >> 14) & mask
        b = (b & low) << bits3 | b >> bits
        c = (c & low2) << bits2 | c >> bits2
        d = (d & low3) << bits | d >> bits3
    return a, b, c, d


class Salsa20(Framed):
    """key: 32 bytes."""

    def __init__(self, key, fill):
        super().__init__(fill)
        self._key_words = unpack("<8I", key)
        self._lanes = [None] * 25  # by the number of blocks

    def encrypt(self, buf, n):
        """Encrypt (or decrypt) buf[0:n] in place, except its first 8 bytes."""
        stream = self.keystream(buf[:8], (n + 55) // 64)[: n - 8]
        mixed = int.from_bytes(buf[8:n], "little") ^ int.from_bytes(stream, "little")
        buf[8:n] = mixed.to_bytes(n - 8, "little")

    decrypt = encrypt

    def keystream(self, nonce, n_blocks) -> bytes:
        """Return the first n_blocks * 64 bytes, at most 24 blocks, under a nonce of 8 bytes."""
        lanes = self._lanes[n_blocks]
        if lanes is None:
            lanes = self._lanes[n_blocks] = _Lanes(n_blocks, self._key_words)
        bits, mask = lanes.bits, lanes.mask
        low, high = unpack("<2I", nonce)
        start_a, start_b, start_c, start_d = lanes.start
        start_d += low * lanes.at_6
        start_c += high * lanes.at_7
        a, b, c, d = _rounds(start_a, start_b, start_c, start_d, bits, mask)
        words = [None] * 16
        lane_mask = (1 << bits) - 1
        for value, row in zip(
            (a + start_a & mask, b + start_b & mask, c + start_c & mask, d + start_d & mask),
            _DIAGONALS,
        ):
            for i in range(4):
                words[row[i]] = value >> bits * i & lane_mask
        out = array("Q", bytes(64 * n_blocks))
        for i in range(8):
            pairs = words[2 * i] | words[2 * i + 1] << 32
            out[i::8] = array("Q", pairs.to_bytes(8 * n_blocks, "little"))
        return out.tobytes()
