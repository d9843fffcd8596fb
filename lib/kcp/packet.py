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

Ciphers run over whole blocks, so a buffer must reach to a multiple of 16 bytes behind `end` or n;
what lies between may be spoilt. A datagram longer than 1500 bytes, kcp-go's limit, is refused.

The receiver finds the KCP part at the offset that open() returns, up to n - tail.
"""

from ._compat import const

TOO_SHORT = const(-1)
BAD_SUM = const(-2)


def codec(config, fill):
    """Return the codec for config.crypt; fill(view) writes random bytes over a memoryview."""
    from .crypt import new

    return new(config.crypt, config.key, fill)
