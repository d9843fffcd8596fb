"""A client that stays connected, for devices whose network comes and goes. Asyncio, both runtimes.

    async with ReconnectingClient("10.0.0.2", 4000, crypt="aes-128-gcm", key=key) as client:
        client.write(b"a record")

What is written are *records*: they are kept until the peer has acknowledged them, at most
limit_bytes and limit_records of them; `write` refuses more, or the oldest unsent ones are left out
(`when_full`). A session that has died is followed by a new one: a new conversation, of which the
peer knows nothing. `on_session` gets it first, to say who is there and from where to go on. Then
what was not acknowledged is sent again (send_again=True): the peer gets a record twice when its
acknowledgement was lost, and always whole ones. Or (send_again=False) it is reported to `on_down`,
and forgotten: it may have arrived or not.

Between two attempts it waits: first_ms, then twice as long each time up to max_ms, each time less
a random part of up to a half, so that a thousand devices do not come back all at once. `is_up`
(`network.WLAN(...).isconnected`) spares it attempts while the network is down. A session that is
there is not ended because the network is down: it goes on if that comes back within `dead_ms`.
"""

import asyncio
from errno import ETIMEDOUT

from ._clock import ticks_diff, ticks_ms
from ._opening import SOCKBUF, need_peer, settled
from ._port import Event, TimeoutError, Waiter, report, wait_for_ms
from ._random import random_conv
from ._records import Backoff, Records
from .aio import open_connection

_STEADY = 10  # a session of so many first_ms lets the waits begin anew
_EPIPE = 32
_CONNECTING = ("sock", "carrier", "sockbuf", "write_limit")  # what is open_connection's alone

#: What a session gets where neither `config` nor `preset` is given: a peer that has gone is
#: noticed after 30 s at the latest, even if there is nothing to send.
TIMES = {"keepalive_ms": 10000, "dead_ms": 20000}


class _Bell:
    """Wakes the client's task; once rung it stays so until somebody has waited for it."""

    def __init__(self):
        self._waiter = Waiter()
        self._is_rung = False

    def wake(self):
        self._is_rung = True
        self._waiter.wake()

    async def wait(self):
        if not self._is_rung:
            await self._waiter.wait()
        self._is_rung = False


