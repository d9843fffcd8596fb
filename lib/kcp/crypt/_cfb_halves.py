"""CFB mode over block ciphers in plain Python that work on halves of words, 16 bits.

For 32-bit MicroPython, where these fit small ints, so that nothing is allocated per packet. The
ciphers are made as _cfb_words.py says, but n counts halves; in what order the two of a word come
is said by ORDER as well. Their keys are set up by the ciphers over words, once.
"""

import sys
from array import array
from io import BytesIO
from struct import pack_into, unpack

from kcp._compat import const

from ._frame import IV, Framed

_LONGEST = const(1504)  # bytes of a packet, up to the end of its last block


def halves(words):
    """Return the upper and the lower halves of numbers, as two arrays."""
    return array("H", [x >> 16 for x in words]), array("H", [x & 0xFFFF for x in words])


def in_halves(words):
    """Return each number's upper and lower half, in a row, as a tuple."""
    found = []
    for x in words:
        found.append(x >> 16)
        found.append(x & 0xFFFF)
    return tuple(found)


def registers(cipher):
    """Return the vector as the halves that the cipher's run() takes."""
    return unpack(cipher.ORDER + "%dH" % (2 * cipher.WORDS), IV[: 4 * cipher.WORDS])


class CfbHalves(Framed):
    """Halves get into an array by way of a BytesIO (see _mix.py)."""

    def __init__(self, cipher, fill):
        super().__init__(fill)
        self._cipher_run = cipher.run
        self._is_swapped = (cipher.ORDER == ">") != (sys.byteorder == "big")
        self._form = cipher.ORDER + "8H"
        self._reg = registers(cipher)
        self._io = BytesIO(_LONGEST + 64)
        self._w = array("H", bytes(_LONGEST))

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        self._run(buf, n, False)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
        self._run(buf, n, True)

    def _run(self, buf, n, opening):
        io, w = self._io, self._w
        io.seek(0)
        io.write(buf, n)
        io.seek(0)
        io.readinto(w, n)
        n_halves = (n + 15) >> 4 << 3
        if self._is_swapped:
            for i in range(n_halves):
                x = w[i]
                w[i] = (x & 255) << 8 | x >> 8
        self._cipher_run(w, n_halves, self._reg, opening)
        form = self._form
        for i in range(0, n_halves, 8):
            pack_into(
                form, buf, i << 1,
                w[i], w[i + 1], w[i + 2], w[i + 3], w[i + 4], w[i + 5], w[i + 6], w[i + 7],
            )  # fmt: skip
