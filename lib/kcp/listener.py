"""From datagrams to sessions: by address, as kcp-go's Listener, with limits. Sans-IO.

A packet from an unknown address that names a conversation makes a session, which waits in the
backlog to be accepted. A packet of another conversation from a known address is a restarted peer
if its sequence number is 0: the old session is aborted (ECONNRESET, put into `aborted`) and a new
one made; otherwise it is a stray and dropped.

An out-of-band packet from an unknown address makes a session too, as with kcp-go (it is not handed
out itself: nobody can have set a handler yet). One of another conversation from a known address is
a stray: it has no sequence number that could say that the peer has restarted.

Packets of sessions that are over open none (GhostDrops), unlike with kcp-go. A conversation begins
with data or a question (PUSH, WASK, WINS) of a peer that has received nothing yet (una 0) and that
has not been told of a window beyond _FIRST_WND segments; anything else is for a session of this
address that has ended, or that another process had before a restart: its peer gets no answer, and
so notices after its dead_ms. What ended a short while ago is known besides: see `_ghosts`.

Limits: config.backlog sessions waiting, config.max_sessions in all (BacklogDrops counts packets
refused by either), config.max_memory_bytes received and unread in all sessions (MemoryDrops: such
segments are not acknowledged, the peer sends them again; one per session always passes).

With config.roaming a session may go on from another address: see `_roaming`, whose Roamer is
`roamer` then; after an input() that gave None it may have a question to send.
"""

from collections import deque
from errno import ECONNRESET

from ._compat import const
from .packet import BAD_SUM, codec
from .session import CLOSED, Budget, Session
from .stats import Stats

_OVERHEAD = const(24)
_FEC_DATA = const(0xF1)
_FEC_PARITY = const(0xF2)
_FEC_OOB = const(0xF3)
_FEC_HEAD = const(8)
_SIZE_AT = const(6)
_MIN_OOB = const(12)  # the FEC head and a conversation number
_PUSH = const(81)
_MIN_BUFFER = const(1536)
_ACK = const(82)
_WINS = const(84)
_FIRST_WND = const(128)  # what KCP peers take the other's window for at first: 32, in C 128


