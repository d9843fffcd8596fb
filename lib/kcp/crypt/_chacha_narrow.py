"""ChaCha20 and Poly1305 for small ints of 31 bits, so that 32-bit MicroPython allocates nothing.

A word of ChaCha20 is two halves of 16 bits, low before high; the accumulator of Poly1305 is
thirteen limbs of 10 bits. More steps than in `_chacha_wide`, but that one would make a heap object
of nearly every number here, and is slower for it.
"""

from array import array
from struct import pack_into

from kcp._compat import const

from ._poly1305 import PolyBase

_M = const(0xFFFF)
_LIMBS = const(13)
_BITS = const(10)
_MASK = const(1023)


class ChaCha20:
    """ChaCha20 with a 96-bit nonce (RFC 8439, section 2.4). key: 32 bytes."""

    def __init__(self, key):
        state = b"expand 32-byte k" + key + bytes(16)
        self._s = array("H", [state[i] | state[i + 1] << 8 for i in range(0, 64, 2)])
        self._x = [0] * 32

    def start(self, nonce):
        """Take the nonce from the first 12 bytes of a buffer."""
        s = self._s
        for i in range(6):
            s[26 + i] = nonce[2 * i] | nonce[2 * i + 1] << 8

    def block(self, counter, out, off):
        """Write the 64 bytes of keystream block `counter` to out[off:] (off in bytes)."""
        s, x = self._s, self._x
        s[24] = counter & _M
        s[25] = counter >> 16
        for i in range(32):
            x[i] = s[i]
        for _ in range(10):
            _quarter(x, 0, 8, 16, 24)
            _quarter(x, 2, 10, 18, 26)
            _quarter(x, 4, 12, 20, 28)
            _quarter(x, 6, 14, 22, 30)
            _quarter(x, 0, 10, 20, 30)
            _quarter(x, 2, 12, 22, 24)
            _quarter(x, 4, 14, 16, 26)
            _quarter(x, 6, 8, 18, 28)
        for i in range(0, 32, 2):
            low = x[i] + s[i]
            high = x[i + 1] + s[i + 1] + (low >> 16)
            pack_into("<HH", out, off, low & _M, high & _M)
            off += 4


def _quarter(x, a, b, c, d):
    """A quarter round over the words whose low halves are x[a], x[b], x[c], x[d]."""
    al = x[a] + x[b]
    ah = x[a + 1] + x[b + 1] + (al >> 16) & _M
    al &= _M
    dh = x[d] ^ al  # turned by 16: the halves change places
    dl = x[d + 1] ^ ah
    cl = x[c] + dl
    ch = x[c + 1] + dh + (cl >> 16) & _M
    cl &= _M
    bl = x[b] ^ cl
    bh = x[b + 1] ^ ch
    t = (bh << 12 | bl >> 4) & _M
    bl = (bl << 12 | bh >> 4) & _M
    bh = t
    al += bl
    x[a + 1] = ah = ah + bh + (al >> 16) & _M
    x[a] = al = al & _M
    dl ^= al
    dh ^= ah
    t = (dh << 8 | dl >> 8) & _M
    x[d] = dl = (dl << 8 | dh >> 8) & _M
    x[d + 1] = t
    cl += dl
    x[c + 1] = ch = ch + t + (cl >> 16) & _M
    x[c] = cl = cl & _M
    bl ^= cl
    bh ^= ch
    x[b] = (bl << 7 | bh >> 9) & _M
    x[b + 1] = (bh << 7 | bl >> 9) & _M


class Poly1305(PolyBase):
    """Poly1305: start(key), update(...), finish(tag).

    Why it fits: with limbs below 2**12 (one of the message added) and 5 * r below 2**12.4, a sum
    of thirteen products stays below 2**28.1.
    """

    def __init__(self):
        super().__init__(_LIMBS, _BITS)
        self._rr = [0] * (2 * _LIMBS)  # 5 * r, for what goes over 2**130, then r

    def start(self, key):
        """Begin with the one-time key in the first 32 bytes of the buffer (kept until finish)."""
        PolyBase.start(self, key)
        r, rr = self._r, self._rr
        for i in range(_LIMBS):
            rr[i] = 5 * r[i]
            rr[_LIMBS + i] = r[i]

    def update(self, buf, off, end, top):
        """Take the blocks buf[off:end], of 16 bytes each; top: the bit to put behind each one."""
        h = self._h
        while off < end:
            _add(h, 0, buf, off)
            _add(h, 4, buf, off + 5)
            _add(h, 8, buf, off + 10)
            h[12] += buf[off + 15] | top << 8
            self._times_r()
            off += 16

    def _times_r(self):
        h, rr = self._h, self._rr
        h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12 = h
        carry = 0
        for i in range(_LIMBS):
            carry += (
                h0 * rr[i + 13] + h1 * rr[i + 12] + h2 * rr[i + 11] + h3 * rr[i + 10]
                + h4 * rr[i + 9] + h5 * rr[i + 8] + h6 * rr[i + 7] + h7 * rr[i + 6]
                + h8 * rr[i + 5] + h9 * rr[i + 4] + h10 * rr[i + 3] + h11 * rr[i + 2]
                + h12 * rr[i + 1]
            )  # fmt: skip
            h[i] = carry & _MASK
            carry >>= _BITS
        carry = 5 * carry + h[0]
        h[0] = carry & _MASK
        h[1] += carry >> _BITS


def _add(h, k, buf, off):
    """Add the 40 bits at buf[off:] to four limbs."""
    x = buf[off + 1]
    h[k] += buf[off] | (x & 3) << 8
    h[k + 1] += x >> 2 | (buf[off + 2] & 15) << 6
    x = buf[off + 3]
    h[k + 2] += buf[off + 2] >> 4 | (x & 63) << 4
    h[k + 3] += x >> 6 | buf[off + 4] << 2
