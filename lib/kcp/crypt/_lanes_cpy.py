"""Opening packets on CPython: all blocks at once, in the lanes of big ints.

CFB needs the encryption of the vector and of all ciphertext blocks but the last, all of which are
known. A block is a lane; its words become numbers of their own, which have the rest of the lane
(32 bits for TEA and XTEA) as room for shifts and carries. What a shift to the right brings over
from the next lane lands in the highest bits, which nothing carries into and the mask takes away.
So a packet takes as many operations as one block, each over up to 12,288 bits.

Sealing is serial by nature and stays with the words of `_cfb_words.py`.
"""

from ._cfb_words import CfbWords
from ._frame import IV

_M = 0xFFFFFFFF
# Packets are padded to one of these lengths (bytes), for each of which constants are kept.
_SIZES = (192, 768, 1536)
_from_bytes = int.from_bytes


class Lanes(CfbWords):
    """For a cipher that lists all words it works with as constants()."""

    def __init__(self, cipher, fill):
        super().__init__(cipher, fill)
        self._block_bytes = 4 * cipher.WORDS
        self._words = cipher.constants()
        self._spread = {}  # length -> (every lane 1, every word _M, the constants in every lane)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
        step = self._block_bytes
        padding = bytes(-n % step)
        size = _SIZES[(n > _SIZES[0]) + (n > _SIZES[1])]
        spread = self._spread.get(size)
        if spread is None:
            spread = self._spread[size] = self._spread_over(size)
        data = buf[:n] + padding
        stream = self.keystream(IV[:step] + data[:-step], size, *spread)
        buf[:n] = (_from_bytes(data, "little") ^ stream).to_bytes(size, "little")[:n]

    def _spread_over(self, size):
        step = self._block_bytes
        ones = _from_bytes(b"\1".ljust(step, b"\0") * (size // step), "little")
        return ones, ones * _M, [word * ones for word in self._words]


class _BigEndianPairs(Lanes):
    def keystream(self, data, size, ones, mask, words):
        """Return the encryption of the blocks of data, as a little-endian number."""
        end = len(data)
        x = _from_bytes(data, "big")
        y, z = self._rounds(x >> 32 & mask, x & mask, mask, words)
        return _from_bytes((y << 32 | z).to_bytes(size, "big")[size - end :], "little")


class TeaLanes(_BigEndianPairs):
    """cipher: a Tea."""

    def _rounds(self, y, z, mask, words):
        k0, k1, k2, k3 = words[:4]
        for s in words[4:]:
            y = y + ((z << 4) + k0 ^ z + s ^ (z >> 5) + k1) & mask
            z = z + ((y << 4) + k2 ^ y + s ^ (y >> 5) + k3) & mask
        return y, z


class XteaLanes(_BigEndianPairs):
    """cipher: an Xtea."""

    def _rounds(self, y, z, mask, words):
        steps = iter(words)
        for s, t in zip(steps, steps):
            y = y + ((z << 4 ^ z >> 5) + z ^ s) & mask
            z = z + ((y << 4 ^ y >> 5) + y ^ t) & mask
        return y, z
