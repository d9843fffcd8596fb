"""CPython: `ReconnectingClient` for programs with threads instead of asyncio. It has an event loop
in a daemon thread of its own, in which the asyncio one lives."""

import asyncio
import atexit
import os
import sys
import threading
import weakref
from errno import ECONNABORTED

from . import reconnect

_EPIPE = 32
_LAST_S = 1.0  # for what still runs in the loop when the client is closed

_open = weakref.WeakSet()


class ReconnectingClient:
    """`kcp.ReconnectingClient`, with the same arguments and meaning, for any number of threads.

    In `with` it is started and closed; or call start(), close(). Every call that waits takes a
    timeout in seconds (None: no limit), and raises TimeoutError when it is over; nothing is lost
    by that. The hooks run in the client's own thread, where they must not wait; they get the
    asyncio client, on_session its `Stream` too, and may be async. What the asyncio client tells
    (n_unacked, n_sessions, last_error, stream ...) can be read here.

    At exit what is still open is closed as by close(), and what was not acknowledged told on
    stderr. After fork() only the parent can use it.
    """

    def __init__(self, *arguments, **options):
        self._pid = os.getpid()
        self._is_closed = False
        self._closing = threading.Lock()
        self._loop = asyncio.new_event_loop()
        name = "kcp reconnecting"
        self._thread = threading.Thread(target=_run, args=(self._loop,), name=name, daemon=True)
        self._thread.start()
        try:
            self._client = self._wait(_made(arguments, options), None)
        except BaseException:
            self._stop()
            raise
        _open.add(self)

    def __getattr__(self, name):
        if name.startswith("_") or name in ("up", "down", "aclose"):
            raise AttributeError(name)
        value = getattr(self._client, name)
        if callable(value):
            raise AttributeError(name)
        return value

    def start(self):
        """Begin to connect."""
        self._wait(_called(self._client.start), None)

    def write(self, record) -> bool:
        """Keep a record and send it as soon as may be; never waits for room. False: it was
        dropped. OSError(ENOBUFS) if there is no room and when_full is "refuse"."""
        if threading.current_thread() is self._thread:
            return self._client.write(record)
        return self._wait(_called(self._client.write, record), None)

    def send(self, record, timeout=None):
        """write(), but wait while there is no room."""
        self._wait(self._client.send(record), timeout)

    def flush(self, timeout=None):
        """Wait until all that was written is acknowledged."""
        self._wait(self._client.flush(), timeout)

    def read(self, n: int = -1, timeout=None) -> bytes:
        """Return what has arrived, at most n bytes; b"" after close()."""
        return self._wait(self._client.read(n), timeout)

    def readline(self, timeout=None) -> bytes:
        """Return a line; b"" after close()."""
        return self._wait(self._client.readline(), timeout)

    def wait_up(self, timeout=None):
        """Wait until there is a session."""
        self._wait(self._client.up.wait(), timeout)

    def wait_down(self, timeout=None):
        """Wait until there is none."""
        self._wait(self._client.down.wait(), timeout)

    def close(self, linger_ms=10000):
        """Wait for acknowledgements, for at most linger_ms, then end; other threads' calls end
        too. OSError says how many records were not acknowledged."""
        if self._is_closed:
            return
        self._check()
        with self._closing:
            if self._is_closed:
                return
            try:
                self._wait(_ended(self._client, linger_ms), None)
            finally:
                self._stop()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, tb):
        try:
            self.close()
        except OSError:
            if kind is None:
                raise

    # inside

    def _wait(self, coroutine, timeout):
        """Return what the coroutine returns, run in the client's thread."""
        try:
            self._check()
            waiting = asyncio.wait_for(coroutine, timeout)
            future = asyncio.run_coroutine_threadsafe(waiting, self._loop)
        except BaseException:
            coroutine.close()
            raise
        try:
            return future.result()
        except asyncio.TimeoutError as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise TimeoutError("timed out") from None
        except BaseException:  # a signal's, here
            future.cancel()
            raise

    def _check(self):
        if threading.current_thread() is self._thread:
            raise RuntimeError("a hook cannot wait: make it async, and use the client it is given")
        if os.getpid() != self._pid:
            raise OSError(ECONNABORTED, "opened before fork(): only the parent can use it")
        if self._is_closed:
            raise OSError(_EPIPE, "the client is closed")

    def _stop(self):
        self._is_closed = True
        _open.discard(self)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _run(loop):
    """The thread."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        late = asyncio.all_tasks(loop)
        for task in late:
            task.cancel()
        if late:
            loop.run_until_complete(asyncio.wait(late, timeout=_LAST_S))
        loop.close()


async def _made(arguments, options):
    return reconnect.ReconnectingClient(*arguments, **options)


async def _called(function, *arguments):
    return function(*arguments)


async def _ended(client, linger_ms):
    """Close the client, and see the calls of other threads to their end."""
    try:
        await client.aclose(linger_ms)
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=_LAST_S)


def _at_exit():
    for client in list(_open):
        if client._pid == os.getpid():
            try:
                client.close()
            except OSError as error:
                print("kcp: when the program ended, %s" % error.args[1], file=sys.stderr)


atexit.register(_at_exit)
