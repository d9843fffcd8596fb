"""AES-CFB by way of MicroPython's cryptolib, which knows ECB and CBC: two calls per packet.

With Y the CBC encryption of the packet P, Y[i+1] = E(P[i] ^ Y[i]), and CFB defined by
C[i] = P[i] ^ Y[i]:

    seal:  C = D(Y)         CBC encryption, then ECB decryption
    open:  P = CBC decryption of E(C), for that is D(E(C[i])) ^ E(C[i-1])

Each step is one call in place, so nothing is XORed in Python and nothing is allocated. The CBC
objects keep their register from packet to packet (the first packet finds there what kcp-go has):
it gets into the first block alone, the nonce: random when sealed, never looked at when opened.

A call takes whole objects. Views of all the lengths that are used (in steps of 16 bytes up to 128,
then of 128) are made when a buffer is first seen; what a run touches behind the packet is spoilt.
"""

from kcp._compat import const

from ._frame import IV, Framed

_ECB = const(1)
_CBC = const(2)
_FINE = const(8)  # this many views in steps of one block, then in steps of eight
_LONGEST = const(1504)


class Views:
    """Beginnings of one buffer, of whole blocks."""

    def __init__(self):
        self._buf = None
        self._views = ()

    def of(self, buf, n):
        """Return a view of buf[0:n], or of somewhat more."""
        if buf is not self._buf:
            self._make(buf)
        n_blocks = (n + 15) >> 4
        return self._views[n_blocks if n_blocks <= _FINE else _FINE - 1 + ((n_blocks + 7) >> 3)]

    def _make(self, buf):
        view = memoryview(buf)
        longest = len(buf) & ~15
        sizes = [16 * i for i in range(_FINE + 1)]
        while sizes[-1] < _LONGEST:
            sizes.append(sizes[-1] + 128)
        self._views = tuple([view[: min(size, longest)] for size in sizes])
        self._buf = buf


class CfbAes(Framed):
    """aes: cryptolib.aes, or a class like it."""

    def __init__(self, key, fill, aes):
        super().__init__(fill)
        self._block = aes(key, _ECB)
        self._unblock = aes(key, _ECB)
        start = self._block.encrypt(IV)
        self._chain = aes(key, _CBC, start)
        self._unchain = aes(key, _CBC, start)
        self._seal_views = Views()
        self._open_views = Views()

    def encrypt(self, buf, n):
        """Encrypt buf[0:n] in place."""
        view = self._seal_views.of(buf, n)
        if len(view) < n:
            raise ValueError("the buffer must have room up to the end of a block of 16 bytes")
        self._chain.encrypt(view, view)
        self._unblock.decrypt(view, view)

    def decrypt(self, buf, n):
        """Decrypt buf[0:n] in place, except its first block."""
        view = self._open_views.of(buf, n)
        self._block.encrypt(view, view)
        self._unchain.decrypt(view, view)
