"""Frames of `serial`: those of the Go package serialpacket. FF 00 AA 55, length, datagram."""

from ._compat import const

_HEAD = b"\xff\x00\xaa\x55"
_HEAD_BYTES = const(6)


class Framing:
    """Encodes into `out`; decodes what is fed into ready[0:n_ready]."""

    def __init__(self, mtu, crc):
        self.limit = mtu
        self.out = bytearray(mtu + _HEAD_BYTES)
        self.out[:4] = _HEAD
        self.ready = bytearray(mtu)
        self.n_ready = 0
        self.n_bad = 0
        self.n_garbage = 0
        self._n_head = 0  # bytes of the head so far
        self._n = self._size = 0

    def encode(self, buf, n):
        """Put the frame of buf[0:n] into out; return its length."""
        out = self.out
        out[4] = n & 0xFF
        out[5] = n >> 8
        for i in range(n):
            out[_HEAD_BYTES + i] = buf[i]
        return n + _HEAD_BYTES

    def feed(self, chunk, at, end):
        """Take chunk[at:end] up to the end of a datagram; return where it goes on."""
        while at < end:
            byte = chunk[at]
            at += 1
            if self._n_head < _HEAD_BYTES:
                self._head(byte)
                continue
            self.ready[self._n] = byte
            self._n += 1
            if self._n == self._size:
                self._n_head = 0
                self.n_ready = self._n
                break
        return at

    def _head(self, byte):
        """Take one byte of a frame's head."""
        n = self._n_head
        if n < 4:
            if byte == _HEAD[n]:
                self._n_head = n + 1
            else:  # it may be the beginning of the real one
                is_first = byte == _HEAD[0]
                self.n_garbage += n if is_first else n + 1
                self._n_head = 1 if is_first else 0
        elif n == 4:
            self._size = byte
            self._n_head = 5
        else:
            self._size |= byte << 8
            self._n = 0
            self._n_head = _HEAD_BYTES
            if not 0 < self._size <= self.limit:  # an empty datagram is none of KCP's
                self.n_bad += 1
                self._n_head = 0
