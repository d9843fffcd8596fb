"""MicroPython: file objects over a blocking `Socket`. Twin: `_sync_file_cpy`."""

import io
from errno import EAGAIN

_BUFFER = 256


def makefile(sock, mode, buffering, encoding, errors, newline):
    """Return a file object over a socket: see `Socket.makefile`."""
    for c in mode:
        if c not in "rwb":
            raise ValueError("mode must be of r, w and b, not %r" % mode)
    if "b" not in mode:
        raise ValueError("only binary files here: give makefile() 'rb', 'wb' or 'rwb'")
    return File(sock, _BUFFER if buffering is None or buffering < 0 else buffering)


class File(io.IOBase):
    """A binary file over a socket, and a stream for those who take one (json.load, print, ssl).

    Reads through a small buffer; writes go to the socket at once. Nothing that was received is
    lost by a timeout.
    """

    def __init__(self, sock, n_buffer):
        self._sock = sock
        self._n_buffer = n_buffer or 1
        self._buf = b""
        self._off = 0
        self._is_open = True

    def readinto(self, buf, n=-1):
        """Read into `buf` until it is full (or n bytes); fewer at the end of file, or where a
        socket that does not block has no more; None: nothing, but it is not the end."""
        view = memoryview(buf)
        if 0 <= n < len(view):
            view = view[:n]
        n = self._cut_into(view)
        while n < len(view):
            try:
                k = self._check().recv_into(view[n:] if n else view)
            except OSError as error:
                if error.errno == EAGAIN:
                    return n or None
                self._put_back(view[:n])
                raise
            if not k:
                break
            n += k
        return n

    def read(self, n=-1):
        """Return n bytes, or what there is, as readinto(); n < 0: all until the end of file."""
        if n >= 0:
            data = bytearray(n)
            k = self.readinto(data)
            return k if k is None else bytes(memoryview(data)[:k])
        data = b""
        while self._fill(data):
            data += self._cut(len(self._buf))
        return data

    def readline(self, n=-1):
        """Return a line with its newline; without one at the end of file, or after n bytes. On a
        socket that does not block OSError(EAGAIN) when there is no whole line yet."""
        data = b""
        while not data.endswith(b"\n") and (n < 0 or len(data) < n) and self._fill(data):
            end = self._buf.find(b"\n", self._off) + 1 or len(self._buf)
            if 0 <= n < len(data) + end - self._off:
                end = self._off + n - len(data)
            data += self._cut(end)
        return data

    def write(self, data):
        """Send all of it; return how many bytes that were. A socket that does not block takes
        what fits; None: nothing."""
        sock = self._check()
        if sock.gettimeout() != 0:
            sock.sendall(data)
            return len(data)
        try:
            return sock.send(data)
        except OSError as error:
            if error.errno != EAGAIN:
                raise
            return None

    def flush(self):
        """Does nothing: what was written is on its way."""

    def close(self):
        """Close the file; and the socket, if that was closed before its last file."""
        if self._is_open:
            self._is_open = False
            self._sock._file_closed()

    def ioctl(self, request, arg):
        """The stream protocol, as the socket's."""
        if request == 4:
            self.close()
            return 0
        flags = self._sock.ioctl(request, arg)
        if request == 3 and self._off < len(self._buf):
            flags |= 1 & arg
        return flags

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self):
        return self

    def __exit__(self, kind, error, tb):
        self.close()

    # inside

    def _check(self):
        if not self._is_open:
            raise ValueError("I/O operation on closed file")
        return self._sock

    def _cut_into(self, view):
        """Take what lies in the buffer."""
        n = min(len(view), len(self._buf) - self._off)
        if n:
            view[:n] = memoryview(self._buf)[self._off : self._off + n]
            self._off += n
        return n

    def _cut(self, end):
        """Take the buffer's bytes up to `end`."""
        data = self._buf[self._off : end]
        self._off = end
        return data

    def _put_back(self, data):
        """(The buffer is empty.)"""
        self._buf = bytes(data)
        self._off = 0

    def _fill(self, data):
        """Have something in the buffer; False at the end of file. If that fails, put back what
        has been read in this call."""
        if self._off < len(self._buf):
            return True
        try:
            self._put_back(self._check().recv(self._n_buffer))
        except OSError:
            self._put_back(data)
            raise
        return bool(self._buf)
