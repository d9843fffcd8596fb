"""What transfers that were cut off have left in a folder, and how much of it may stay."""

import os
import re
import shutil
import stat
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: Of the parts that no session is writing, the newest ones stay: so many,
MAX_PARTS = 16
#: for so long after the last byte came,
MAX_DAYS = 7
#: and together no more than is free on the disk (but always the newest one of those).

_NAME = re.compile(r"\.kcp-[0-9a-f]{12,16}\.part")
_DAY_S = 86400


def is_ours(file, path):
    """Lock a file until it is closed. False if it is no plain file, or another session has it or
    has just put it into its place."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        return False
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(status, os.stat(path, follow_symlinks=False))
    except OSError:
        return False


def tidy(folder):
    """Remove the parts that are over the limits; return how many that were. What cannot be removed
    stays, and so does what a session is writing."""
    n_kept = n_removed = kept_bytes = 0
    free_bytes = shutil.disk_usage(folder).free
    oldest_s = time.time() - MAX_DAYS * _DAY_S
    for modified_s, n_bytes, path in sorted(_parts(folder), reverse=True):
        if _is_written(path):
            continue  # neither removed nor counted
        is_new = modified_s >= oldest_s and n_kept < MAX_PARTS
        if is_new and (not n_kept or kept_bytes + n_bytes <= free_bytes):
            n_kept += 1
            kept_bytes += n_bytes
        else:
            n_removed += _remove(path)
    return n_removed


def _parts(folder):
    """(time of the last change, bytes, path) of every plain file with such a name."""
    found = []
    for entry in os.scandir(folder):
        try:
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found.append((status.st_mtime, status.st_size, entry.path))
        except OSError:  # it has just gone
            pass
    return found


def _opened(path):
    return os.fdopen(os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)), "r+b")


def _is_written(path):
    """Is a session writing this part, or is it none of ours?"""
    try:
        with _opened(path) as file:
            return not is_ours(file, path)
    except OSError:  # it has gone, or is not for us to open
        return False


def _remove(path):
    """Remove a part unless it is being written; True if that was done."""
    try:
        file = _opened(path)
    except OSError:
        return False
    with file:
        if not is_ours(file, path):
            return False
        if fcntl is None:  # Windows removes no open files: not ours, and not another's
            file.close()
        try:
            os.unlink(path)
        except OSError:
            return False
    return True
