"""The applications at both ends of a simulated path. Twin: tests/interop/peers/sim/load.go.

An application has `step(now_ms)` (called at every moment at which something happened; reads all
that is readable, then writes), `next_ms(now_ms)` (when it wants to be called by itself; -1 = not
at all) and
`done_ms` (when it had everything it waits for; -1 = not yet). It uses two methods of its peer:
`write(data) -> n` bytes taken, `read_into(buf) -> n`.

Every byte is checked on arrival: what a side sends is a fixed pseudo-random block of prime length,
again and again, so a byte in the wrong place shows.
"""

from .rng import Rng

_BLOCK_BYTES = 4099
_MAX_BYTES = 4096  # most that is written or read at once


def _make_pattern():
    rng = Rng(2026)
    block = bytes([rng.below(256) for _ in range(_BLOCK_BYTES)])
    return block + block[:_MAX_BYTES]


_PATTERN = _make_pattern()


def pattern(offset, n_bytes):
    """Bytes offset .. offset + n_bytes - 1 (at most 4096) of what the sides send."""
    begin = offset % _BLOCK_BYTES
    return _PATTERN[begin : begin + n_bytes]


class Bulk:
    """Sends `out_bytes` as fast as the peer takes them, expects `in_bytes`; either may be 0.

    `chunk_bytes`: size of one write. `stall`: (from_ms, to_ms) during which it reads nothing, or
    None.
    """

    def __init__(self, peer, out_bytes, in_bytes, chunk_bytes, stall=None):
        self.peer = peer
        self.out_bytes = out_bytes
        self.in_bytes = in_bytes
        self.chunk_bytes = chunk_bytes
        self.stall = stall
        self.n_sent = 0
        self.n_received = 0
        self.done_ms = -1 if in_bytes else 0
        self._buf = bytearray(_MAX_BYTES)

    def next_ms(self, now_ms):
        if self.stall and now_ms < self.stall[1]:
            return self.stall[1]
        return -1

    def step(self, now_ms):
        if not self.stall or not self.stall[0] <= now_ms < self.stall[1]:
            self._read(now_ms)
        while self.n_sent < self.out_bytes:
            n_bytes = min(self.chunk_bytes, self.out_bytes - self.n_sent)
            n_taken = self.peer.write(pattern(self.n_sent, n_bytes))
            self.n_sent += n_taken
            if n_taken < n_bytes:
                break

    def _read(self, now_ms):
        buf = self._buf
        n_bytes = self.peer.read_into(buf)
        while n_bytes:
            if buf[:n_bytes] != pattern(self.n_received, n_bytes):
                raise AssertionError("wrong bytes from offset %d on" % self.n_received)
            self.n_received += n_bytes
            n_bytes = self.peer.read_into(buf)
        if self.n_received > self.in_bytes:
            raise AssertionError("%d bytes too many" % (self.n_received - self.in_bytes))
        if self.done_ms < 0 and self.n_received == self.in_bytes:
            self.done_ms = now_ms


class EchoClient:
    """Sends `n_messages` of `size` bytes and times their echoes (`rtts`, in ms, in order).

    `period_ms` 0: the next message is sent when the echo of the last one has come; else one every
    so many ms from 0 on.
    """

    def __init__(self, peer, n_messages, size, period_ms):
        self.peer = peer
        self.n_messages = n_messages
        self.size = size
        self.period_ms = period_ms
        self.sent_ms = []
        self.rtts = []
        self.done_ms = -1
        self.n_received = 0
        self._buf = bytearray(_MAX_BYTES)

    def next_ms(self, now_ms):
        if self.period_ms and len(self.sent_ms) < self.n_messages:
            return len(self.sent_ms) * self.period_ms
        return -1

    def step(self, now_ms):
        self._read(now_ms)
        while self._due(now_ms):
            data = pattern(len(self.sent_ms) * self.size, self.size)
            if self.peer.write(data) != self.size:
                raise AssertionError("no room for a message of %d bytes" % self.size)
            self.sent_ms.append(now_ms)

    def _due(self, now_ms):
        n_sent = len(self.sent_ms)
        if n_sent == self.n_messages:
            return False
        if self.period_ms:
            return n_sent * self.period_ms <= now_ms
        return n_sent == len(self.rtts)

    def _read(self, now_ms):
        buf = self._buf
        n_bytes = self.peer.read_into(buf)
        while n_bytes:
            if buf[:n_bytes] != pattern(self.n_received, n_bytes):
                raise AssertionError("wrong bytes from offset %d on" % self.n_received)
            self.n_received += n_bytes
            n_bytes = self.peer.read_into(buf)
        while (len(self.rtts) + 1) * self.size <= self.n_received:
            self.rtts.append(now_ms - self.sent_ms[len(self.rtts)])
        if self.done_ms < 0 and len(self.rtts) == self.n_messages:
            self.done_ms = now_ms


class EchoServer:
    """Writes back what it reads, at once."""

    def __init__(self, peer):
        self.peer = peer
        self.done_ms = 0  # waits for nothing by itself
        self._buf = bytearray(_MAX_BYTES)

    def next_ms(self, now_ms):
        return -1

    def step(self, now_ms):
        n_bytes = self.peer.read_into(self._buf)
        while n_bytes:
            if self.peer.write(bytes(self._buf[:n_bytes])) != n_bytes:
                raise AssertionError("no room for an echo of %d bytes" % n_bytes)
            n_bytes = self.peer.read_into(self._buf)


def make_loads(load, peers):
    """The two applications of a scenario's load (see scenarios.json), bound to their peers."""
    if load["kind"] == "echo":
        client = EchoClient(peers[0], load["count"], load["size"], load.get("period_ms", 0))
        return client, EchoServer(peers[1])
    out_bytes = load["bytes"]
    back_bytes = load.get("bytes_back", 0)
    chunk_bytes = min(peers[0].chunk_bytes, _MAX_BYTES)
    return (
        Bulk(peers[0], out_bytes, back_bytes, chunk_bytes),
        Bulk(peers[1], back_bytes, out_bytes, chunk_bytes, load.get("stall")),
    )
