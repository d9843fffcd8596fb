"""Codecs over the C module `_kcp`: a whole packet, with its frame, in one call.

They have the interface of `_frame.Framed` and `_aead.Aead`. The key's schedule lies in a bytearray
of ours, made once, so nothing is allocated per packet.
"""

import _kcp

from kcp._backend import wanted_name
from kcp._compat import MICROPYTHON, const

# Numbers of native/core/kcp_crypt.h.
_KINDS = {
    "none": 1,
    "xor": 2,
    "salsa20": 3,
    "aes-128": 4,
    "aes-192": 5,
    "aes": 6,
    "aes-256": 6,
    "aes-128-gcm": 7,
    "aes-192-gcm": 8,
    "aes-256-gcm": 9,
    "chacha20-poly1305": 10,
    "sm4": 11,
    "twofish": 12,
    "blowfish": 13,
    "cast5": 14,
    "3des": 15,
    "tea": 16,
    "xtea": 17,
}
_FIRST_AEAD = const(7)
_LAST_AEAD = const(10)


def codec(name, key, fill):
    """Return a codec in C; None if the plain twin is to be taken.

    That is so for what is not in this build, and for AES on CPUs without instructions for it if
    the platform has it otherwise: `cryptography`, or `cryptolib` for CFB. (The core's own takes
    the same time for all data and keys, and that is slow.) KCP_BACKEND=native takes C for all.
    """
    kind = _KINDS.get(name, 0)
    n_bytes = _kcp.crypt_bytes(kind)
    if not n_bytes:
        return None
    if name == "xor":
        from .xor import table_of

        key = table_of(key)
    memory = bytearray(n_bytes)
    is_hardware = _kcp.crypt_init(memory, kind, key or b"", False)
    if name[:3] == "aes" and not is_hardware and _platform_is_better(name, key):
        return None
    return Codec(memory, kind, fill)


def _platform_is_better(name, key):
    if wanted_name() == "native":
        return False
    if MICROPYTHON:
        from .aes import platform_aes

        return name[-3:] != "gcm" and platform_aes(key) is not None
    try:
        import cryptography  # noqa: F401

        return True
    except ImportError:
        return False


class Codec:
    """memory: a codec that _kcp.crypt_init() has made, of this kind."""

    def __init__(self, memory, kind, fill):
        is_aead = _FIRST_AEAD <= kind <= _LAST_AEAD
        self.head = 12 if is_aead else 20
        self.tail = 16 if is_aead else 0
        self.memory = memory
        self._fill = fill
        self._nonce = bytearray(16)  # an AEAD takes 12 of them; fill() is at its best with 16

    def seal(self, buf, end) -> int:
        """Finish the datagram whose payload is buf[head:end]; return its bytes."""
        nonce = self._nonce
        self._fill(nonce)
        return _kcp.seal(self.memory, buf, end, nonce)

    def open(self, buf, n) -> int:
        """Check the datagram buf[0:n]; return where its payload starts, or a negative code."""
        return _kcp.open(self.memory, buf, n)

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place; not for an AEAD."""
        _kcp.run(self.memory, buf, n, False)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place; not for an AEAD."""
        _kcp.run(self.memory, buf, n, True)
