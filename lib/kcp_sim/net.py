"""The simulated path: two links, and the datagrams under way, in the order of (arrival ms,
hand-over).

Twin: tests/interop/peers/sim/net.go. The wire checksum of a direction is a CRC-32 over every
datagram given to `send`, each after 8 bytes of time and length: two runs with equal checksums sent
the same bytes at the same times, whether or not they arrived.
"""

import heapq
import struct
from binascii import crc32

from .link import Link

_CMD_PUSH = 81
_CMD_WINS = 84


class Net:
    """Two directions, 0 = from peer 0 to peer 1 and 1 = back. `options`: a pair of link
    parameters.

    `kcp_offset` is where the KCP segments of a datagram begin (segments lost or repeated are
    counted by parsing them); -1 = they cannot be read.
    """

    def __init__(self, options, seed, kcp_offset=0):
        self.links = (Link(options[0], seed, 0), Link(options[1], seed, 1))
        self.kcp_offset = kcp_offset
        self.now_ms = 0
        self.wire = [0, 0]  # checksums
        self.n_bytes = [0, 0]
        self.last_send_ms = 0
        self.last_arrival_ms = 0
        self.segs_lost = 0  # in datagrams that did not arrive
        self.segs_repeated = 0  # in copies that the path made
        self.cmds = {}  # cmd -> count of segments given to `send`, where `count_cmds` is on
        self.count_cmds = False
        self._seq = 0
        self._heap = []

    def send(self, direction, data):
        """Put one datagram (bytes) on the path now."""
        now_ms = self.now_ms
        stamp = struct.pack("<II", now_ms, len(data))
        self.wire[direction] = crc32(data, crc32(stamp, self.wire[direction]))
        self.n_bytes[direction] += len(data)
        self.last_send_ms = now_ms
        if self.count_cmds:
            for cmd in segment_cmds(data, self.kcp_offset):
                self.cmds[cmd] = self.cmds.get(cmd, 0) + 1
        copies = self.links[direction].send(now_ms, data)
        if len(copies) != 1:
            n_segs = len(segment_cmds(data, self.kcp_offset))
            if copies:
                self.segs_repeated += n_segs * (len(copies) - 1)
            else:
                self.segs_lost += n_segs
        for arrival_ms, copy in copies:
            heapq.heappush(self._heap, (arrival_ms, self._seq, direction, copy))
            self._seq += 1

    def next_ms(self):
        """When the next datagram arrives; -1 = none is under way."""
        return self._heap[0][0] if self._heap else -1

    def arrive(self):
        """The next datagram that has arrived by now, as (direction, bytes); None = no more."""
        heap = self._heap
        while heap and heap[0][0] <= self.now_ms:
            _, _, direction, data = heapq.heappop(heap)
            if self.links[direction].receive(self.now_ms):
                self.last_arrival_ms = self.now_ms
                return direction, data
            self.segs_lost += len(segment_cmds(data, self.kcp_offset))
        return None

    def counters(self):
        """Counters of both links, summed: {name: count}."""
        total = {}
        for link in self.links:
            for name, count in link.counters.items():
                total[name] = total.get(name, 0) + count
        return total


def segment_cmds(data, offset):
    """The cmd of every KCP segment in a datagram whose segments begin at `offset`."""
    cmds = []
    while offset >= 0 and offset + 24 <= len(data) and _CMD_PUSH <= data[offset + 4] <= _CMD_WINS:
        cmds.append(data[offset + 4])
        offset += 24 + struct.unpack("<I", data[offset + 20 : offset + 24])[0]
    return cmds
