"""stdin and stdout for asyncio, through threads.

Threads, because stdin may be a file, which an event loop cannot watch, or a terminal, which must
not be made non-blocking behind the shell's back. They are daemons: a read that never returns does
not keep the program. At most `_SLOTS` chunks wait in either direction.
"""

import asyncio
import os
import queue
import threading

_SLOTS = 4
_CHUNK_BYTES = 65536


class Input:
    """Chunks of a file descriptor: `async for chunk in Input(0)`. Ends at end-of-file."""

    def __init__(self, fd):
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._chunks = asyncio.Queue()
        self._slots = threading.Semaphore(_SLOTS)
        threading.Thread(target=self._work, name="stdin", daemon=True).start()

    def _work(self):
        data = b"x"
        while data:
            self._slots.acquire()
            try:
                data = os.read(self._fd, _CHUNK_BYTES)
            except OSError:  # a closed descriptor is an end like any other
                data = b""
            try:
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, data)
            except RuntimeError:  # the loop has ended
                return

    def __aiter__(self):
        return self

    async def __anext__(self):
        data = await self._chunks.get()
        self._slots.release()
        if not data:
            raise StopAsyncIteration
        return data


class OutputClosed(Exception):
    """Nobody reads our stdout any more."""


class Output:
    """Writes to a file descriptor. write() waits for room; OutputClosed if nobody reads."""

    def __init__(self, fd):
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._chunks = queue.Queue()
        self._slots = asyncio.Semaphore(_SLOTS)
        self._error = None
        threading.Thread(target=self._work, name="stdout", daemon=True).start()

    async def write(self, data):
        """Hand over bytes; they are written in order, later."""
        await self._slots.acquire()
        self._raise_error()
        self._chunks.put(data)

    async def close(self):
        """Wait until everything is written, then end the thread."""
        for _ in range(_SLOTS):
            await self._slots.acquire()
        self._chunks.put(b"")
        self._raise_error()

    def _raise_error(self):
        if isinstance(self._error, BrokenPipeError):
            raise OutputClosed
        if self._error is not None:
            raise self._error

    def _work(self):
        while True:
            data = self._chunks.get()
            if not data:
                return
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError as error:
                self._error = error
            try:
                self._loop.call_soon_threadsafe(self._slots.release)
            except RuntimeError:  # the loop has ended
                return