class Listener:
    """Sessions by address. config: a Config; fill(view): random bytes over a memoryview."""

    def __init__(self, config, fill, stats=None):
        self.config = config
        self.stats = Stats() if stats is None else stats
        self.codec = codec(config, fill)
        self.budget = Budget(config.max_memory_bytes)
        self.sessions = {}
        self.backlog = deque((), config.backlog)
        self.aborted = []  # sessions replaced by a restarted peer; the I/O layer empties it
        self.takes_new = True
        self._fill = fill
        self.roamer = None
        if config.roaming:
            from ._roaming import Roamer  # only who uses it pays for it

            self.roamer = Roamer(self, fill)
        self._ghosts = None  # `_ghosts.Ghosts`, when the first session has ended
        #: bytes that buffers for input() must have
        self.buffer_bytes = max(_MIN_BUFFER, 2 * config.mtu)

    def input(self, buf, n, key, now_ms):
        """Take the datagram buf[0:n] from address `key` (hashable).

        Return the session it went to, None if it was dropped (and counted).
        """
        off = self.codec.open(buf, n)
        if off < 0:
            if off == BAD_SUM:
                self.stats.InCsumErrors += 1
            else:
                self.stats.InErrs += 1
            return None
        end = n - self.codec.tail
        kcp = self._kcp_offset(buf, off, end)
        session = self.sessions.get(key)
        if session is None or (kcp >= 0 and not _has_conv(buf, kcp, session.conv)):
            session = self._new(session, buf, off, end, kcp, key, now_ms)
            if session is None:
                return None
        session.input_plain(buf, off, end, now_ms)
        return session

    def _new(self, known, buf, off, end, kcp, key, now_ms):
        """A packet that is not of the session `known` at this address: return a new session, or
        one that has moved here, or None."""
        is_oob = known is None and kcp < 0 and _is_oob(buf, off, end)
        conv_at = off + _FEC_HEAD if is_oob else kcp
        roamer = self.roamer
        if roamer is not None and conv_at >= 0 and roamer.knows(_u32(buf, conv_at)):
            if kcp >= 0:
                return roamer.input(buf, kcp, end, key, now_ms)
            self.stats.RoamDrops += 1
            return None
        if is_oob:
            return self._admit(None, buf, conv_at, -1, key, now_ms)
        return self._other(known, buf, kcp, key, now_ms)

    def _other(self, known, buf, kcp, key, now_ms):
        """It may begin a conversation."""
        if kcp < 0 or (known is not None and _u32(buf, kcp + 12) != 0):
            self.stats.InErrs += 1
            return None
        if not _PUSH <= buf[kcp + 4] <= _WINS:
            self.stats.InErrs += 1
            return None
        if not _may_begin(buf, kcp):
            self.stats.GhostDrops += 1
            return None
        return self._admit(known, buf, kcp, kcp, key, now_ms)

    def _admit(self, known, buf, conv_at, kcp, key, now_ms):
        """Make a session (instead of `known`, if that is one) unless a limit is reached."""
        config = self.config
        conv = _u32(buf, conv_at)
        ghosts = self._ghosts
        if ghosts is not None and ghosts.keeps_out(key, conv, buf, kcp, now_ms):
            self.stats.GhostDrops += 1
            return None
        n_other = len(self.sessions) - (known is not None)
        is_full = len(self.backlog) >= config.backlog or n_other >= config.max_sessions
        if is_full or not self.takes_new:
            self.stats.BacklogDrops += 1
            return None
        session = Session(  # before anything has changed: a cc class of the user's may raise
            conv, config, self._fill, now_ms, codec_=self.codec, budget=self.budget
        )
        if known is not None:
            known.abort(ECONNRESET, "the peer has begun another conversation")
            self.aborted.append(known)
            self.remove(key, known, now_ms)
        self._enter(session, key)
        if kcp >= 0:
            session.opening = bytes(memoryview(buf)[kcp + 8 : kcp + 12])  # its time stamp
        return session

    def accept(self):
        """Return the longest waiting (session, key), or None."""
        while self.backlog:
            session, key = self.backlog.popleft()
            if session.state != CLOSED:
                return session, key
        return None

    def remove(self, key, session=None, now_ms=-1):
        """Forget the session at `key` (with `session` given: only if it is that one); with now_ms
        given, drop what comes for it from now on for a while."""
        known = self.sessions.get(key)
        if known is None or (session is not None and known is not session):
            return
        del self.sessions[key]
        known.leave_budget()
        self.stats.CurrEstab = len(self.sessions)
        if self.roamer is not None:
            self.roamer.closed(known)
        if now_ms >= 0:
            self._remember(key, known, now_ms)

    def _remember(self, key, session, now_ms):
        """The session is no longer at this address: keep out what comes for it."""
        if self._ghosts is None:
            from ._ghosts import Ghosts

            self._ghosts = Ghosts()
        self._ghosts.add(key, session, now_ms)

    def _kcp_offset(self, buf, off, end):
        """Return where the first segment stands, -1 if the packet names no conversation."""
        if end - off < _OVERHEAD:
            return -1
        kind = buf[off + 4] | buf[off + 5] << 8
        if kind == _FEC_PARITY or kind == _FEC_OOB:
            return -1
        if kind == _FEC_DATA:
            off += _FEC_HEAD
        return off if end - off >= _OVERHEAD else -1

    def _enter(self, session, key):
        self.sessions[key] = session
        if self.roamer is not None:
            self.roamer.opened(session.conv, key)
        self.backlog.append((session, key))
        self.stats.PassiveOpens += 1
        self.stats.CurrEstab = len(self.sessions)
        self.stats.MaxConn = max(self.stats.MaxConn, len(self.sessions))


def _is_oob(buf, off, end):
    """Is it an out-of-band packet as kcp-go makes them, down to its seqid and size?"""
    n = end - off
    return (
        n >= _MIN_OOB
        and buf[off + 4] | buf[off + 5] << 8 == _FEC_OOB
        and buf[off + 6] | buf[off + 7] << 8 == n - _SIZE_AT
        and _has_conv(buf, off, 0xFFFFFFFF)
    )


def _may_begin(buf, off):
    """Can the segment at off be the first that a new peer sends?"""
    if buf[off + 4] == _ACK or _u32(buf, off + 16) != 0:
        return False
    return buf[off + 4] != _PUSH or _u32(buf, off + 12) < _FIRST_WND


def _u32(buf, off):
    return buf[off] | buf[off + 1] << 8 | buf[off + 2] << 16 | buf[off + 3] << 24


def _has_conv(buf, off, conv):
    return buf[off] | buf[off + 1] << 8 == conv & 0xFFFF and (
        buf[off + 2] | buf[off + 3] << 8 == conv >> 16
    )
