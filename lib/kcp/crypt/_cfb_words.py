"""CFB mode (SP 800-38A) over block ciphers in plain Python that work on 32-bit words.

Such a cipher has
- ORDER: of the bytes in a word, ">" or "<"; WORDS: of a block, 2 or 4;
- run(w, n, reg, opening), which seals or opens the n words of w in place, `reg` being the words of
  the block before the first one. The whole packet is one call, because calls are what Python is
  slow at; only the encryption of blocks is needed, for both ways.

Nothing is allocated per packet on a 64-bit MicroPython. On a 32-bit one a word is a heap object
as soon as it does not fit 31 bits, tens of thousands of them per packet; there most ciphers have a
twin over halves of words (_cfb_halves.py).
"""

import sys
from array import array
from io import BytesIO
from struct import pack, pack_into, unpack

from kcp._compat import MICROPYTHON, const

from ._frame import IV, Framed

_LONGEST = const(1504)  # bytes of a packet, up to the end of its last block

#: Are words heap objects?
NARROW = MICROPYTHON and sys.maxsize <= 0x7FFFFFFF


def table(values):
    """Return 32-bit numbers as what is looked up fastest, a list; on a device as an array."""
    return array("I", values) if MICROPYTHON else list(values)


def block(cipher, data) -> bytes:
    """Encrypt one block; for setting up, and for tests."""
    form = cipher.ORDER + "%dI" % cipher.WORDS
    w = [0] * cipher.WORDS
    cipher.run(w, cipher.WORDS, unpack(form, data), False)
    return pack(form, *w)


class _CfbWords(Framed):
    def __init__(self, cipher, fill):
        super().__init__(fill)
        self._cipher_run = cipher.run
        self._order = cipher.ORDER
        self._reg = unpack(cipher.ORDER + "%dI" % cipher.WORDS, IV[: 4 * cipher.WORDS])

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        self._run(buf, n, False)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
        self._run(buf, n, True)


class CfbWordsLists(_CfbWords):
    """For CPython: words are unpacked into a list."""

    def _run(self, buf, n, opening):
        end = n + 15 & ~15
        form = self._order + "%dI" % (end // 4)
        w = list(unpack(form, buf[:n] + bytes(end - n)))
        self._cipher_run(w, end // 4, self._reg, opening)
        buf[:n] = pack(form, *w)[:n]


class CfbWordsArray(_CfbWords):
    """For MicroPython: words get into an array by way of a BytesIO (see _mix.py)."""

    def __init__(self, cipher, fill):
        super().__init__(cipher, fill)
        self._is_swapped = (cipher.ORDER == ">") != (sys.byteorder == "big")
        self._form = cipher.ORDER + "4I"
        self._io = BytesIO(_LONGEST + 64)
        self._w = array("I", bytes(_LONGEST))

    def _run(self, buf, n, opening):
        io, w = self._io, self._w
        io.seek(0)
        io.write(buf, n)
        io.seek(0)
        io.readinto(w, n)
        n_words = (n + 15) >> 4 << 2
        if self._is_swapped:
            for i in range(n_words):
                x = w[i]
                x = (x & 0xFF00FF) << 8 | x >> 8 & 0xFF00FF
                w[i] = (x & 0xFFFF) << 16 | x >> 16
        self._cipher_run(w, n_words, self._reg, opening)
        form = self._form
        for i in range(0, n_words, 4):
            pack_into(form, buf, i << 2, w[i], w[i + 1], w[i + 2], w[i + 3])


CfbWords = CfbWordsArray if MICROPYTHON else CfbWordsLists


def codec(cipher, algorithm, key, fill):
    """Return a codec over the `algorithm` of the package `cryptography`, else over `cipher`.

    cipher: a class that makes one of a key.
    """
    if not MICROPYTHON:
        try:
            from ._cfb_cpy import by_name

            return by_name(algorithm, key, fill)
        except ImportError:  # it is not installed, or has no such algorithm
            pass
    return CfbWords(cipher(key), fill)
