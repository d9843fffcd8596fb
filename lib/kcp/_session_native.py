"""`kcp.session.Session` in C: the six verbs and gauges of `_kcp.Session`, and the rest.

What C does not have takes the session in Python, which is its twin datagram for datagram: a
congestion controller of the user's, a cipher that is left to the platform (`crypt/_native.py`),
counters that are a plain `Stats`.
"""

from errno import ECONNRESET, ETIMEDOUT

import _kcp

from ._compat import MICROPYTHON
from ._failing import Failing
from .config import check_room
from .packet import codec
from .stats import Counts, read_late

_EPIPE = 32
_CLOSED = 2  # session.CLOSED
_FEC_HEAD = 8
_MAX_LIMIT = 0xFFFFFFFF
_MAX_MS = 0x3FFFFFFF
_CONTROLLERS = {"none": 0, "kcp": 1, "rate": 2}

#: By what native/core/kcp_session.h gives as the reason of an end: errno and sentence.
_ABORTED = 1
_REASONS = {
    2: (ETIMEDOUT, "{lost} bytes unanswered for {dead_ms} ms (dead_ms)"),
    3: (ETIMEDOUT, "keep-alive unanswered for {dead_ms} ms (dead_ms)"),
    4: (ETIMEDOUT, "nothing heard for {idle_ms} ms (idle_ms)"),
    5: (ETIMEDOUT, "closing took longer than {linger_ms} ms (linger_ms)"),
    6: (
        ECONNRESET,
        "the peer has forgotten this session: it was restarted, or we have another address",
    ),
}


def Budget(limit_bytes):
    """Return the bytes that sessions together may hold: limit_bytes, used_bytes."""
    budget = _kcp.Budget()
    budget.limit_bytes = min(limit_bytes, _MAX_LIMIT)
    return budget


if MICROPYTHON:
    from ._session_upy import NativeStats, given
else:

    def given(session):
        """What C is given before the rest."""
        return ()

    class NativeStats(_kcp.Counters, Counts):
        """A `Stats` whose counters a session in C counts."""

        __slots__ = ()


def _settings(conv, config):
    """What C needs of a Config, in the order of native/cpython/_kcpsession.c."""
    return (
        config.mtu,
        config.sndwnd,
        config.rcvwnd,
        config.nodelay,
        config.interval,
        config.resend,
        bool(config.stream),
        bool(config.acknodelay),
        _CONTROLLERS[config.cc],
        bool(config.pacing),
        config.payload_pct,
        bool(config.write_delay),
        config.datashard,
        config.parityshard,
        config.fec == "auto",
        bool(config.fec_acks),
        min(config.max_fec_bytes, _MAX_LIMIT),
        config.dead_ms,
        config.keepalive_ms,
        config.idle_ms,
        config.linger_ms,
        conv,
    )


def _suits(config, codec_, stats, budget):
    return (
        not callable(config.cc)
        and (config.crypt == "null" or hasattr(codec_, "memory"))
        and (stats is None or isinstance(stats, _kcp.Counters))
        and (budget is None or isinstance(budget, _kcp.Budget))
    )


class Session(_kcp.Session, Failing):
    """As `_session_py.Session`, which says what the arguments and methods mean."""

    opening = None  # (a listener's: the time stamp of the first packet, 4 bytes)
    shaper = None
    _error = _why = None  # of abort()
    _linger_ms = 0
    if MICROPYTHON:
        from ._session_upy import heard, on_oob, tracer

    def __new__(cls, conv, config, fill, now_ms, stats=None, codec_=None, budget=None):
        """Return a session in C, or one in Python if C has not what it needs."""
        if codec_ is None:
            codec_ = codec(config, fill)
        if not _suits(config, codec_, stats, budget):
            from . import _session_py

            return _session_py.Session(conv, config, fill, now_ms, stats, codec_, budget)
        session = (object if MICROPYTHON else _kcp.Session).__new__(cls)
        session.codec = codec_
        return session

    def __init__(self, conv, config, fill, now_ms, stats=None, codec_=None, budget=None):
        self.config = config
        self.stats = NativeStats() if stats is None else stats
        codec_ = self.codec
        self.overhead_bytes = codec_.head + codec_.tail + (_FEC_HEAD if config.datashard else 0)
        check_room(config.mtu, self.overhead_bytes)
        memory = None if config.crypt == "null" else codec_.memory
        settings = _settings(conv, config)
        super().__init__(*given(self), settings, memory, self.stats, budget, fill, now_ms)
        #: bytes that buffers for input() and output() must have
        self.buffer_bytes = _kcp.BUFFER_BYTES
        if config.trace:
            self.set_logger(config.trace)
        if config.rate_limit or config.dup:
            self._shape()

    def _shape(self):
        from ._shaper import shape

        shape(self)

    def set(self, **options):
        """See `_session_py.Session.set`. ValueError on a cc that is a class: C has none of those,
        and a session is in C or in Python from its beginning."""
        from ._options import changed  # only who uses it pays for it

        config = changed(self, options)
        if callable(config.cc):
            raise ValueError("a cc that is a class must be given when the session is opened")
        self._set(_settings(self.conv, config))
        is_traced_anew = config.trace != self.config.trace
        self.config = config
        if is_traced_anew:
            self.set_logger(config.trace)
        if self.shaper is not None or config.rate_limit or config.dup:
            self._shape()

    def set_logger(self, mask, sink=None, report=None):
        """See `_session_py.Session.set_logger`."""
        from .trace import attach  # only who uses it pays for it

        attach(self, mask, sink, report)

    def send_oob(self, data) -> bool:
        """See `_session_py.Session.send_oob`."""
        queued = self._send_oob(data)
        if queued >= 0:
            return queued > 0
        if not self.config.datashard:
            raise ValueError("out-of-band packets need FEC on this side: give fec=(data, parity)")
        raise ValueError(
            "an out-of-band packet takes at most %d bytes with this mtu, not %d"
            % (self.max_oob_bytes, len(data))
        )

    def close(self, now_ms, linger_ms=None):
        """Start flush-and-linger (default config.linger_ms); a second close() changes nothing."""
        if not self.is_closing:
            self._linger_ms = self.config.linger_ms if linger_ms is None else linger_ms
            self._close(now_ms, int(max(0, min(self._linger_ms, _MAX_MS))))

    def abort(self, error=None, why=None):
        """See `_session_py.Session.abort`."""
        if self.state != _CLOSED:
            self._error, self._why = error, why
            self._abort()

    @property
    def error(self):
        """The errno once it has failed."""
        reason = self.reason
        return _REASONS[reason][0] if reason > _ABORTED else self._error

    @property
    def why(self):
        """A sentence that says which limit was reached."""
        reason = self.reason
        if reason <= _ABORTED:
            return self._why
        config = self.config
        return _REASONS[reason][1].format(
            lost=self.lost_bytes,
            dead_ms=config.dead_ms,
            idle_ms=config.idle_ms,
            linger_ms=self._linger_ms,
        )

    # what C calls

    def _refuse(self, verb):
        raise self.failure() or OSError(_EPIPE, verb + " on a closed session")

    def _read_late(self, n):
        read_late(n)
