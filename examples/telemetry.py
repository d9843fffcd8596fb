"""A super-loop that reports measurements and takes commands, without asyncio; on both runtimes.

    telemetry.py HOST [PORT]

Sends a line of JSON every second: {"n": 0, "uptime_ms": 12, "value": 3.14}. Takes lines of JSON:
{"every_ms": 100} changes the pace, {"stop": true} ends it. The loop waits in service(), which does
the protocol's work meanwhile, and returns early when something has come. A measurement for which
there is no room, because the link is slow or gone, is left out: the next one is worth more.
"""

import json
import sys
import time
from errno import EAGAIN

from kcp import blocking


def now_ms():
    return time.time_ns() // 1000000


def measure():
    """Read the sensor: here something that changes."""
    return now_ms() % 1000 / 1000


class Telemetry:
    """The state of the loop."""

    def __init__(self, sock):
        self._sock = sock
        self._partial = b""  # of a line
        self._begin_ms = self._next_ms = now_ms()
        self._every_ms = 1000
        self._n = 0
        self.n_left_out = 0
        self.is_on = True

    def run(self):
        """Loop until told to stop; OSError when the peer is gone."""
        while self.is_on:
            self._commands()
            if now_ms() >= self._next_ms:
                self._report()
            blocking.service(max(self._next_ms - now_ms(), 0))

    def _report(self):
        self._next_ms += self._every_ms
        fields = {"n": self._n, "uptime_ms": now_ms() - self._begin_ms, "value": measure()}
        line = json.dumps(fields).encode() + b"\n"
        self._n += 1
        if self._sock.session.snd_room_bytes >= len(line):
            self._sock.send(line)
        else:
            self.n_left_out += 1

    def _commands(self):
        try:
            self._partial += self._sock.recv(256)
        except OSError as error:
            if error.errno != EAGAIN:
                raise
            return
        *lines, self._partial = self._partial.split(b"\n")
        for line in lines:
            command = json.loads(line)
            print("told:", line.decode())
            self.is_on = not command.get("stop")
            if "every_ms" in command:
                self._every_ms = command["every_ms"]
                self._next_ms = now_ms()


def main(host, port=4000):
    with blocking.connect(host, int(port), crypt="none", probe_ms=5000, timeout=0) as sock:
        telemetry = Telemetry(sock)
        telemetry.run()
        sock.setblocking(True)  # let close() wait until all has arrived
    print("stopped,", telemetry.n_left_out, "left out")


if __name__ == "__main__":
    main(*sys.argv[1:])