class ReconnectingClient:
    """See the module's text. In `async with` it is started and closed; or call start(), aclose().

    host, port: where to; options: sock, carrier, sockbuf, write_limit and config as
    `open_connection` takes them, and `Config`'s keywords.
    on_session(client, stream): called with every new session's `Stream`, before anything is sent
    in it; plain or async. What it raises ends this session (and is reported, but for OSError).
    on_down(client, error, records): called when a session has ended, with its OSError and, with
    send_again=False, the records that were not acknowledged.
    is_up(): whether the network is there; asked every check_ms. rebind: when it has come back, go
    on from a new socket (`Stream.rebind`; the server must have roaming=True).
    limit_bytes, limit_records: of what is kept; when_full: "refuse" or "drop_oldest".
    first_ms, max_ms: the waits between attempts. probe_ms: how long an attempt waits for a sign of
    life.

    up, down: events: there is a session, there is none. stream: the session's `Stream`, or None.
    n_sessions, n_failures: sessions there were, and attempts that failed; last_error: the OSError
    of the last session or attempt that failed.
    """

    def __init__(  # noqa: PLR0913  by keyword only
        self,
        host=None,
        port=None,
        *,
        on_session=None,
        on_down=None,
        is_up=None,
        rebind=False,
        send_again=True,
        limit_bytes=16384,
        limit_records=256,
        when_full="refuse",
        first_ms=500,
        max_ms=60000,
        probe_ms=5000,
        check_ms=1000,
        **options,
    ):
        self._records = Records(limit_bytes, limit_records, when_full)
        self._backoff = Backoff(first_ms, max_ms, random_conv)
        self._steady_ms = _STEADY * first_ms
        if check_ms < 1 or probe_ms < 1:
            raise ValueError("check_ms and probe_ms must be at least 1 ms")
        self._place = host, port
        self._options = {name: options.pop(name) for name in _CONNECTING if name in options}
        self._options["config"] = self._settle(options)
        self._on_session, self._on_down, self._is_up = on_session, on_down, is_up
        self._rebinds, self._sends_again = rebind, send_again
        self._probe_ms, self._check_ms = probe_ms, check_ms
        self._bell = _Bell()
        self._emptied = Waiter()
        self._roomy = Waiter()
        self._is_half = False  # the record written last is not wholly in the session yet
        self._was_up = True
        self._task = None
        self._is_closed = False
        self.up = Event()
        self.down = Event()
        self.down.set()
        self.stream = None
        self.n_sessions = self.n_failures = 0
        self.last_error = None

    def _settle(self, options):
        """Return the `Config`; ValueError on whatever is wrong with the arguments."""
        config = options.pop("config", None)
        if config is None and "preset" not in options:
            for name, ms in TIMES.items():
                options.setdefault(name, ms)
        own = self._options
        sock, carrier, sockbuf = own.get("sock"), own.get("carrier"), own.get("sockbuf", SOCKBUF)
        need_peer(*self._place, carrier)
        return settled(config, options, *self._place, sock, carrier, sockbuf)

    # what it keeps

    @property
    def n_unacked(self) -> int:
        """Records written and not acknowledged."""
        return len(self._records)

    @property
    def unacked_bytes(self) -> int:
        """Bytes of these records."""
        return self._records.n_bytes

    @property
    def n_dropped(self) -> int:
        """Records left out because there was no room (when_full="drop_oldest")."""
        return self._records.n_dropped

    # writing

    def write(self, record) -> bool:
        """Keep a record and send it as soon as may be; never waits. False: it was dropped.
        OSError(ENOBUFS) if there is no room and when_full is "refuse"."""
        if self._is_closed:
            raise OSError(_EPIPE, "the client is closed")
        if self.stream is not None:
            self._records.retire(self.stream.session.arq.snd_una)
        kept = self._records.put(record)
        self._bell.wake()
        return kept

    async def send(self, record):
        """write(), but wait while there is no room. One task at a time."""
        if self._roomy.is_busy:
            raise RuntimeError("another task is sending already")
        n = len(record)
        while not (self._records.has_room(n) or len(self._records) == 0 or self._is_closed):
            await self._roomy.wait()
        self.write(record)

    async def flush(self):
        """Wait until all that was written is acknowledged, however many sessions that takes. One
        task at a time."""
        if self._emptied.is_busy:
            raise RuntimeError("another task is flushing already")
        while len(self._records) and not self._is_closed:
            await self._emptied.wait()

    # reading

    async def read(self, n: int = -1) -> bytes:
        """Return bytes from whatever session there is, waiting for one; b"" after aclose(). What
        one session has begun the next does not end: on_session is where to begin to read anew."""
        return await self._read("read", n)

    async def readline(self) -> bytes:
        """Return a line, as `read`; one that was cut off by the end of a session is left out."""
        return await self._read("readline")

    async def _read(self, method, *arguments):
        while not self._is_closed:
            stream = self.stream
            if stream is None or not self.up.is_set():
                await self.up.wait()
                continue
            try:
                data = await getattr(stream, method)(*arguments)
            except EOFError:
                data = b""
            except OSError:
                data = b""
            if data:
                return data
            if self.stream is stream and not self._is_closed:
                await self.down.wait()  # this session is over
        return b""

    # beginning and end

    def start(self):
        """Begin to connect. Within a running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def aclose(self, linger_ms=10000):
        """Wait for acknowledgements, for at most linger_ms, then end. OSError says how many
        records were not acknowledged."""
        if self._is_closed:
            return
        try:
            if len(self._records):
                await wait_for_ms(self.flush(), linger_ms)
        except TimeoutError:
            pass
        self._is_closed = True
        stream = self.stream
        for waiter in (self._emptied, self._roomy):
            waiter.wake()
        self.up.set()  # for who waits in read()
        if self._task is not None:
            self._task.cancel()
            try:
                await self._task
            except asyncio.CancelledError:
                pass
        if stream is not None:
            try:
                await stream.wait_closed()
            except OSError:
                pass
        if len(self._records):
            n = len(self._records)
            raise OSError(ETIMEDOUT, "{} records were not acknowledged".format(n))

    async def __aenter__(self):
        self.start()
        return self

    async def __aexit__(self, exc_type, exc, tb):
        try:
            await self.aclose()
        except OSError:
            if exc_type is None:
                raise

    # the task

    async def _run(self):
        while True:
            await self._network()
            begin_ms = ticks_ms()
            try:
                await self._connect()
                await self._serve()
            except Exception as error:
                self.last_error = error
                if not isinstance(error, OSError):
                    report(error, "exception in a ReconnectingClient")
            finally:
                was_session = self.stream is not None
                self._ended()
            if was_session and ticks_diff(ticks_ms(), begin_ms) >= self._steady_ms:
                self._backoff.reset()
            if not was_session:
                self.n_failures += 1
            await self._pause(self._backoff.next_ms())

    async def _network(self):
        """Wait for the network."""
        while self._is_up is not None and not self._is_up():
            self._backoff.reset()  # what has failed was the network
            await asyncio.sleep(self._check_ms / 1000)

    async def _pause(self, n_ms):
        """Wait before the next attempt, but no longer than until the network goes down."""
        while n_ms > 0 and (self._is_up is None or self._is_up()):
            slice_ms = n_ms if self._is_up is None else min(n_ms, self._check_ms)
            await asyncio.sleep(slice_ms / 1000)
            n_ms -= slice_ms

    async def _connect(self):
        host, port = self._place
        stream, _ = await open_connection(host, port, probe_ms=self._probe_ms, **self._options)
        self.stream = stream
        self.n_sessions += 1
        stream.heard = self._bell  # rung by every turn of the session, and by its end

    async def _serve(self):
        """Do what a session needs, until it is over: OSError."""
        stream = self.stream
        if self._on_session is not None:
            result = self._on_session(self, stream)
            if hasattr(result, "send"):
                await result
        self.down.clear()
        self.up.set()
        self._was_up = True
        while not stream.is_gone:
            self._give(stream)
            if self._is_up is None:
                await self._bell.wait()
                continue
            try:
                await wait_for_ms(self._bell.wait(), self._check_ms)
            except TimeoutError:
                await self._look(stream)
        raise stream.session.failure() or OSError(_EPIPE, "the stream was closed")

    async def _look(self, stream):
        """See whether the network has come back."""
        is_up = bool(self._is_up())
        if is_up and not self._was_up and self._rebinds and not stream.is_gone:
            await stream.rebind(probe_ms=self._probe_ms)
            stream.heard = self._bell
        self._was_up = is_up

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
        records.retire(session.acked_sn)
        if not len(records):
            self._emptied.wake()
        self._roomy.wake()

    def _ended(self):
        """The session (if there was one) is over, or has to be."""
        stream, self.stream = self.stream, None
        if stream is None:
            return
        stream.heard = None
        self._is_half = False
        self._records.retire(stream.session.acked_sn)
        stream.close(0 if len(self._records) else None)
        lost = ()
        if self._sends_again or self._is_closed:
            self._records.rewind()
        else:
            lost = self._records.take_sent()
        self.up.clear()
        self.down.set()
        if self._on_down is not None and not self._is_closed:
            try:
                self._on_down(self, self.last_error, lost)
            except Exception as error:
                report(error, "exception in on_down of a ReconnectingClient")
