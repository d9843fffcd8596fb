"""As echo_client.py, with the blocking API and one thread; on both runtimes.

blocking_client.py HOST PORT BYTES SEED OPTIONS      OPTIONS: JSON, see options.py
"""

import hashlib
import json
import sys
from binascii import hexlify
from errno import EAGAIN

from echo_client import CHUNK_BYTES, content
from options import read

from kcp import blocking

AHEAD_BYTES = 65536  # sent and not come back yet


class Echo:
    """Sends content and hashes it, and what comes back."""

    def __init__(self, sock, n_bytes, seed):
        self._sock = sock
        self._chunks = content(n_bytes, seed)
        self._chunk = b""
        self._left = n_bytes  # to be received
        self._ahead = 0
        self.sent, self.back = hashlib.sha256(), hashlib.sha256()

    def run(self):
        """Do all of it."""
        while self._left:
            while self._ahead < AHEAD_BYTES and self._send():
                pass
            self._receive()

    def _send(self):
        """Send a part without waiting for room; False when there is none, or nothing is left."""
        if not self._chunk:
            try:
                self._chunk = next(self._chunks)
            except StopIteration:
                return False
            self.sent.update(self._chunk)
        self._sock.settimeout(0)
        try:
            n = self._sock.send(self._chunk)
        except OSError as error:
            if error.errno != EAGAIN:
                raise
            return False
        self._chunk = self._chunk[n:]
        self._ahead += n
        return True

    def _receive(self):
        self._sock.settimeout(30)
        data = self._sock.recv(CHUNK_BYTES)
        self.back.update(data)
        self._ahead -= len(data)
        self._left -= len(data)


def main(host, port, n_bytes, seed, options):
    with blocking.connect(host, port, **options) as sock:
        echo = Echo(sock, n_bytes, seed)
        echo.run()
    sent, back = echo.sent.digest(), echo.back.digest()
    outcome = {"ok": sent == back, "bytes": n_bytes, "sha256": hexlify(back).decode()}
    outcome["stats"] = sock.stats.as_dict()
    print(json.dumps(outcome))
    return 0 if sent == back else 1


if __name__ == "__main__":
    _, host, port, n_bytes, seed, options = sys.argv
    sys.exit(main(host, int(port), int(n_bytes), int(seed), read(options)))
