"""Counters, with the names of kcp-go's Snmp structure (specs: kcp-go snmp.go).

A Stats object belongs to one session, listener or endpoint. Counters only grow; on 32-bit
MicroPython one that passes 2**30 becomes a big int (one allocation per increment from there on).
"""

#: kcp-go's names first, then ours.
NAMES = (
    "BytesSent",  # application bytes taken by send()
    "BytesReceived",  # application bytes handed out by recv_into()
    "MaxConn",  # most sessions at one time (listener)
    "ActiveOpens",  # sessions opened by connecting
    "PassiveOpens",  # sessions accepted by a listener
    "CurrEstab",  # sessions open now
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
    "FECFullShards",
    "FECParityShards",
    "FECErrs",
    "FECRecovered",
    "FECShardSet",
    "FECShardMin",
    "RingBufferSndQueue",
    "RingBufferRcvQueue",
    "RingBufferSndBuffer",
    "OOBPackets",
    # ours
    "OutDrops",  # datagrams the socket refused (ENOMEM, ENOBUFS, ...): treated as lost on the way
    "BacklogDrops",  # first packets refused: backlog or session limit reached
    "MemoryDrops",  # data segments refused: the memory budget was used up (the peer sends again)
    "OOBDrops",  # out-of-band packets not queued because too many were waiting
    "AckDrops",  # acknowledgements left out because the list of pending ones was full
)


class Stats:
    """A set of counters: one int attribute per name of `NAMES`."""

    __slots__ = NAMES

    def __init__(self):
        self.reset()

    def reset(self):
        """Set every counter to 0."""
        for name in NAMES:
            setattr(self, name, 0)

    def as_dict(self) -> dict:
        """Return {name: count}, in the order of `NAMES`."""
        return {name: getattr(self, name) for name in NAMES}

    def add(self, other: "Stats"):
        """Add every counter of `other` to this one (to sum up sessions)."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
