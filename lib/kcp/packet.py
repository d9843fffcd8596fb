"""The outer frame of a datagram: nonce, checksum, tag. Sealed and opened in place.

    [ crypt head ][ FEC head 8 ][ KCP segments ... ][ tag ]

A codec owns the first and the last part. The session writes the rest straight to its place behind
the head, so nothing is ever moved:

    n = arq.output(buf, codec.head + fec_head, now)   segments, at their final offset
    fec: header into buf[codec.head:][:8]; parity rows take in buf[codec.head + 6 : end], where the
         size field stands, as the packet passes
    codec.seal(buf, end) -> bytes on the wire

How every kind fits without a copy:
- no crypt: head 0, tail 0; both directions are nothing.
- `none`, and every block cipher: head 20 (nonce 16, CRC-32 4). seal: nonce into buf[0:16], CRC of
  buf[20:end] into buf[16:20], then one run of the cipher over buf[0:end] in place (CFB: output and
  input may be the same buffer). open: the cipher over buf[0:n], then compare the CRC.
- salsa20: the same head; the run covers buf[8:end], buf[0:8] is its nonce.
- AEAD: head 12 (nonce in clear), tail 16. seal: cipher over buf[12:end] in place, tag written to
  buf[end:end+16] (the buffer has that room); open: tag checked, then buf[12:n-16] in place.
- A parity datagram is made in a buffer of its own with the same head left free, then sealed alike.

The receiver finds the KCP part at the offset that open() returns, up to n - tail.
"""

from ._compat import const
from ._kernels import Crc32

TOO_SHORT = const(-1)
BAD_SUM = const(-2)

_NONCE = const(16)
_HEAD = const(20)


class NoCrypt:
    """crypt "null": the datagram is what it carries."""

    head = 0
    tail = 0

    def seal(self, buf, end) -> int:
        """Finish the datagram whose payload is buf[head:end]; return its bytes."""
        return end

    def open(self, buf, n) -> int:
        """Check the datagram buf[0:n]; return where its payload starts, or a negative code."""
        return 0


class NoCipher:
    """crypt "none": 16 random bytes and the CRC-32 of what follows, nothing encrypted."""

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
        return end

    def open(self, buf, n) -> int:
        """Check the datagram buf[0:n]; return where its payload starts, or a negative code."""
        if n < _HEAD + 4:  # the shortest that the CRC takes; the shortest of use is longer
            return TOO_SHORT
        crc = self._crc.of(buf, _HEAD, n)
        if (
            buf[16] != crc & 0xFF
            or buf[17] != crc >> 8 & 0xFF
            or buf[18] != crc >> 16 & 0xFF
            or buf[19] != crc >> 24
        ):
            return BAD_SUM
        return _HEAD


def codec(config, fill):
    """Return the codec for config.crypt; fill(view) writes random bytes over a memoryview."""
    return NoCrypt() if config.crypt == "null" else NoCipher(fill)
