"""AEADs by way of the package `cryptography`: one long-lived object per codec."""

from cryptography.exceptions import InvalidTag

from kcp.packet import BAD_SUM, TOO_SHORT

from ._aead import HEAD, MAX, TAIL


class Aead:
    """cipher: an AESGCM, a ChaCha20Poly1305."""

    head = HEAD
    tail = TAIL

    def __init__(self, cipher, fill):
        self._fill = fill
        self._encrypt, self._decrypt = cipher.encrypt, cipher.decrypt
        self._buf = self._view = self._nonce = None

    def seal(self, buf, end) -> int:
        """Finish the datagram whose payload is buf[head:end]; return its bytes."""
        if buf is not self._buf:
            self._buf = buf
            self._view = memoryview(buf)
            self._nonce = self._view[:HEAD]
        self._fill(self._nonce)
        end_tag = end + TAIL
        self._view[HEAD:end_tag] = self._encrypt(self._nonce, self._view[HEAD:end], None)
        return end_tag

    def open(self, buf, n) -> int:
        """Check the datagram buf[0:n]; return where its payload starts, or a negative code."""
        if n < HEAD + TAIL or n > MAX:
            return TOO_SHORT
        try:
            plain = self._decrypt(buf[:HEAD], buf[HEAD:n], None)
        except InvalidTag:
            return BAD_SUM
        buf[HEAD : n - TAIL] = plain
        return HEAD
