"""Frames of `serial`: COBS with a CRC-32 inside, between zero bytes.

COBS (Cheshire and Baker, 1999) writes a block as a code byte and up to 254 bytes that are not
zero: the code says how far the next code is, and a zero stood there unless the code is 255. So
decoding in place only moves bytes behind a code of 255, and puts zeros where codes were.
"""

from ._compat import MICROPYTHON, const

_CRC_BYTES = const(4)
_MIN_BYTES = const(4)  # what the CRC kernel takes
_ZERO = b"\0"
_FULL = const(255)

if MICROPYTHON:

    def _copy(dst, at, src, off, n):
        end = off + n
        while off < end:
            dst[at] = src[off]
            at += 1
            off += 1

else:

    def _copy(dst, at, src, off, n):
        dst[at : at + n] = src[off : off + n]


class Framing:
    """Encodes into `out`; decodes what is fed into ready[0:n_ready]."""

    n_garbage = 0

    def __init__(self, mtu, crc):
        n_bytes = mtu + _CRC_BYTES
        self.limit = n_bytes + n_bytes // 254 + 1
        self.out = bytearray(self.limit + 2)
        self._plain = bytearray(n_bytes)
        self.ready = bytearray(self.limit)
        self._n = 0  # bytes of a frame so far
        self._is_bad = False  # it is too long
        self.n_ready = 0
        self.n_bad = 0
        self._crc = crc

    def encode(self, buf, n):
        """Put the frame of buf[0:n] into out; return its length."""
        plain, out = self._plain, self.out
        _copy(plain, 0, buf, 0, n)
        crc = self._crc.of(plain, 0, n)
        for _ in range(_CRC_BYTES):
            plain[n] = crc & 0xFF
            crc >>= 8
            n += 1
        out[0] = 0
        at = 1
        off = 0
        while True:
            zero = plain.find(_ZERO, off, n)
            run = (n if zero < 0 else zero) - off
            if run >= _FULL - 1:
                run = _FULL - 1
                out[at] = _FULL
            else:
                out[at] = run + 1
            _copy(out, at + 1, plain, off, run)
            at += run + 1
            off += run
            if run < _FULL - 1:
                if off == n:
                    break
                off += 1  # the zero
            elif off == n:
                break
        out[at] = 0
        return at + 1

    def feed(self, chunk, at, end):
        """Take chunk[at:end] up to the end of a datagram; return where it goes on."""
        zero = chunk.find(_ZERO, at, end)
        stop = end if zero < 0 else zero
        n = stop - at
        if self._n + n > self.limit:
            self._is_bad = True
        elif n and not self._is_bad:
            _copy(self.ready, self._n, chunk, at, n)
            self._n += n
        if zero < 0:
            return end
        if self._n or self._is_bad:
            self._decode()
        return zero + 1

    def _decode(self):
        n = 0 if self._is_bad else self._unstuff(self._n)
        self._n = 0
        self._is_bad = False
        n -= _CRC_BYTES
        if n < _MIN_BYTES or not self._is_right(n):
            self.n_bad += 1
        else:
            self.n_ready = n

    def _unstuff(self, n):
        """Decode ready[0:n] in place; return the length, 0 if the codes are wrong."""
        frame = self.ready
        off = at = 0
        while True:
            code = frame[off]
            run = code - 1
            if off + run >= n:
                return 0
            _copy(frame, at, frame, off + 1, run)
            at += run
            off += code
            if off == n:
                return at
            if code != _FULL:
                frame[at] = 0
                at += 1

    def _is_right(self, n):
        crc = self._crc.of(self.ready, 0, n)
        for i in range(n, n + _CRC_BYTES):
            if self.ready[i] != crc & 0xFF:
                return False
            crc >>= 8
        return True
