"""AES-GCM (FIPS 197, SP 800-38D): "aes-128-gcm", "aes-192-gcm", "aes-256-gcm".

AEAD: nonce 12 in clear, payload encrypted, tag 16; no checksum, no associated data. The only
ciphers here that notice every alteration. Nonces are random: a key is good for 2**32 packets
(SP 800-38D, section 8.3).
"""

from kcp._compat import MICROPYTHON

HEAD = 12
TAIL = 16
MAX = 1500


def new(name, key, fill):
    """Return a codec over the best AES of this platform (see aes.py)."""
    if not MICROPYTHON:
        try:
            from ._gcm_cpy import Gcm

            return Gcm(key, fill)
        except ImportError:  # `cryptography` is not installed
            pass
    from ._gcm_pure import Gcm
    from .aes import platform_aes

    aes = platform_aes(key)
    if aes is not None:
        return Gcm(aes(key, 1).encrypt, fill)
    from ._aes_pure import Aes

    return Gcm(Aes(key).encrypt, fill)
