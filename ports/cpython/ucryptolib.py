"""MicroPython's cryptolib on CPython, by way of the package `cryptography`.

The same calls, modes, output buffers and errors (MicroPython 1.26, as built for its ports: no
counter mode), so that code written for a device runs in a host's tests:

    aes(key, mode[, iv]).encrypt(data[, out]) and .decrypt(data[, out])

key: 16 or 32 bytes; mode: 1 = ECB, 2 = CBC, which needs iv (16 bytes). data: whole blocks of 16
bytes. out: a buffer of at least as many, may be `data` itself; it is returned (without it new
bytes are). CBC goes on from call to call. One object either encrypts or decrypts, not both.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ("aes",)

_ECB = 1
_CBC = 2
_ABSENT = object()


def _bytes_of(data):
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise TypeError("object with buffer protocol required") from None


class aes:
    """AES under one key."""

    def __init__(self, key, mode, iv=None, /):
        if not isinstance(mode, int):
            raise TypeError(f"can't convert {type(mode).__name__} to int")
        if mode not in (_ECB, _CBC):
            raise ValueError("mode")
        key = bytes(_bytes_of(key))
        if len(key) not in (16, 32):
            raise ValueError("key")
        if iv is not None:
            iv = bytes(_bytes_of(iv))
        if len(iv or b"") != 16 and (iv is not None or mode == _CBC):
            raise ValueError("IV")
        self._cipher = Cipher(algorithms.AES(key), modes.ECB() if mode == _ECB else modes.CBC(iv))
        self._encrypts = None  # not known before the first call
        self._update = None

    def encrypt(self, data, out=_ABSENT, /):
        """Return the encryption of data, as bytes or in `out`."""
        return self._process(data, out, True)

    def decrypt(self, data, out=_ABSENT, /):
        """Return the decryption of data, as bytes or in `out`."""
        return self._process(data, out, False)

    def _process(self, data, out, encrypts):
        data = _bytes_of(data)
        if len(data) % 16:
            raise ValueError("blksize % 16")
        view = None
        if out is not _ABSENT:
            view = _bytes_of(out)
            if view.readonly:
                raise TypeError("object with buffer protocol required")
            if len(view) < len(data):
                raise ValueError("output too small")
        if self._encrypts is None:
            cipher = self._cipher
            self._encrypts = encrypts
            self._update = (cipher.encryptor() if encrypts else cipher.decryptor()).update
        elif self._encrypts != encrypts:
            raise ValueError("can't encrypt & decrypt")
        result = self._update(data)
        if view is None:
            return result
        view[: len(data)] = result
        return out
