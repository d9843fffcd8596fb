"""The frame of everything but AEAD: nonce 16, CRC-32 of what follows 4, payload.

A cipher gives encrypt(buf, n) and decrypt(buf, n), which run over buf[0:n] in place. They may use
(and spoil) up to 15 bytes behind n, which the buffer must have.
"""

from kcp._compat import const
from kcp._kernels import Crc32
from kcp.packet import BAD_SUM, TOO_SHORT

#: kcp-go's fixed initial vector (its beginning for shorter blocks); the nonce is what varies.
IV = b"\xa7\x73\x4f\x9c\x12\xac\x1b\x01\xa4\x15\xf2\xc1\xfc\x78\xe6\x6b"

_NONCE = const(16)
_HEAD = const(20)
_MAX = const(1500)


class Framed:
    """Nonce and checksum around a cipher; by itself kcp-go's "none", which encrypts nothing."""

    head = _HEAD
    tail = 0

    def __init__(self, fill):
        self._fill = fill
        self._crc = Crc32()
        self._buf = self._nonce = None

    def seal(self, buf, end) -> int:
        """Finish the datagram whose payload is buf[head:end]; return its bytes."""
        if buf is not self._buf:  # one view per buffer, not per packet
            self._buf = buf
            self._nonce = memoryview(buf)[:_NONCE]
        self._fill(self._nonce)
        crc = self._crc.of(buf, _HEAD, end)
        buf[16] = crc & 0xFF
        buf[17] = crc >> 8 & 0xFF
        buf[18] = crc >> 16 & 0xFF
        buf[19] = crc >> 24
        self.encrypt(buf, end)
        return end

    def open(self, buf, n) -> int:
        """Check the datagram buf[0:n]; return where its payload starts, or a negative code."""
        # The shortest that the CRC takes (the shortest of use is longer); kcp-go's longest.
        if n < _HEAD + 4 or n > _MAX:
            return TOO_SHORT
        self.decrypt(buf, n)
        crc = self._crc.of(buf, _HEAD, n)
        if (
            buf[16] != crc & 0xFF
            or buf[17] != crc >> 8 & 0xFF
            or buf[18] != crc >> 16 & 0xFF
            or buf[19] != crc >> 24
        ):
            return BAD_SUM
        return _HEAD

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
