"""AES (FIPS 197) in CFB mode (SP 800-38A, full blocks): "aes-128", "aes-192", "aes-256" = "aes".

Three engines, the first that there is: `cryptography` (CPython), the platform's `cryptolib`
(MicroPython; not for 192-bit keys), plain Python.
"""

from kcp._backend import VIPER
from kcp._compat import MICROPYTHON


def platform_aes(key):
    """Return cryptolib.aes if the platform has it for a key of this length, else None."""
    if len(key) == 24:
        return None
    try:
        from cryptolib import aes

        return aes
    except ImportError:
        return None


def new(name, key, fill):
    """Return a codec over the best AES of this platform."""
    if not MICROPYTHON:
        try:
            from . import _cfb_cpy

            return _cfb_cpy.Cfb(_cfb_cpy.AES(key), fill)
        except ImportError:  # `cryptography` is not installed
            pass
    aes = platform_aes(key)
    if aes is not None:
        from ._cfb_aes import CfbAes

        return CfbAes(key, fill, aes)
    if VIPER:
        from . import _aes_viper

        return _aes_viper.CfbAes(key, fill)
    from ._aes_pure import Aes
    from ._cfb_block import CfbBlock

    return CfbBlock(Aes(key), fill)
