"""XOR of a keystream over a part of a buffer: one twin for CPython, one for MicroPython."""

import sys
from array import array
from io import BytesIO

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON

#: Array type of the words that MicroPython XORs: the longest that is never a heap object.
WORD = "I" if sys.maxsize > 0x7FFFFFFF else "H"
WORD_BYTES = array(WORD).itemsize if not MICROPYTHON else 4 if WORD == "I" else 2


class MixerInts:
    """Holds `n_bytes` (a multiple of 4) of keystream in the array `ks`. For CPython: big ints."""

    def __init__(self, n_bytes):
        self.ks = array(WORD, bytes(n_bytes))

    def apply(self, buf, off, end):
        """XOR buf[off:end] with the keystream."""
        n = end - off
        ks = memoryview(self.ks).cast("B")[:n]
        mixed = int.from_bytes(buf[off:end], "little") ^ int.from_bytes(ks, "little")
        buf[off:end] = mixed.to_bytes(n, "little")


class MixerWords:
    """The same for MicroPython, without allocating: word by word in an array of its own.

    Bytes get there and back by way of a BytesIO, see _pure_upy.py.
    """

    def __init__(self, n_bytes):
        self.ks = array(WORD, bytes(n_bytes))
        self._work = array(WORD, bytes(n_bytes))
        self._io = BytesIO(n_bytes + 64)

    def apply(self, buf, off, end):
        """XOR buf[off:end] with the keystream."""
        io, work, ks = self._io, self._work, self.ks
        n = end - off
        io.seek(0)
        io.write(buf, off, n)
        io.seek(0)
        io.readinto(work, n)
        for i in range((n + WORD_BYTES - 1) // WORD_BYTES):
            work[i] ^= ks[i]
        io.seek(0)
        io.write(buf, off)
        io.write(work, n)
        io.seek(0)
        io.readinto(buf, end)


class MixerViper:
    """The same where MicroPython makes machine code."""

    def __init__(self, n_bytes):
        self.ks = array("I", bytes(n_bytes))

    def apply(self, buf, off, end):
        """XOR buf[off:end] with the keystream."""
        viper_xor(buf, off, end, self.ks)


if VIPER:
    from kcp._viper import xor as viper_xor

    Mixer = MixerViper
else:
    Mixer = MixerWords if MICROPYTHON else MixerInts
