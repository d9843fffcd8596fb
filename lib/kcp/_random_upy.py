"""MicroPython: a generator over the platform's AES, seeded from os.urandom. Twin: `_random_cpy`.

Each block of 16 bytes is the encryption of the one before it (as kcp-go's NewEntropyAES), which
allocates nothing. Within a key no block comes twice: that would take a cycle of the cipher. After
_RESEED blocks (kcp-go: 2**24; here earlier, so that a key that leaks is worth little) there are a
new key and a new block: SHA-256 over _RAW bytes of os.urandom and the block so far. So many,
because some ports hand out raw bits of their hardware: biased ones of a ring oscillator (rp2), or
of a radio that may be off (esp32, esp8266: let it be on). A new key allocates, once in _RESEED
blocks; where the heap is locked just then, the old one goes on and it is tried again soon.

A port without AES or SHA-256 gets os.urandom for every call, which allocates.

One thread may use it: MicroPython's ports differ in what they lock, and so does all of this
library.
"""

import sys
from errno import ENODEV

from ._compat import const

try:
    from os import urandom
except ImportError:
    urandom = None
try:
    from os import uname
except ImportError:
    uname = None
try:
    from hashlib import sha256

    from cryptolib import aes
except ImportError:
    aes = sha256 = None

_RESEED = const(4096)
_RETRY = const(64)
_RAW = const(256)
_MIN_DISTINCT = const(64)  # 256 random bytes hold about 162 values; a stuck source, a few


def known_weak(platform, machine):
    """True for ports whose os.urandom computes its bytes from timers (MicroPython 1.26)."""
    return platform == "WiPy" or (platform == "samd" and "SAMD21" in machine)


def _machine():
    return uname().machine if uname is not None else ""


class Random:
    """Random bytes. source: a function fill(buf) that is used instead, or None.

    urandom, aes, sha256: the platform's, or None where it has none.
    """

    def __init__(self, urandom=urandom, aes=aes, sha256=sha256):
        self.source = None
        self._urandom = None if known_weak(sys.platform, _machine()) else urandom
        self._new_aes = aes
        self._new_hash = sha256
        self._aes = None
        self._block = bytearray(16)
        self._n_left = 0

    def fill(self, buf):
        """Write random bytes over `buf`."""
        if self.source is not None:
            self.source(buf)
            return
        if self._n_left <= 0:
            self._reseed()
        n = len(buf)
        block = self._block
        if self._aes is None:
            buf[:] = self._urandom(n)
        elif n == 16:
            self._n_left -= 1
            self._aes.encrypt(block, block)
            buf[:] = block
        else:
            for i in range(n):
                if i & 15 == 0:
                    self._n_left -= 1
                    self._aes.encrypt(block, block)
                buf[i] = block[i & 15]

    def _reseed(self):
        """Take a new key and a new block from os.urandom; OSError if it is not fit for that."""
        if self._urandom is None:
            raise OSError(
                ENODEV,
                "this port has no os.urandom that is fit for nonces: "
                "give kcp.set_entropy() a source of random bytes",
            )
        try:
            raw = self._urandom(_RAW)
            if len(set(raw)) < _MIN_DISTINCT:
                raise OSError(
                    ENODEV,
                    "os.urandom repeats itself on this machine: "
                    "give kcp.set_entropy() a source of random bytes",
                )
            if self._new_aes is not None and self._new_hash is not None:
                mixed = self._new_hash(raw)
                mixed.update(self._block)
                seed = mixed.digest()
                self._aes = self._new_aes(seed[:16], 1)
                self._block[:] = seed[16:]
            self._n_left = _RESEED
        except MemoryError:
            if self._aes is None:
                raise
            self._n_left = _RETRY
