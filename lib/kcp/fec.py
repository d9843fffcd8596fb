"""Forward error correction around KCP packets (specs: kcp-go.md section 3). Sans-IO.

Every FEC packet carries, little-endian,

    seqid 4 | type 2 (0xF1 data, 0xF2 parity) | size 2 | KCP segments ...

`data` packets and `parity` packets make a group; a packet's place in it is seqid modulo
data + parity. Protected is what begins at the size field; shorter packets count as padded with
zeros.

Encoder. The parity shards are summed up as the data packets pass (see rs.py), so it holds
parity x mtu bytes whatever `data` is. They are sent when the group is full, unless the last two
data packets were 500 ms or more apart: then the group has come too late to help, and its seqids
are skipped.

Decoder. A group that has as many packets as data shards is complete: what is missing among the
data shards is computed. At most _GROUPS groups are held, the newest and the three before it,
each with at most `data` packets, and no more than limit_bytes in all: then the oldest group is
given up. Unlike kcp-go, a group that is done takes no
more packets, so late ones cannot "recover" what was never lost.

The sender's (data, parity) need not be known: a packet whose type does not fit its place starts a
search for the pattern in the last 258 (type, seqid), as kcp-go does it (`tune.py`).
"""

from array import array

from ._compat import const
from ._kernels import Accumulator, Pool, gf_add, put_u32, rx_new, u32
from .rs import check, coefficient, factor_table, parity_rows, product_table
from .tune import Tuner

DATA = const(0xF1)
PARITY = const(0xF2)
OOB = const(0xF3)
HEAD = const(8)
_SIZE_AT = const(6)  # what is protected begins at the size field

_GROUPS = const(5)
_KEEP = const(3)  # groups kept behind the newest
_LATE_MS = const(500)
_M30 = const(0x3FFFFFFF)
_SEQ_MAX = 0xFFFFFFFF


def paws(n: int) -> int:
    """Return where seqids start again: the largest multiple of n below 2**32."""
    return _SEQ_MAX // n * n


class Encoder:
    """Numbers data packets and makes the parity packets of each full group.

    data, parity: shards, at least 1 each and at most 256 together (ValueError); size: the most
    bytes a packet can have from its size field on; seqid: the first one (a multiple of the sum).
    """

    def __init__(self, data, parity, size, seqid=0):
        rows = parity_rows(data, parity)
        self.data, self.parity = data, parity
        self._tables = [tuple(product_table(row[i]) for row in rows) for i in range(data)]
        self._sums = tuple(Accumulator(size) for _ in range(parity))
        self._paws = paws(data + parity)
        self.seqid = seqid
        self._n_data = self._longest = 0
        self.n_parity = 0  # parity packets of the last group still to be built
        self._last_ms = -1

    def grow(self, size):
        """Take packets of up to `size` bytes from the size field on: the mtu has been raised."""
        for one in self._sums:
            one.grow(size)

    def data_packet(self, buf, off, end, now_ms):
        """Write the FEC head of the data packet buf[off:end] (segments begin at off + 8)."""
        self._head(buf, off, DATA)
        n = end - off - _SIZE_AT
        buf[off + 6] = n & 0xFF
        buf[off + 7] = n >> 8
        if self._n_data == 0:
            for one in self._sums:
                one.clear()
            self._longest = 0
        gf_add(self._sums, self._tables[self._n_data], buf, off + _SIZE_AT, n)
        if n > self._longest:
            self._longest = n
        self._n_data += 1
        if self._n_data == self.data:
            self._n_data = 0
            if self._last_ms >= 0 and (now_ms - self._last_ms) & _M30 < _LATE_MS:
                self.n_parity = self.parity
            else:
                self._skip()
        self._last_ms = now_ms

    def parity_packet(self, buf, off) -> int:
        """Build the next parity packet at buf[off:]; return its end."""
        self._head(buf, off, PARITY)
        n = self._longest
        self._sums[self.parity - self.n_parity].take(buf, off + _SIZE_AT, n)
        self.n_parity -= 1
        return off + _SIZE_AT + n

    def _skip(self):
        for _ in range(self.parity):
            self._advance()

    def _advance(self):
        self.seqid += 1
        if self.seqid >= self._paws:
            self.seqid = 0

    def _head(self, buf, off, kind):
        put_u32(buf, off, self.seqid)
        buf[off + 4] = kind
        buf[off + 5] = 0
        self._advance()


class Group:
    """The packets of one group that have come, by their place."""

    def __init__(self, n):
        self.number = -1  # seqid // n; -1: free
        self.done = False
        self.shards = [None] * n
        self.lens = array("H", bytes(2 * n))
        self.n_shards = self.n_data = self.longest = 0


