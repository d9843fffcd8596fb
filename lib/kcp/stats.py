"""Counters, with the names of kcp-go's Snmp structure; docs/counters.md explains each one.

A Stats belongs to one session or listener. `total()` is their sum over the process, kcp-go's
DefaultSnmp: an endpoint says when a session or listener comes and goes (enter, leave), and what
one has counted is then added up here, so that nothing of it has to be kept.

Counters only grow, but for those that tell a present state (_STATES). On 32-bit MicroPython one
that passes 2**30 becomes a big int (one allocation per increment from there on).
"""

try:
    from os import register_at_fork
except ImportError:  # MicroPython, Windows
    register_at_fork = None
try:
    from _thread import RLock
except ImportError:  # MicroPython, where this library is for one thread
    RLock = None

#: kcp-go's names first, then ours.
NAMES = (
    "BytesSent",  # application bytes taken by send()
    "BytesReceived",  # application bytes handed out by recv_into()
    "MaxConn",  # most sessions at one time (listener, total)
    "ActiveOpens",  # sessions opened by connecting
    "PassiveOpens",  # sessions that a listener has made
    "CurrEstab",  # sessions open now (listener, total)
    "InErrs",  # datagrams too short, or of no session
    "InCsumErrors",  # datagrams whose checksum or tag was wrong
    "KCPInErrors",  # datagrams the KCP layer refused
    "InPkts",  # datagrams received
    "OutPkts",  # datagrams built for the wire
    "InSegs",  # KCP segments received
    "OutSegs",  # KCP segments sent
    "InBytes",  # bytes received, after decryption
    "OutBytes",  # bytes built for the wire
    "RetransSegs",  # segments sent again: the sum of the next three
    "FastRetransSegs",  # ... because enough later ones were acknowledged
    "EarlyRetransSegs",  # ... because a later one was, and nothing new was waiting
    "LostSegs",  # ... because the retransmission timer ran out
    "RepeatSegs",  # data segments received more than once
    "FECFullShards",  # FEC groups of which every data packet came
    "FECParityShards",  # parity packets received
    "FECErrs",  # packets repaired to what can be none
    "FECRecovered",  # data packets repaired
    "FECShardSet",  # FEC groups known now
    "FECShardMin",  # number of the newest FEC group
    "RingBufferSndQueue",  # segments queued for the window, at the end of the last pass
    "RingBufferRcvQueue",  # segments received in order and not read, likewise
    "RingBufferSndBuffer",  # segments in the window, likewise
    "OOBPackets",  # out-of-band packets received
    # ours from here on
    "OutDrops",  # datagrams the socket refused (ENOMEM, ENOBUFS, ...): treated as lost on the way
    "BacklogDrops",  # first packets refused: backlog or session limit reached
    "GhostDrops",  # packets of sessions that are over, or that another process had
    "RoamMoves",  # sessions that go on from another address (listener)
    "RoamDrops",  # packets from an address that has not proved to be the new one of their session
    "MemoryDrops",  # data segments refused: the memory budget was used up (the peer sends again)
    "OOBDrops",  # out-of-band packets not queued because too many were waiting
    "AckDrops",  # acknowledgements left out because the list of pending ones was full
)

#: How many of them are kcp-go's.
N_KCP_GO = NAMES.index("OOBPackets") + 1

# What is no count: it tells how things are, so it is neither summed over the past nor reset.
_STATES = (
    "MaxConn",
    "CurrEstab",
    "FECShardSet",
    "FECShardMin",
    "RingBufferSndQueue",
    "RingBufferRcvQueue",
    "RingBufferSndBuffer",
)


def header() -> list:
    """Return the names of a row's columns: kcp-go's in its order, then ours."""
    return list(NAMES)


def csv_header() -> str:
    """Return the first line of a CSV file such as kcptun's snmplog: "Unix", then the names."""
    return "Unix," + ",".join(NAMES)


