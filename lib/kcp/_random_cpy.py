"""CPython: os.urandom, drawn 4096 bytes at a time. Twin: `_random_upy`.

A call of os.urandom costs as much for 16 bytes as for hundreds, and nearly every call wants 16 or
fewer. Each block is handed out once: list.pop() gives no two threads the same one, and a forked
child starts with an empty list, for otherwise it would repeat its parent's nonces.
"""

import os

_BLOCK = 16
_DRAWN = 4096


class Random:
    """Random bytes. source: a function fill(buf) that is used instead, or None."""

    def __init__(self):
        self.source = None
        self._blocks = []
        if hasattr(os, "register_at_fork"):  # (not on Windows, which cannot fork)
            os.register_at_fork(after_in_child=self.forget)

    def forget(self):
        """Drop what was drawn and not used yet."""
        self._blocks.clear()

    def fill(self, buf):
        """Write random bytes over `buf`."""
        if self.source is not None:
            self.source(buf)
            return
        n = len(buf)
        if n > _BLOCK:
            buf[:] = os.urandom(n)
            return
        try:
            block = self._blocks.pop()
        except IndexError:
            block = self._draw()
        buf[:] = block if n == _BLOCK else block[:n]

    def _draw(self):
        """Fetch new blocks; keep all but one, which is returned."""
        drawn = os.urandom(_DRAWN)
        blocks = [drawn[i : i + _BLOCK] for i in range(0, _DRAWN, _BLOCK)]
        block = blocks.pop()
        self._blocks.extend(blocks)
        return block
