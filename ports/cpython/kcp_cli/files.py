"""The file transfer protocol of `kcp send` and `kcp recv`, over any KCP stream.

    sender                                         receiver
    {"kcp": "file/1", "name": "a.bin", "size": 5}
                                                   {"go": true}             or {"error": "..."}
    5 bytes, then {"sha256": "..."}
                                                   {"ok": true, "bytes": 5, "sha256": "..."}
                                                                            or {"error": "..."}

Lines are JSON in ASCII, end with a line feed and are at most LINE_BYTES long. The two ends take
turns, so nothing ever follows a line before it is answered. The hash comes last so that a sender
reads its file once, and a microcontroller can be one. Whoever listens decides where the file goes:
of the name only a plain file name is accepted.
"""

import hashlib
import json
import os
import re

from .errors import Failure

PROTOCOL = "file/1"
LINE_BYTES = 4096
NAME_BYTES = 255
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
    """Return (name, size) of a header line; Failure if it is none."""
    name, size = fields.get("name"), fields.get("size")
    is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= SIZE_LIMIT
    if fields.get("kcp") != PROTOCOL or not isinstance(name, str) or not is_size:
        raise Failure(_STRANGER.format("kcp send"))
    return name, size


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


async def send_body(writer, source, size, progress):
    """Send `size` bytes of a file and their hash; returns the hash as hex."""
    digest = hashlib.sha256()
    left = size
    while left:
        data = source.read(min(left, CHUNK_BYTES))
        if not data:
            raise Failure(f"The file became {left:,} bytes shorter while it was sent.")
        digest.update(data)
        writer.write(data)
        await writer.drain()
        left -= len(data)
        progress(size - left)
    await write_line(writer, sha256=digest.hexdigest())
    return digest.hexdigest()


async def receive_body(reader, target, size, progress):
    """Take `size` bytes into a file, compare the hash and return it as hex."""
    digest = hashlib.sha256()
    left = size
    while left:
        data = await reader.read(min(left, CHUNK_BYTES))
        if not data:
            raise Failure(f"The sender closed the session {left:,} bytes before the end.")
        digest.update(data)
        target.write(data)
        left -= len(data)
        progress(size - left)
    trailer = await read_line(reader, "kcp send")
    if trailer.get("sha256") != digest.hexdigest():
        raise Failure("The SHA-256 differs: the file that arrived is not the one that was sent.")
    return digest.hexdigest()


class Incoming:
    """A file that appears under its name only when it is complete.

    It is written beside its place as `.kcp-….part`; commit() renames it in one step, and leaving
    the block without commit() removes it. Without `force` an existing file is refused, at the
    start and, should one appear meanwhile, at the end.
    """

    def __init__(self, path, force=False):
        self.path = path
        self.force = force

    def __enter__(self):
        self._refuse_existing()
        folder = os.path.dirname(self.path) or "."
        self._part = os.path.join(folder, f".kcp-{os.urandom(6).hex()}.part")
        self.file = open(self._part, "xb")
        return self

    def __exit__(self, *_exc):
        self.file.close()
        if os.path.exists(self._part):
            os.unlink(self._part)

    def commit(self):
        """Put the complete file in its place."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        if not self.force:
            self._place_without_overwriting()
        else:
            os.replace(self._part, self.path)

    def _place_without_overwriting(self):
        try:
            os.link(self._part, self.path)  # fails if the name is taken, which rename does not
            os.unlink(self._part)
        except FileExistsError:
            self._refuse_existing()
            raise
        except (OSError, AttributeError, NotImplementedError):  # a file system without hard links
            self._refuse_existing()
            os.rename(self._part, self.path)

    def _refuse_existing(self):
        if os.path.isdir(self.path):
            raise Failure(f"{os.path.basename(self.path)} is a folder at the receiver.")
        if not self.force and os.path.lexists(self.path):
            name = os.path.basename(self.path)
            raise Failure(f"{name} exists already: 'kcp recv --force' would replace it.")