class Counts:
    """What can be done with a set of counters, wherever they lie."""

    __slots__ = ()

    def reset(self):
        """Set every counter to 0. (Of a live session: total() then forgets what it had.)"""
        for name in NAMES:
            setattr(self, name, 0)

    def as_dict(self) -> dict:
        """Return {name: count}."""
        return {name: getattr(self, name) for name in NAMES}

    def add(self, other: "Stats"):
        """Add every counter of `other` to this one (to sum up sessions)."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def copy(self) -> "Stats":
        """Return a snapshot."""
        snapshot = Stats()
        snapshot.add(self)
        return snapshot

    def row(self) -> list:
        """Return the counts as str, in the order of header() (kcp-go: ToSlice)."""
        return [str(getattr(self, name)) for name in NAMES]

    def csv_row(self, unix_s: int) -> str:
        """Return a line of a CSV file; unix_s: the time in seconds, which is its first column."""
        return "%d,%s" % (unix_s, ",".join(self.row()))


class Stats(Counts):
    """A set of counters: one int attribute per name of `NAMES`."""

    __slots__ = NAMES + ("is_past",)

    def __init__(self):
        self.is_past = False  # has left total() as a session: see read_late()
        self.reset()


# The process's. Endpoints on threads of their own come here, hence the lock; a finalizer may
# close one at any moment, so the thread that holds it may take it again.


class _NoLock:
    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc, tb):
        pass


#: What is counted by a Stats that enters: a session that we or a peer have opened, or a listener.
ACTIVE, PASSIVE, LISTENER = "active", "passive", "listener"

_lock = _NoLock() if RLock is None else RLock()
if register_at_fork is not None:  # a child must not wait for a thread that it has not
    register_at_fork(after_in_child=_lock._at_fork_reinit)
_live = {}  # Stats -> one of these, of what is open
_past = Stats()  # what those that are gone have counted, less what reset_total() took off
_n_open = _max_open = 0  # sessions


def enter(stats: Stats, kind):
    """A session or listener has been opened: total() counts it from now on."""
    global _n_open, _max_open
    with _lock:
        _live[stats] = kind
        if kind is ACTIVE:
            stats.ActiveOpens += 1
        if kind is not LISTENER:
            _n_open += 1
            _max_open = max(_max_open, _n_open)


def leave(stats: Stats):
    """It is gone: what it has counted stays in total(). A second call does nothing."""
    global _n_open
    with _lock:
        kind = _live.pop(stats, None)
        if kind is None:
            return
        _past.add(stats)
        for name in _STATES:
            setattr(_past, name, 0)
        if kind is not LISTENER:
            stats.is_past = True
            _n_open -= 1


def read_late(n: int):
    """Count bytes that the application has taken from a session that is gone."""
    with _lock:
        _past.BytesReceived += n


def total() -> Stats:
    """Return a snapshot of the counters of the whole process (kcp-go: DefaultSnmp.Copy()).

    All sessions and listeners of endpoints since the start or reset_total(), closed ones included.
    CurrEstab and MaxConn are of the process; the other states are sums over what is open now, but
    FECShardMin, which is the greatest.
    """
    with _lock:
        return _sum()


def _sum():
    sum_ = _past.copy()
    newest = 0
    for stats in _live:
        sum_.add(stats)
        newest = max(newest, stats.FECShardMin)
    sum_.FECShardMin = newest
    sum_.CurrEstab, sum_.MaxConn = _n_open, _max_open
    return sum_


def reset_total():
    """Have total() count from 0 (kcp-go: DefaultSnmp.Reset()); states stay what they are, MaxConn
    begins at CurrEstab. The sessions' own counters do not change."""
    global _max_open
    with _lock:
        counted = _sum()
        for name in NAMES:
            if name not in _STATES:
                setattr(_past, name, getattr(_past, name) - getattr(counted, name))
        _max_open = _n_open
