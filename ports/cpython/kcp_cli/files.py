"""The file transfer protocol of `kcp send` and `kcp recv`, over any KCP stream.

    sender                                         receiver
    {"kcp": "file/1", "name": "a.bin", "size": 5}
                                                   {"go": true}             or {"error": "..."}
    5 bytes, then {"sha256": "..."}         or {"error": "..."}
                                                   {"ok": true, "bytes": 5, "sha256": "..."}
                                                                            or {"error": "..."}

A sender that says "resume": true in its first line can go on where an earlier attempt was cut off.
A receiver that has a part of the file then answers with a line more, which the sender compares
with its own file:

                                                   {"part": 2, "sha256": "... of these 2 bytes"}
    {"from": 2}   (or 0: mine begins otherwise)
                                                   {"go": true}
    3 bytes, then {"sha256": "... of all 5"}       ...

Lines are JSON in ASCII, end with a line feed and are at most LINE_BYTES long. The two ends take
turns, so nothing ever follows a line before it is answered. The hash comes last so that a sender
reads its file once, and a microcontroller can be one. Whoever listens decides where the file goes:
of the name only a plain file name is accepted.
"""

import asyncio
import hashlib
import json
import re
import threading

from .errors import Failure

PROTOCOL = "file/1"
LINE_BYTES = 4096
NAME_BYTES = 255
HASH_BYTES_PER_S = 20_000_000  # what the other end is trusted to hash, when waited for
SIZE_LIMIT = 1 << 53  # every JSON reader can hold it
CHUNK_BYTES = 65536
_TEXT_CHARS = 300

_STRANGER = "The other end does not speak this protocol: is it '{}'?"


async def write_line(writer, **fields):
    """Send one line of the protocol."""
    writer.write(json.dumps(fields).encode("ascii") + b"\n")
    await writer.drain()


async def read_line(reader, expected):
    """Receive one line as a dict. Failure if it is none, is too long, or the session ended.

    expected: the verb that the other end should be running, for the message.
    """
    line = b""
    while not line.endswith(b"\n"):
        data = await reader.read(LINE_BYTES - len(line)) if len(line) < LINE_BYTES else b""
        if not data and len(line) < LINE_BYTES:
            raise Failure("The other end closed the session too early.")
        if not data or b"\n" in data[:-1]:
            raise Failure(_STRANGER.format(expected))
        line += data
    try:
        fields = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Failure(_STRANGER.format(expected))
    return fields


def check_answer(fields, field):
    """Failure unless the receiver's line has `field` set to true."""
    if "kcp" in fields:
        raise Failure("The other end sends everything back: it is an echo server, not 'kcp recv'.")
    if "error" in fields:
        raise Failure(f"The receiver says: {printable(fields['error'])}")
    if fields.get(field) is not True:
        raise Failure(_STRANGER.format("kcp recv"))


def check_header(fields):
    """Return (name, size, whether it can resume) of a header line; Failure if it is none."""
    name, size = fields.get("name"), fields.get("size")
    is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= SIZE_LIMIT
    if fields.get("kcp") != PROTOCOL or not isinstance(name, str) or not is_size:
        raise Failure(_STRANGER.format("kcp send"))
    return name, size, fields.get("resume") is True


def check_name(name):
    """Return a name that is safe to create in the receiver's folder; Failure otherwise."""
    try:
        n_bytes = len(name.encode("utf-8"))
    except UnicodeEncodeError:  # half of a surrogate pair
        n_bytes = 0
    plain = not re.search(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]', name) and not name.startswith(".")
    if not plain or not 0 < n_bytes <= NAME_BYTES or name != name.strip():
        raise Failure(f"The name {printable(name)!r} is refused: it must be a plain file name.")
    return name


def printable(text):
    """Text from the network, made harmless for a terminal and short."""
    text = "".join(c if c.isprintable() else "?" for c in str(text))
    return text if len(text) <= _TEXT_CHARS else text[:_TEXT_CHARS] + "..."


def hash_time_s(n_bytes):
    """How long the other end may take to hash so much of a file."""
    return n_bytes / HASH_BYTES_PER_S


async def hash_part(file, n_bytes):
    """A SHA-256 object of a file's first n_bytes, which leaves the file behind them; None if it
    has not got so many. Does not keep the event loop from running."""
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(None, _hash, file, n_bytes, stop)
    finally:
        stop.set()


def _hash(file, n_bytes, stop):
    digest = hashlib.sha256()
    file.seek(0)
    while n_bytes and not stop.is_set():
        data = file.read(min(n_bytes, CHUNK_BYTES))
        if not data:
            return None
        digest.update(data)
        n_bytes -= len(data)
    return digest


def check_part(fields, size):
    """Return how much of the file the receiver has, by its line; 0 if it speaks of none."""
    n_bytes = fields.get("part", 0)
    if not isinstance(n_bytes, int) or isinstance(n_bytes, bool) or not 0 <= n_bytes <= size:
        raise Failure(_STRANGER.format("kcp recv"))
    return n_bytes


def check_from(fields, part_bytes):
    """Return where the sender goes on, by its line: behind the part, or at 0."""
    offset = fields.get("from")
    if isinstance(offset, (bool, float)) or offset not in (0, part_bytes):
        raise Failure(_STRANGER.format("kcp send"))
    return offset


async def send_body(writer, source, size, progress, digest):
    """Send a file from where it stands up to `size` bytes, which go into `digest`."""
    left = size - source.tell()
    while left:
        data = source.read(min(left, CHUNK_BYTES))
        if not data:
            raise Failure(f"The file became {left:,} bytes shorter while it was sent.")
        digest.update(data)
        writer.write(data)
        await writer.drain()
        left -= len(data)
        progress(size - left)


async def receive_body(reader, target, size, progress, digest):
    """Take a file's bytes from where `target` stands up to `size`, into it and into `digest`;
    compare the hash of all and return it as hex."""
    left = size - target.tell()
    while left:
        data = await reader.read(min(left, CHUNK_BYTES))
        if not data:
            raise Failure(f"The sender closed the session {left:,} bytes before the end.")
        digest.update(data)
        target.write(data)
        left -= len(data)
        progress(size - left)
    trailer = await read_line(reader, "kcp send")
    if "error" in trailer:
        raise Spoilt(f"The sender says: {printable(trailer['error'])}")
    if trailer.get("sha256") != digest.hexdigest():
        raise Spoilt("The SHA-256 differs: the file that arrived is not the one that was sent.")
    return digest.hexdigest()


class Spoilt(Failure):
    """What has arrived is worth nothing: it must not be gone on with."""
