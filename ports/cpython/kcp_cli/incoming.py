"""The receiver's file: it appears under its name only when it is complete, and a transfer that was
cut off can go on with what is there.
"""

import hashlib
import os

from .files import Spoilt
from .parts import fcntl, is_ours

_HASH_CHARS = 16


class Incoming:
    """A file that is written beside its place as `.kcp-….part`.

    commit() renames it in one step. Leaving the block without commit() removes it, or with `keep`
    leaves it for the next attempt: then its name follows from the path and the size, and what an
    earlier attempt left is there, `part_bytes` long. Without `force` an existing file is refused,
    at the start and, should one appear meanwhile, at the end.
    """

    def __init__(self, path, size, force=False, keep=False):
        self.path = path
        self.force = force
        self.part_bytes = 0
        self.kept_bytes = 0  # once it was left without commit()
        self._size = size
        self._keep = keep
        self._is_committed = False
        self._folder = os.path.dirname(path) or "."

    def __enter__(self):
        self._refuse_existing()
        self.file = self._open_part() if self._keep else None
        if self.file is None:
            self._keep = False
            self._part = os.path.join(self._folder, f".kcp-{os.urandom(6).hex()}.part")
            self.file = open(self._part, "xb")
            is_ours(self.file, self._part)  # so that nobody takes it for one that was left
        return self

    def _open_part(self):
        """The part of this path and size, new or from an earlier attempt; None if another session
        is writing it, or if what has its name is no plain file."""
        name = f"{os.path.basename(self.path)}/{self._size}"
        name = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH_CHARS]
        self._part = os.path.join(self._folder, f".kcp-{name}.part")
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            file = os.fdopen(os.open(self._part, flags, 0o666), "r+b")
        except OSError:
            return None
        if not is_ours(file, self._part):
            file.close()
            return None
        self.part_bytes = min(os.fstat(file.fileno()).st_size, self._size)
        return file

    def start(self, offset):
        """Go on behind the first `offset` bytes."""
        self.file.seek(offset)
        self.file.truncate()

    def __exit__(self, _kind, error, _traceback):
        if self._is_committed:
            return
        try:
            self.file.close()
        except OSError:  # a full disk, which has been told of
            pass
        n_bytes = os.path.getsize(self._part)
        if self._keep and n_bytes and not isinstance(error, Spoilt):
            self.kept_bytes = n_bytes
        else:
            os.unlink(self._part)

    def commit(self):
        """Put the complete file in its place."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if fcntl is None:  # Windows moves no open files
            self.file.close()
        if self.force:
            os.replace(self._part, self.path)
        else:
            self._place_without_overwriting()
        self._is_committed = True
        self.file.close()  # and the lock with it

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
            raise Spoilt(f"{os.path.basename(self.path)} is a folder at the receiver.")
        if not self.force and os.path.lexists(self.path):
            name = os.path.basename(self.path)
            raise Spoilt(f"{name} exists already: 'kcp recv --force' would replace it.")
