"""Runs on a board without flash: a file system in its memory, for as long as it is not reset."""

import vfs

BLOCK_BYTES = 512


class RamDisk:
    """A block device of so many bytes."""

    def __init__(self, n_bytes):
        self._data = bytearray(n_bytes)

    def readblocks(self, number, buf, offset=0):
        start = number * BLOCK_BYTES + offset
        buf[:] = memoryview(self._data)[start : start + len(buf)]

    def writeblocks(self, number, buf, offset=0):
        start = number * BLOCK_BYTES + offset
        self._data[start : start + len(buf)] = buf

    def ioctl(self, operation, _):
        if operation == 4:
            return len(self._data) // BLOCK_BYTES
        if operation == 5:
            return BLOCK_BYTES
        return 0


disk = RamDisk(2048 << 10)
vfs.VfsLfs2.mkfs(disk)
vfs.mount(vfs.VfsLfs2(disk), "/")
