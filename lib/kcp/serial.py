"""Datagrams over a serial line, or any other stream of bytes: a carrier (see `carrier`).

Two framings, the same one at both ends:

    "cobs"          00 | COBS(datagram | CRC-32 of it, little endian) | 00. No zero byte occurs
                    inside, so whatever garbage comes, the frame behind the next zero is read
                    again; what has a wrong sum is dropped and counted. 7 bytes more per datagram,
                    and one for every 254.
    "serialpacket"  FF 00 AA 55 | length, 2 bytes, little endian | datagram: what the Go package
                    serialpacket speaks. Neither checked nor escaped: use a crypt (`none` has a
                    CRC-32). A frame that was cut short takes the beginning of the next one along.

The stream is anything with write(view) -> bytes taken (None or 0: none now), and readinto(view) or
read(n), that does not wait: machine.UART, a pyserial object with timeout=0, a raw file; on CPython
also the number of a file descriptor, such as a pseudo-terminal's. Where it has any() (UART) or
in_waiting (pyserial), no more than that is asked for.

Memory: two datagrams each way and a chunk of 256 bytes. In steady state nothing is allocated but a
view per write, where the length differs from the last one's.
"""

import os

from ._compat import const
from ._kernels import Crc32
from .carrier import Carrier, copy, pollable

_CHUNK = const(256)
_MAX_FILLS = const(8)  # chunks looked at in one recv_into() that finds no datagram
_SERIALPACKET_MTU = const(994)
_MAX_MTU = const(1400)


class SerialCarrier(Carrier):
    """A stream of bytes with frames in it (see the module's text).

    framing: "cobs" or "serialpacket"; mtu: bytes of a datagram at most, 50 to 1400 (serialpacket:
    994, its limit). poll_ms: how often to look where the stream cannot be waited for.
    n_bad: frames dropped: too long, or wrong in their sum or code; n_garbage: bytes outside any
    frame (serialpacket); n_errors: times the stream raised OSError; n_too_long: datagrams refused.
    """

    def __init__(self, stream, framing: str = "cobs", mtu=None, poll_ms: int = 5):
        limit = _SERIALPACKET_MTU if framing == "serialpacket" else _MAX_MTU
        if mtu is None:
            mtu = min(limit, 1000)
        if not 50 <= mtu <= limit:
            raise ValueError("mtu must be 50..%d bytes with this framing, not %r" % (limit, mtu))
        if framing == "cobs":
            from ._serial_cobs import Framing
        elif framing == "serialpacket":
            from ._serial_packet import Framing
        else:
            raise ValueError('framing is "cobs" or "serialpacket", not %r' % (framing,))
        self.mtu = mtu
        self.poll_ms = poll_ms
        self._stream = stream = _Descriptor(stream) if isinstance(stream, int) else stream
        self.poll_on = pollable(stream)
        self._any = getattr(stream, "any", None)
        self._has_in_waiting = hasattr(stream, "in_waiting")
        self._readinto = getattr(stream, "readinto", None)
        self._framing = Framing(mtu, Crc32())
        self._chunk = bytearray(_CHUNK)
        self._chunk_view = memoryview(self._chunk)
        self._at = self._end = 0  # what of the chunk is not looked at yet
        self._sent = bytearray(mtu)  # the datagram that is in the frame
        self._sent_n = 0
        self._frame_at = self._frame_n = 0  # what of the frame is not written yet
        self._view = memoryview(b"")
        self._view_at = -1
        self.n_errors = self.n_too_long = 0

    @property
    def n_bad(self) -> int:
        """Frames dropped so far."""
        return self._framing.n_bad

    @property
    def n_garbage(self) -> int:
        """Bytes outside any frame so far (serialpacket)."""
        return self._framing.n_garbage

    # sending

    def send(self, buf, n, key=None):
        """Write buf[0:n] as a frame. 0: the stream has not taken all of it yet."""
        if n > self.mtu:
            self.n_too_long += 1
            return -1
        if self._frame_at < self._frame_n:  # a frame is on its way: this one?
            is_same = n == self._sent_n and memoryview(buf)[:n] == memoryview(self._sent)[:n]
            if not self._write():
                return 0
            if is_same:
                return n
        copy(self._sent, buf, n)
        self._sent_n = n
        self._frame_at = 0
        self._frame_n = self._framing.encode(buf, n)
        return n if self._write() else 0

    def _write(self):
        """Write what is left of the frame; True: all is written."""
        frame = self._framing.out
        while self._frame_at < self._frame_n:
            n_left = self._frame_n - self._frame_at
            if len(self._view) != n_left or self._view_at != self._frame_at:
                self._view = memoryview(frame)[self._frame_at : self._frame_n]
                self._view_at = self._frame_at
            try:
                n = self._stream.write(self._view)
            except OSError:  # as BlockingIOError it means that there is no room
                self.n_errors += 1
                n = 0
            if not n:
                return False
            self._frame_at += n
        return True

    # receiving

    def recv_into(self, buf):
        """Return the next datagram's length, 0 if none is complete."""
        framing = self._framing
        for _ in range(_MAX_FILLS):
            while self._at < self._end:
                self._at = framing.feed(self._chunk, self._at, self._end)
                n = framing.n_ready
                if n:
                    framing.n_ready = 0
                    if n <= len(buf):
                        copy(buf, framing.ready, n)
                        return n
            if not self._fill():
                break
        return 0

    def _fill(self):
        try:
            n = self._read()
        except OSError:
            self.n_errors += 1
            n = 0
        self._at = 0
        self._end = n
        return n

    def _read(self):
        """Read what is here, up to a chunk; return how many bytes."""
        n_wanted = _CHUNK
        if self._any is not None:
            n_wanted = min(int(self._any()), _CHUNK)
        elif self._has_in_waiting:
            n_wanted = min(self._stream.in_waiting, _CHUNK)
        if n_wanted <= 0:
            return 0
        view = self._chunk_view
        if self._readinto is not None:
            return self._readinto(view if n_wanted == _CHUNK else view[:n_wanted]) or 0
        data = self._stream.read(n_wanted) or b""
        view[: len(data)] = data
        return len(data)


class _Descriptor:
    """A file descriptor, made non-blocking (CPython)."""

    def __init__(self, fd):
        os.set_blocking(fd, False)
        self._fd = fd

    def fileno(self):
        return self._fd

    def readinto(self, view):
        try:
            return os.readv(self._fd, [view])
        except BlockingIOError:
            return 0

    def write(self, view):
        try:
            return os.write(self._fd, view)
        except BlockingIOError:
            return 0
