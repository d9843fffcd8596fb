"""CPython: file objects over a blocking `Socket`. Twin: `_sync_file_upy`."""

import io


class RawFile(io.RawIOBase):
    """The raw half of what makefile() returns; the `io` classes buffer it."""

    def __init__(self, sock, can_read, can_write):
        super().__init__()
        self._sock = sock
        self._can_read = can_read
        self._can_write = can_write
        self._has_timed_out = False

    def readable(self) -> bool:
        """True if the file was made for reading."""
        return self._can_read and not self.closed

    def writable(self) -> bool:
        """True if the file was made for writing."""
        return self._can_write and not self.closed

    def fileno(self) -> int:
        """The socket's: see `Socket.fileno`."""
        return -1 if self.closed else self._sock.fileno()

    def readinto(self, buf):
        """Receive into `buf`; None: nothing is here, and the socket does not block."""
        self._check(self._can_read)
        if self._has_timed_out:
            raise OSError("cannot read after a timeout: the buffer may have lost what had come")
        try:
            return self._sock.recv_into(buf)
        except BlockingIOError:
            return None
        except TimeoutError:
            self._has_timed_out = True
            raise

    def write(self, data):
        """Send what fits; None: nothing does, and the socket does not block."""
        self._check(self._can_write)
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return None

    def close(self):
        """Close the file; and the socket, if that was closed before its last file."""
        if not self.closed:
            super().close()
            self._sock._file_closed()

    def _check(self, can):
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if not can:
            raise io.UnsupportedOperation("the file was made for the other direction")


def makefile(sock, mode, buffering, encoding, errors, newline):
    """Return a file object over a socket: see `Socket.makefile`."""
    if set(mode) - set("rwb"):
        raise ValueError("mode must be of r, w and b, not %r" % mode)
    can_write = "w" in mode
    can_read = "r" in mode or not can_write
    is_text = "b" not in mode
    if buffering == 0 and is_text:
        raise ValueError("unbuffered files must be binary")
    raw = RawFile(sock, can_read, can_write)
    if buffering == 0:
        return raw
    n = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
    if can_read and can_write:
        file = io.BufferedRWPair(raw, raw, n)
    elif can_read:
        file = io.BufferedReader(raw, n)
    else:
        file = io.BufferedWriter(raw, n)
    return io.TextIOWrapper(file, encoding, errors, newline) if is_text else file
