"""stdin and stdout for asyncio, through threads.

Threads, because stdin may be a file, which an event loop cannot watch, or a terminal, which must
not be made non-blocking behind the shell's back. They are daemons: a read that never returns does
not keep the program. At most `_SLOTS` chunks of stdin wait.
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
    """Writes to a file descriptor: `await Output(1).write(data)`. One write at a time."""

    def __init__(self, fd):
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._work_list = queue.Queue()
        threading.Thread(target=self._work, name="stdout", daemon=True).start()

    async def write(self, data):
        """Return when all is written; OutputClosed if nobody reads, OSError for anything else."""
        written = self._loop.create_future()
        self._work_list.put((data, written))
        try:
            await written
        except BrokenPipeError:
            raise OutputClosed from None

    def close(self):
        """End the thread."""
        self._work_list.put((b"", None))

    def _work(self):
        while True:
            data, written = self._work_list.get()
            if written is None:
                return
            error = None
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError as caught:
                error = caught
            try:
                self._loop.call_soon_threadsafe(_settle, written, error)
            except RuntimeError:  # the loop has ended
                return


def _settle(future, error):
    if future.done():  # cancelled
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
