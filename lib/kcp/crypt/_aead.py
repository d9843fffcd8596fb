"""The frame of an AEAD: a nonce of 12 bytes in clear, the payload encrypted, a tag of 16 bytes.

No checksum and no associated data. `Aead` is it in plain Python, over a keystream and a tag that a
subclass makes; `_aead_cpy` over the package `cryptography`.
"""

from kcp.packet import BAD_SUM, TOO_SHORT

from ._mix import Mixer

HEAD = 12
TAIL = 16
MAX = 1500


class Aead:
    """max_stream_bytes: how long the keystream of a datagram may become.

    A subclass gives stream(buf, n), which puts the keystream of n bytes under the nonce buf[0:12]
    into self._mixer.ks, and make_tag(buf, end), which puts the tag of the ciphertext buf[12:end]
    under the same nonce into self._tag. Neither may allocate.
    """

    head = HEAD
    tail = TAIL

    def __init__(self, fill, max_stream_bytes):
        self._fill = fill
        self._mixer = Mixer(max_stream_bytes)
        self._random = bytearray(16)  # fill() is at its best with 16 bytes
        self._tag = bytearray(TAIL)

    def seal(self, buf, end) -> int:
        """Finish the datagram whose payload is buf[head:end]; return its bytes."""
        self._fill(self._random)
        nonce = self._random
        for i in range(HEAD):  # (a slice is an object on older MicroPythons)
            buf[i] = nonce[i]
        self.stream(buf, end - HEAD)
        self._mixer.apply(buf, HEAD, end)
        self.make_tag(buf, end)
        tag = self._tag
        for i in range(TAIL):
            buf[end + i] = tag[i]
        return end + TAIL

    def open(self, buf, n) -> int:
        """Check the datagram buf[0:n]; return where its payload starts, or a negative code."""
        if n < HEAD + TAIL or n > MAX:
            return TOO_SHORT
        end = n - TAIL
        self.stream(buf, end - HEAD)
        self.make_tag(buf, end)
        tag = self._tag
        different = 0
        for i in range(TAIL):  # all of it, however early they differ
            different |= tag[i] ^ buf[end + i]
        if different:
            return BAD_SUM
        self._mixer.apply(buf, HEAD, end)
        return HEAD
