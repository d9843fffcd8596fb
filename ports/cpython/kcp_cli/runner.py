"""Runs a verb: signals, deadlines, and what the system's errors mean in words."""

import asyncio
import errno
import signal
import socket

from .address import show
from .errors import TERMINATED, Failure, NoAnswer


def run(report, coroutine):
    """Run a verb's coroutine to its end and return its exit code.

    A failure is put into the report (for --json) and raised again as a ClickException. SIGINT and
    SIGTERM cancel the verb, which cleans up, and end in KeyboardInterrupt and SystemExit.
    """
    signals = []
    if report.stats:
        from .counters import watched  # (rich, of which the other runs need nothing)

        coroutine = watched(report, coroutine)
    try:
        return asyncio.run(_until_signal(coroutine, signals))
    except (asyncio.CancelledError, KeyboardInterrupt):
        report.failed("Interrupted.")
        if signals[:1] == [signal.SIGTERM]:
            raise SystemExit(TERMINATED) from None
        raise KeyboardInterrupt from None
    except OSError as error:
        failure = explain(error)
        report.failed(failure.message)
        raise failure from None
    except Failure as failure:
        report.failed(failure.message)
        raise


async def _until_signal(coroutine, signals):
    """Await a coroutine. The first signal cancels it, once; the second one ends the program."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop(number):
        signals.append(number)
        if len(signals) > 1:
            raise KeyboardInterrupt
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:  # Windows: there Ctrl-C raises KeyboardInterrupt by itself
            break
    return await coroutine


def explain(error):
    """Turn an OSError into a Failure whose message is a sentence."""
    if isinstance(error, socket.gaierror):
        return Failure("The host is not known: check its name, or give its address in numbers.")
    if error.errno == errno.ETIMEDOUT:
        return NoAnswer(f"The other end stopped answering: {error.strerror or error}.")
    if error.errno == errno.ECONNREFUSED:
        return NoAnswer("Nothing listens on that port: the other host refused the datagrams.")
    if error.errno == errno.EADDRINUSE:
        return Failure("That port is in use: take another, or end the program that has it.")
    if error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return Failure("The other end dropped the session.")
    text = error.strerror or str(error)
    return Failure(f"{error.filename}: {text}." if error.filename else f"{text}.")


async def connect(address, config, timeout_s):
    """Open a session and make sure that somebody answers: (reader, writer), or NoAnswer."""
    import kcp

    try:
        return await kcp.open_connection(
            address.host, address.port, config=config, probe_ms=int(timeout_s * 1000)
        )
    except OSError as error:
        if error.errno not in (errno.ETIMEDOUT, errno.ECONNREFUSED):
            raise
    raise NoAnswer(
        f"Nothing answered at {address} within {timeout_s:g} s: does a KCP program listen there, "
        "is the port right, does a firewall let UDP through, and are --key and --crypt the same "
        f"on both sides? 'kcp doctor {address}' looks closer."
    )


class Deadline:
    """Ends the block it guards with NoAnswer when nothing has moved for so many seconds.

    with Deadline(10, "The sender fell silent.") as deadline: ... deadline.touch() ...

    `alive`, if given, is asked before giving up: True counts as a movement. It must be entered
    in the task that does the waiting. (asyncio.timeout is absent before Python 3.11, and
    wait_for makes a task per call.)
    """

    def __init__(self, seconds, message, alive=None):
        self.seconds = seconds
        self.message = message
        self.expired = False
        self._alive = alive

    def __enter__(self):
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self.touch()
        self._timer = self._loop.call_later(self.seconds, self._check)
        return self

    def touch(self):
        """Something has moved: the time starts anew."""
        self._last_s = self._loop.time()

    def _check(self):
        if self._alive is not None and self._alive():
            self.touch()
        left_s = self._last_s + self.seconds - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._check)
        else:
            self.expired = True
            self._task.cancel()

    def __exit__(self, kind, _error, _traceback):
        self._timer.cancel()
        if not (self.expired and kind is asyncio.CancelledError):
            return
        if hasattr(self._task, "uncancel"):  # Python >= 3.11 counts the cancellations
            self._task.uncancel()
        raise NoAnswer(self.message) from None


class Closing:
    """Closes a stream at the end of an `async with` block.

    After success it lingers until everything is acknowledged, and OSError says what was not;
    after an error nothing of that matters and the error is what the user gets to see.
    """

    def __init__(self, stream):
        self._stream = stream

    async def __aenter__(self):
        return self._stream

    async def __aexit__(self, kind, _error, _traceback):
        self._stream.close(None if kind is None else 0)
        try:
            await self._stream.wait_closed()
        except OSError:
            if kind is None:
                raise


class Listening:
    """A server for the time of an `async with` block. It tells where it listens (stderr).

    serve(reader, writer) handles one session; when it returns the session is closed. At the end
    of the block those that are still served are cut off, those that linger are waited for; an
    error or Ctrl-C cuts all off.
    """

    def __init__(self, report, serve, address, config):
        self._report = report
        self._serve = serve
        self._address = address
        self._config = config
        self._tasks = set()
        self._served = set()
        self._is_ending = False

    async def __aenter__(self):
        import kcp

        host, port = self._address
        self._server = await kcp.start_server(self._session, host, port, config=self._config)
        host, port = self._server.sockets[0].getsockname()[:2]
        self._report.note(f"listening on {show(host, port)}")
        return self._server

    async def __aexit__(self, kind, _error, _traceback):
        self._is_ending = True
        for task in self._served if kind is None else self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server.close()  # this way round: closing sets the linger times of what is open
        await self._server.wait_closed()

    async def _session(self, reader, writer):
        if self._is_ending:
            return
        task = asyncio.current_task()
        self._tasks.add(task)
        self._served.add(task)
        try:
            async with Closing(writer):
                await self._serve(reader, writer)
                self._served.discard(task)
        except OSError:  # what was not acknowledged at the end; the verb told what matters
            pass
        finally:
            self._served.discard(task)
            self._tasks.discard(task)
