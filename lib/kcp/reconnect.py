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
from ._opening import SOCKBUF, check_whole, need_peer, settled
from ._opening import check_ms as check_span
from ._port import Event, Waiter
from ._random import random_conv
from ._reconnecting import Bell, Reconnecting
from ._records import Backoff, Records

_STEADY = 10  # a session of so many first_ms lets the waits begin anew
_MAX_WAIT_MS = 1 << 28
_MAX_READ = 65536
_EPIPE = 32
_MAX_WRITE_LIMIT = 0x3FFFFFFF
_CONNECTING = ("sock", "carrier", "sockbuf", "write_limit")  # what is open_connection's alone

#: What a session gets where neither `config` nor `preset` is given: a peer that has gone is
#: noticed after 30 s at the latest, even if there is nothing to send.
TIMES = {"keepalive_ms": 10000, "dead_ms": 20000}


class ReconnectingClient(Reconnecting):
    """See the module's text. In `async with` it is started and closed; or call start(), aclose().

    host, port: where to; options: sock, carrier, sockbuf, write_limit and config as
    `open_connection` takes them, and `Config`'s keywords.
    on_session(client, stream): called with every new session's `Stream`, before anything is sent
    in it; plain or async. What it raises ends this session (and is reported, but for OSError).
    on_down(client, error, records): called when a session has ended, with its OSError and, with
    send_again=False, the records that were not acknowledged; plain or async.
    is_up(): whether the network is there; asked every check_ms. If it raises, it is not. rebind:
    when it has come back, go on from a new socket (`Stream.rebind`; the server must have
    roaming=True); if none can be had, on the old one, and look again after check_ms.
    limit_bytes, limit_records: of what is kept; when_full: "refuse" or "drop_oldest".
    first_ms, max_ms: the waits between attempts. probe_ms: how long an attempt waits for a sign of
    life.

    up, down: events: there is a session, there is none (aclose() wakes who waits for `up`, too).
    stream: the session's `Stream`, or None. n_sessions, n_rebinds: sessions there were, and how
    often one has moved; n_failures: attempts at either that failed. last_error: the OSError of the
    last session or attempt that failed, or what is_up() has raised. n_lost: records that were not
    acknowledged, and not sent again (send_again=False).
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
        self._steady_ms = min(_STEADY * first_ms, _MAX_WAIT_MS)
        check_span("check_ms", check_ms)
        check_span("probe_ms", probe_ms)
        self._place = host, port
        self._options = {name: options.pop(name) for name in _CONNECTING if name in options}
        self._options["config"] = self._settle(options)
        self._check(rebind, on_session=on_session, on_down=on_down, is_up=is_up)
        self._on_session, self._on_down, self._is_up = on_session, on_down, is_up
        self._rebinds, self._sends_again = rebind, send_again
        self._probe_ms, self._check_ms = probe_ms, check_ms
        self._bell = Bell()
        self._turned = Event()  # of who waits for room or for acknowledgements: set and cleared
        self._closer = Waiter()  # aclose()
        self._is_half = False  # the record written last is not wholly in the session yet
        self._was_up = True
        self._is_blind = False  # is_up() has raised
        self._looked_ms = 0
        self._task = None
        self._is_running = self._is_ending = self._is_closed = False
        self._over = Event()
        self.up = Event()
        self.down = Event()
        self.down.set()
        self.stream = None
        self.n_sessions = self.n_failures = self.n_rebinds = self.n_lost = 0
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
        check_whole("write_limit", own.get("write_limit") or 0, 0, _MAX_WRITE_LIMIT)
        return settled(config, options, *self._place, sock, carrier, sockbuf)

    def _check(self, rebinds, **hooks):
        """Raise ValueError on hooks that cannot be called, and where nothing can be re-bound."""
        for name, hook in hooks.items():
            if hook is not None and not callable(hook):
                raise ValueError("%s must be a function (without the parentheses)" % name)
        if rebinds and hooks["is_up"] is None:
            raise ValueError("rebind=True needs is_up=, which says when the network is back")
        if rebinds and ("sock" in self._options or "carrier" in self._options):
            raise ValueError("rebind=True needs a host and a port: what you gave stays what it is")

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
        stream = self.stream
        if stream is not None and self._records.retire(stream.session.acked_sn):
            self._tell()
        kept = self._records.put(record)
        self._bell.wake()
        return kept

    async def send(self, record):
        """write(), but wait while there is no room."""
        n = self._records.check(record)
        while not (self._records.has_room(n) or self._is_closed):
            await self._turned.wait()
        self.write(record)

    async def flush(self):
        """Wait until all that was written is acknowledged, however many sessions that takes.
        OSError if records were lost meanwhile (send_again=False), or aclose() gave them up."""
        n_lost = self.n_lost
        while len(self._records) and not self._is_closed:
            await self._turned.wait()
            if self.n_lost != n_lost:
                raise _not_acknowledged(self.n_lost - n_lost, "their session has ended")
        if len(self._records):
            raise _not_acknowledged(len(self._records), "the client was closed")

    # reading

    async def read(self, n: int = -1) -> bytes:
        """Return what has arrived, at most n bytes (n < 0: 64 KiB), from whatever session there
        is, waiting for one; b"" after aclose(). What one session has begun the next does not end:
        on_session is where to begin to read anew. What nobody has read when its session ends is
        gone."""
        return await self._read("read", n if n >= 0 else _MAX_READ)

    async def readline(self) -> bytes:
        """Return a line, as `read`; one that was cut off by the end of a session is left out."""
        return await self._read("readline")

    async def _read(self, method, *arguments):
        while not self._is_closed:
            stream = self.stream
            if not self.up.is_set():
                await self.up.wait()
                continue
            data = await self._read_in(stream, method, arguments)
            if data or arguments == (0,):
                return data
            if self.stream is stream and not self._is_closed:
                await self.down.wait()  # this session is over
        return b""

    async def _read_in(self, stream, method, arguments):
        """Read in this session; b"" when it is over. What else is wrong raises: a read deadline,
        or a line that is too long."""
        try:
            data = await getattr(stream, method)(*arguments)
        except OSError:
            if stream.session.failure() is None:
                raise
            return b""
        if method == "readline" and data[-1:] != b"\n":
            return b""  # it was cut off
        return data

    # beginning and end

    def start(self):
        """Begin to connect. Within a running event loop."""
        if self._is_closed:
            raise OSError(_EPIPE, "the client is closed")
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def aclose(self, linger_ms=10000):
        """Wait for acknowledgements, for at most linger_ms, then end. OSError says how many
        records were not acknowledged. When it is cancelled it ends at once. In a second task it
        waits for the end; on_session cannot call it."""
        if self._task is not None and asyncio.current_task() is self._task:
            raise RuntimeError("on_session cannot wait for the client's end: raise an error")
        if self._is_ending:
            await self._over.wait()
            return
        self._is_ending = True
        stream = None
        try:
            await self._linger(linger_ms)
        finally:
            stream = self.stream
            self._finish()
        await self._over.wait()
        if stream is not None:
            try:
                await stream.wait_closed()
            except OSError:
                pass
        if len(self._records):
            raise _not_acknowledged(len(self._records))

    async def _linger(self, linger_ms):
        """Wait until all is acknowledged, but not for longer than linger_ms."""
        begin_ms = ticks_ms()
        while len(self._records) and self._task is not None and not self._is_closed:
            left_ms = linger_ms - ticks_diff(ticks_ms(), begin_ms)
            if left_ms <= 0:
                break
            await self._closer.wait_ms(min(left_ms, _MAX_WAIT_MS))

    def _finish(self):
        """End: nothing is waited for any more."""
        self._is_closed = True
        if self.stream is not None:
            self.stream.close(0 if len(self._records) else None)  # (ends a read in on_session)
        if self._task is not None:
            self._task.cancel()
        if not self._is_running:
            self._over_with()  # it never got as far
        self._bell.wake()

    async def __aenter__(self):
        self.start()
        return self

    async def __aexit__(self, exc_type, exc, tb):
        try:
            await self.aclose()
        except OSError:
            if exc_type is None:
                raise


def _not_acknowledged(n_records, why=None):
    text = "{} records were not acknowledged".format(n_records)
    return OSError(ETIMEDOUT, text if why is None else "{}: {}".format(text, why))