class Decoder:
    """Collects packets into groups and makes what is missing.

    data, parity: the sender's, as far as known (1 and 1 otherwise: the search finds them).
    size: the most bytes a packet can have from its size field on. limit_bytes: how much to hold.
    """

    def __init__(self, data, parity, size, stats, limit_bytes):
        self._pool, self._stats = Pool(size), stats
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self.scratch = bytearray(size)  # where repair() can build packets
        self._sum = (Accumulator(size),)
        self._scratch_table = bytearray(256)
        self._table = [self._scratch_table]
        self._tuner = Tuner()
        self._tuning = False
        self._lost = None  # group being repaired
        self._at = 0  # place from which on it is to be repaired
        self._set(data, parity)

    def _set(self, data, parity):
        check(data, parity)
        self.data, self.parity = data, parity
        self._n = data + parity
        self._paws = paws(self._n)
        self._newest = 0
        for group in getattr(self, "_groups", ()):
            self._empty(group)
        self._groups = [Group(self._n) for _ in range(_GROUPS)]
        self._lost = None

    def input(self, buf, off, end):
        """Take the FEC packet buf[off:end]; then call repair() until it returns 0."""
        seqid, is_data = u32(buf, off), buf[off + 4] == DATA
        self._tuner.sample(is_data, seqid)
        if seqid >= self._paws:
            return
        place = seqid % self._n
        if (place < self.data) != is_data:
            self._tuning = True
        if self._tuning:
            self._tune()
            return
        number = seqid // self._n
        group = self._group(number)
        if group is None or group.done or group.shards[place] is not None:
            return
        if not is_data:
            self._stats.FECParityShards += 1
        if not self._make_room(group, end - off - _SIZE_AT):
            return
        self._keep(group, place, is_data, buf, off + _SIZE_AT, end)
        if group.n_shards == self.data:
            if group.n_data == self.data:
                self._stats.FECFullShards += 1
                self._finish(group)
            else:
                self._lost, self._at = group, 0

    def _tune(self):
        found = self._tuner.find()
        if found is None:
            return
        if found != (self.data, self.parity):
            self._set(found[0], found[1])
        self._tuning = False

    def _group(self, number):
        """Return the group with this number, a new one if need be; None if it is too old."""
        free = None
        for group in self._groups:
            if group.number == number:
                return group
            if group.number < 0:
                free = group
        behind = self._behind(number)
        if behind > _KEEP:
            return None
        if behind < 0:
            self._newest = number
            self._stats.FECShardMin = number
            for group in self._groups:
                if group.number >= 0 and self._behind(group.number) > _KEEP:
                    self._empty(group)
                    group.number = -1
                    free = group
        free.number = number
        free.done = False
        return free

    def _behind(self, number):
        """By how many groups is this one older than the newest? (Seqids wrap.)"""
        d = (self._newest - number) * self._n & 0xFFFFFFFF
        return (d - 0x100000000 if d >= 0x80000000 else d) // self._n

    def _make_room(self, group, n):
        """Keep within the limit; False if the group alone is too much for it."""
        while self._held_bytes + n > self._limit_bytes:
            oldest = None
            for other in self._groups:
                if (
                    other is not group
                    and other.n_shards
                    and (
                        oldest is None or self._behind(other.number) > self._behind(oldest.number)
                    )
                ):
                    oldest = other
            if oldest is None:
                return False
            self._finish(oldest)
        return True

    def _keep(self, group, place, is_data, buf, off, end):
        n = end - off
        group.shards[place] = rx_new(self._pool, buf, off, n)
        group.lens[place] = n
        self._held_bytes += n
        group.n_shards += 1
        group.n_data += is_data
        if n > group.longest:
            group.longest = n

    def repair(self, buf) -> int:
        """Compute the next missing data packet: its segments at buf[2:]; return their end, or 0.

        The packet's size field says how long it is; one that cannot be is passed over (FECErrs).
        """
        group = self._lost
        if group is None:
            return 0
        while self._at < self.data:
            place = self._at
            self._at += 1
            if group.shards[place] is None:
                n = self._compute(group, place, buf)
                if n:
                    self._stats.FECRecovered += 1
                    return n
                self._stats.FECErrs += 1
        self._lost = None
        self._finish(group)
        return 0

    def _compute(self, group, place, buf):
        one, table = self._sum, self._table
        one[0].clear()
        for i in range(self._n):
            shard = group.shards[i]
            if shard is not None:
                table[0] = factor_table(self._scratch_table, coefficient(group.shards, i, place))
                gf_add(one, table, shard, 0, group.lens[i])
        one[0].take(buf, 0, group.longest)
        n = buf[0] | buf[1] << 8
        return n if 2 < n <= group.longest else 0

    def _finish(self, group):
        self._empty(group)
        group.done = True

    def _empty(self, group):
        """Give the packets of a group back."""
        for i in range(len(group.shards)):
            if group.shards[i] is not None:
                self._pool.put(group.shards[i])
                self._held_bytes -= group.lens[i]
                group.shards[i] = None
        group.n_shards = group.n_data = group.longest = 0
