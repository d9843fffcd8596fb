"""CFB mode by way of the package `cryptography`: one context per direction for ever.

CFB needs nothing but the block before: so what the last packet left in the register garbles only
the first block of the next one, and that block is the nonce: random when sealed, never looked at
when opened. (The first packet finds there what kcp-go has.) The same with blocks of 8 bytes, of
which the nonce has two.

So that each packet begins on a block's edge, the run goes to the end of its last block.
"""

import warnings

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.algorithms import AES

try:  # CFB is moving there; the old place warns
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:
    from cryptography.hazmat.primitives.ciphers.modes import CFB

try:  # where old ciphers are moving, too
    from cryptography.hazmat.decrepit.ciphers import algorithms as old_algorithms
except ImportError:
    old_algorithms = algorithms

from ._frame import IV, Framed

__all__ = ("AES", "Cfb", "by_name")


class Cfb(Framed):
    """algorithm: an object of `cryptography`, with its key in it."""

    def __init__(self, algorithm, fill):
        super().__init__(fill)
        block_bytes = algorithm.block_size // 8
        self._edge = block_bytes - 1
        cipher = Cipher(algorithm, CFB(IV[:block_bytes]))
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        self._run(self._encrypt, buf, n)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place, except its first block."""
        self._run(self._decrypt, buf, n)

    def _run(self, update, buf, n):
        edge = self._edge
        end = n + edge & ~edge
        if end > len(buf):
            buf[:n] = update(buf[:n] + bytes(end - n))[:n]
        else:
            buf[:end] = update(buf[:end])


def by_name(algorithm, key, fill):
    """Return a codec over an algorithm of that name; ImportError if it is not supported."""
    with warnings.catch_warnings():  # older versions warn of what they keep in the other place
        warnings.simplefilter("ignore")
        kind = getattr(old_algorithms, algorithm, None) or getattr(algorithms, algorithm, None)
    if kind is None:
        raise ImportError(algorithm)
    try:
        return Cfb(kind(key), fill)
    except UnsupportedAlgorithm:  # this build of OpenSSL has it not
        raise ImportError(algorithm)
