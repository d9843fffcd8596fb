"""The protocol of `kcp bench`, over any KCP stream.

    client                                              server
    {"kcp": "bench/1", "way": "up", "seconds": 10}
                                                        {"go": true}           or {"error": "..."}
    blocks, if "up" or "both", then the end mark        blocks, if "down" or "both", then the end
                                                        mark
                                                        {"bytes": ..., "seconds": ...}

The server's blocks begin when the first of the client's bytes has come, so that nothing follows a
line before it is answered. A block is its length in 4 bytes, little-endian, and so many bytes; the
end mark is the length 0. The last line says what the server has received, and in what time since
the first block.
"""

import asyncio
import os
import struct
import time

from .errors import Failure
from .files import printable

PROTOCOL = "bench/1"
WAYS = ("up", "down", "both")
MAX_S = 3600
_BLOCK_BYTES = 65536
_LENGTH = struct.Struct("<I")
_BLOCK = _LENGTH.pack(_BLOCK_BYTES) + os.urandom(_BLOCK_BYTES)
_END = _LENGTH.pack(0)
_STRANGER = "The other end does not speak this protocol: is it '{}'?"


def check_request(fields):
    """Return (way, seconds) of a client's line; Failure if it is none."""
    way, seconds = fields.get("way"), fields.get("seconds")
    is_time = isinstance(seconds, (int, float)) and 0 < seconds <= MAX_S
    if fields.get("kcp") != PROTOCOL or way not in WAYS or not is_time:
        raise Failure(_STRANGER.format("kcp bench"))
    return way, seconds


def check_go(fields):
    """Failure unless the server's line says that it goes on."""
    if "kcp" in fields:
        raise Failure(
            "The other end sends everything back: it is an echo server. Measure it with --echo."
        )
    if "error" in fields:
        raise Failure(f"The server says: {printable(fields['error'])}")
    if fields.get("go") is not True:
        raise Failure(_STRANGER.format("kcp bench --server"))


class Count:
    """Bytes of one direction, and the time since the first of them."""

    def __init__(self):
        self.n_bytes = 0
        self._start_s = self._end_s = None

    def add(self, n_bytes):
        """So many more."""
        self.n_bytes += n_bytes

    def start(self):
        """The first thing comes."""
        if self._start_s is None:
            self._start_s = time.monotonic()

    def stop(self):
        """All has come."""
        self._end_s = time.monotonic()

    @property
    def seconds(self):
        """From the beginning to the end, or until now."""
        now_s = time.monotonic()
        return (self._end_s or now_s) - (self._start_s or now_s)


async def send_blocks(writer, seconds, count, is_wanted=True):
    """Send blocks for so long (none if not wanted) and the end mark."""
    end_s = time.monotonic() + seconds
    while is_wanted and time.monotonic() < end_s:
        writer.write(_BLOCK)
        await writer.drain()
        count.add(_BLOCK_BYTES)
        await asyncio.sleep(0)
    writer.write(_END)
    await writer.drain()


async def receive_blocks(reader, count, touch):
    """Take blocks up to the end mark. touch(): called whenever something has come."""
    while True:
        left = _LENGTH.unpack(await _exactly(reader, _LENGTH.size))[0]
        count.start()
        touch()
        if left > _BLOCK_BYTES:
            raise Failure(_STRANGER.format("kcp bench"))
        if not left:
            count.stop()
            return
        while left:
            data = await reader.read(left)
            if not data:
                raise Failure("The other end closed the session too early.")
            left -= len(data)
            count.add(len(data))
            touch()


async def _exactly(reader, n_bytes):
    data = b""
    while len(data) < n_bytes:
        more = await reader.read(n_bytes - len(data))
        if not more:
            raise Failure("The other end closed the session too early.")
        data += more
    return data
