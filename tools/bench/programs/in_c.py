"""What operation.py measures of ARQ objects, of the session in C: it is how C shows its ARQ."""

from kcp.config import Config
from kcp.session import Session

CONV = 1


def session(options):
    """A session that adds nothing to its ARQ: no crypt layer, FEC, controller or pacing."""
    more = {"crypt": "null", "mode": "manual", "cc": "none", "pacing": False, "stream": False}
    more.update(options)
    return Session(CONV, Config(**more), None, 0)


class Arq:
    """As far as operation.py uses it, `kcp.arq.Arq` with a session's verbs."""

    def __init__(self, options, message_bytes):
        self._session = one = session(options)
        self._options = options
        self._message = memoryview(bytearray(message_bytes))
        self._n_bytes = 0  # of the message that is being taken
        self.buffer_bytes = one.buffer_bytes
        self.send, self.flush = one.send, one.flush
        self._output, self._input = one.output, one.input

    def update(self, now_ms):
        """(Output does it.)"""

    def output(self, buf, off, now_ms):
        return self._output(buf, now_ms)

    def input(self, buf, off, n, now_ms):
        self._input(buf, n, now_ms)

    def peek_size(self):
        """Take what has come; the bytes of the message, -1: it is not whole. (A session hands out
        what there is, an ARQ object whole messages.)"""
        while self._n_bytes < len(self._message):
            n = self._session.recv_into(self._message[self._n_bytes :])
            if not n:
                return -1
            self._n_bytes += n
        return self._n_bytes

    def recv_into(self, buf):
        n, self._n_bytes = self._n_bytes, 0
        return n

    def wait_snd(self):
        return self._session.queued_segs

    def open_window(self):
        """Have the peer tell its window."""
        peer = session(self._options)
        buf = bytearray(self.buffer_bytes)
        self._session.probe()
        peer.input(buf, self._output(buf, 0), 0)
        self._input(buf, peer.output(buf, 0), 0)
