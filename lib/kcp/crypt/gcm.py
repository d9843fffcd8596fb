"""AES-GCM (FIPS 197, SP 800-38D): "aes-128-gcm", "aes-192-gcm", "aes-256-gcm".

AEAD (`_aead.py` has the frame): every altered byte is noticed. Nonces are random: a key is good
for 2**32 packets (SP 800-38D, section 8.3).
"""

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON


def new(name, key, fill):
    """Return a codec over the best AES of this platform (see aes.py)."""
    if not MICROPYTHON:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            from ._aead_cpy import Aead

            return Aead(AESGCM(key), fill)
        except ImportError:  # `cryptography` is not installed
            pass
    from ._gcm_pure import Gcm, Ghash
    from .aes import platform_aes

    if VIPER:
        from ._ghash_viper import Ghash
    aes = platform_aes(key)
    if aes is not None:
        return Gcm(aes(key, 1).encrypt, fill, Ghash)
    if VIPER:
        from ._aes_viper import Aes
    else:
        from ._aes_pure import Aes
    return Gcm(Aes(key).encrypt, fill, Ghash)
