"""Salsa20/20 (Bernstein, "Salsa20 specification", 2005), a 256-bit key and a nonce of 8 bytes.

Not CFB: the first 8 bytes of the datagram are the nonce and stay as they are; the rest is XORed
with the keystream from block 0 on. Key words are little-endian, as everything in Salsa20.
"""

from struct import unpack

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON

#: "expand 32-byte k" as four words
CONSTANTS = unpack("<4I", b"expand 32-byte k")


def new(name, key, fill):
    """Return a codec over the twin for this runtime."""
    if VIPER:
        from ._salsa20_viper import Salsa20
    elif MICROPYTHON:
        from ._salsa20_upy import Salsa20
    else:
        from ._salsa20_cpy import Salsa20
    return Salsa20(key, fill)
