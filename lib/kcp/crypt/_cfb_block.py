"""CFB mode over a block cipher in plain Python. Only its encryption is needed, for both ways.

The cipher has `block_bytes` and block(r), which encrypts the bytearray r in place.
"""

from ._frame import IV, Framed


class CfbBlock(Framed):
    """CFB (SP 800-38A) from kcp-go's fixed vector, byte by byte; allocates nothing by itself."""

    def __init__(self, cipher, fill):
        super().__init__(fill)
        self._block = cipher.block
        self._r = bytearray(cipher.block_bytes)
        self._iv = IV[: cipher.block_bytes]

    def _start(self):
        r, iv = self._r, self._iv
        for i in range(len(r)):  # a slice would be an object, before MicroPython 1.26
            r[i] = iv[i]
        return r

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        r, block = self._start(), self._block
        size = len(r)
        off = 0
        while off < n:
            block(r)
            for i in range(size if off + size <= n else n - off):
                r[i] ^= buf[off + i]
                buf[off + i] = r[i]
            off += size

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place."""
        r, block = self._start(), self._block
        size = len(r)
        off = 0
        while off < n:
            block(r)
            for i in range(size if off + size <= n else n - off):
                c = buf[off + i]
                buf[off + i] = r[i] ^ c
                r[i] = c
            off += size
