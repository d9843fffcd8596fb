"""ChaCha20-Poly1305 (RFC 8439): "chacha20-poly1305", an AEAD with a 256-bit key.

kcp-go takes any AEAD; this one has the frame of AES-GCM (`_aead.py`). For machines without AES in
hardware. Nonces are random: use a key for at most 2**32 packets, as with GCM.

Three engines: `cryptography` on CPython; plain Python over numbers of 63 bits (`_chacha_wide`) or,
on 32-bit MicroPython, of 31 bits (`_chacha_narrow`). The plain ones allocate nothing per packet,
and take the same time whatever key and data are, as far as Python's arithmetic does.
"""

import sys

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON


def new(name, key, fill):
    """Return a codec over the best engine for this platform."""
    if not MICROPYTHON:
        try:
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

            from ._aead_cpy import Aead

            return Aead(ChaCha20Poly1305(key), fill)
        except ImportError:  # `cryptography` is not installed
            pass
        except UnsupportedAlgorithm:  # its OpenSSL has been built without
            pass
    from ._chacha_aead import ChachaPoly

    if VIPER:
        from ._chacha_viper import ChaCha20, Poly1305
    elif sys.maxsize > 0x7FFFFFFF:
        from ._chacha_wide import ChaCha20, Poly1305
    else:
        from ._chacha_narrow import ChaCha20, Poly1305
    return ChachaPoly(ChaCha20(key), Poly1305(), fill)
