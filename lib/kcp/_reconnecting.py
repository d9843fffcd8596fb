"""The task of a `ReconnectingClient`: attempts and sessions, and what becomes of the records in
between."""

import asyncio

from ._clock import ticks_diff, ticks_ms
from ._compat import const
from ._port import TimeoutError, Waiter, report, spawn
from .aio import open_connection

_M30 = const(0x3FFFFFFF)
_EPIPE = const(32)
_EXPECTED = (OSError, EOFError, TimeoutError)  # MicroPython's TimeoutError is no OSError


class Bell:
    """Wakes the client's task; once rung it stays so until somebody has waited for it."""

    def __init__(self):
        self._waiter = Waiter()
        self._is_rung = False

    def wake(self):
        self._is_rung = True
        self._waiter.wake()

    async def wait(self, limit_ms):
        """Wait until it is rung, for at most limit_ms if that is not None."""
        if not self._is_rung:
            if limit_ms is None:
                await self._waiter.wait()
            elif limit_ms > 0:
                await self._waiter.wait_ms(limit_ms)
        self._is_rung = False


class Reconnecting:
    """What `ReconnectingClient` does by itself. It has made everything that is used here."""

    async def _run(self):
        self._is_running = True
        try:
            while not self._is_closed:
                await self._network()
                await self._attempt()
                await self._pause(self._backoff.next_ms())
        except asyncio.CancelledError:
            if not self._is_closed:  # not ours: the loop ends
                raise
        finally:
            self._over_with()

    async def _attempt(self):
        """Connect, and serve the session until it is over."""
        try:
            if not self._is_closed:
                await self._connect()
                await self._serve(ticks_ms())
        except Exception as error:
            self.last_error = error
            if self.stream is None:
                self.n_failures += 1
            if not isinstance(error, _EXPECTED):
                report(error, "exception in a ReconnectingClient")
        finally:
            self._ended()

    # the network

    def _sees_network(self):
        """What is_up() says; False if it raises, which is reported once in a row."""
        try:
            is_up = bool(self._is_up())
            self._is_blind = False
        except Exception as error:
            is_up = False
            self.last_error = error
            if not self._is_blind:
                self._is_blind = True
                report(error, "exception in is_up of a ReconnectingClient")
        return is_up

    async def _network(self):
        """Wait for the network."""
        while self._is_up is not None and not self._is_closed and not self._sees_network():
            self._backoff.reset()  # what has failed was the network
            await asyncio.sleep(self._check_ms / 1000)

    async def _pause(self, n_ms):
        """Wait before the next attempt, but no longer than until the network is seen to be down.
        It always sleeps: an attempt may have failed without a wait, and is_up may flap."""
        while n_ms > 0 and not self._is_closed:
            slice_ms = n_ms if self._is_up is None else min(n_ms, self._check_ms)
            await asyncio.sleep(slice_ms / 1000)
            n_ms -= slice_ms
            if self._is_up is not None and not self._sees_network():
                break

    # a session

    async def _connect(self):
        host, port = self._place
        stream, _ = await open_connection(host, port, probe_ms=self._probe_ms, **self._options)
        self.stream = stream
        self.n_sessions += 1
        stream.heard = self._bell  # rung by every turn of the session, and by its end

    async def _serve(self, begin_ms):
        """Do what a session needs, until it is over: OSError."""
        stream = self.stream
        if self._on_session is not None:
            result = self._on_session(self, stream)
            if hasattr(result, "send"):
                await result
        self._was_up = True
        self._looked_ms = ticks_ms()
        if not self._is_closed:
            self.down.clear()
            self.up.set()
        while not (stream.is_gone or self._is_closed):
            self._give(stream)
            await self._bell.wait(self._left_ms())
            if (ticks_ms() - begin_ms) & _M30 >= self._steady_ms:
                self._backoff.reset()
            if self._left_ms() == 0:
                await self._look(stream)
        if not self._is_closed:
            raise stream.session.failure() or OSError(_EPIPE, "the stream was closed")

    def _left_ms(self):
        """Ms until the network is to be looked at; None: never."""
        if self._is_up is None:
            return None
        passed_ms = ticks_diff(ticks_ms(), self._looked_ms)
        return max(self._check_ms - passed_ms, 0) if passed_ms >= 0 else 0

    async def _look(self, stream):
        """See whether the network has come back."""
        is_up = self._sees_network()
        if is_up and not self._was_up and self._rebinds and not stream.is_gone:
            is_up = await self._rebind(stream)
        self._was_up = is_up
        self._looked_ms = ticks_ms()

    async def _rebind(self, stream):
        """Go on from a new socket. False if none can be had: not before the next look."""
        try:
            if await stream.rebind(probe_ms=self._probe_ms):
                self.n_rebinds += 1
        except OSError as error:
            if stream.is_gone:
                return True  # that was not the reason
            self.n_failures += 1
            self.last_error = error
            return False
        except RuntimeError:
            pass  # the program is at it by itself
        return True

    def _give(self, stream):
        """Put into the session what fits, and forget what is acknowledged."""
        records, session = self._records, stream.session
        while not stream.unsent_bytes:
            if self._is_half:
                records.ends_at(session.end_sn)
                self._is_half = False
            record = records.next()
            if record is None or not session.snd_room_bytes:
                break
            stream.write(record)
            records.sent()
            self._is_half = True
        if records.retire(session.acked_sn):
            self._tell()

    def _ended(self):
        """The session (if there was one) is over, or has to be."""
        stream, self.stream = self.stream, None
        if stream is None:
            return
        stream.heard = None
        self._is_half = False
        self._records.retire(stream.session.acked_sn)
        is_last = self._is_closed and not len(self._records)
        stream.close(None if is_last else 0)
        lost = ()
        if self._sends_again or self._is_closed:
            self._records.rewind()
        else:
            lost = self._records.take_sent()
            self.n_lost += len(lost)
        self.up.clear()
        self.down.set()
        self._tell()
        if self._on_down is not None and not self._is_closed:
            self._call_on_down(lost)

    def _call_on_down(self, lost):
        try:
            result = self._on_down(self, self.last_error, lost)
            if hasattr(result, "send"):
                spawn(result)
        except Exception as error:
            report(error, "exception in on_down of a ReconnectingClient")

    # who waits

    def _tell(self):
        """Wake the tasks that wait for room, for acknowledgements or for the end."""
        self._turned.set()
        self._turned.clear()
        self._closer.wake()

    def _over_with(self):
        """The task has ended, or never ran."""
        self._is_closed = True
        self._is_running = False
        self.up.set()  # for who waits in read()
        self.up.clear()
        self.down.set()
        self._over.set()
        self._tell()
