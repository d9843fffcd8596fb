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
data shards is computed. The newest group and the three before it are remembered, each with at
most `data` packets, and all with no more than limit_bytes: then the oldest group is given up. A
packet of a group that is done or too old is dropped, so late ones cannot "recover" what was never
lost (with kcp-go they can). When _MAX_OLD packets in a row are too old, the newest group must be
wrong: without a crypt one forged number far ahead is enough for that (kcp-go then repairs nothing
until the numbers have got there). The groups begin anew with the last of these packets.

The sender's (data, parity) need not be known: a packet whose type does not fit its place starts a
search for the pattern in the last 258 (type, seqid), as kcp-go does it (`tune.py`). Until it is
found no packet is kept. Then the groups begin anew with the packet that told it (kcp-go forgets to
do that: after a change to larger groups it throws its groups away until the seqids have grown).

Nothing is repaired while one of those 258 packets does not fit the ratio (kcp-go does it). While a
change is being found out, a group may be made of packets of several groups. What comes out then is
not noise: bytes in which all packets agree come out right, as a polynomial through equal values is
constant. So it may well have the right conversation number, command and length, and wrong data.
For the same reason the ratio that this side was given is in doubt, too, until data and parity have
been seen to change where it says (kcp-go trusts it).
"""

from array import array

from ._compat import const
from ._kernels import Accumulator, Pool, gf_add, put_u32, rx_new, u32
from .rs import check, coefficient, factor_table, parity_rows, row_table
from .tune import SAMPLES, Tuner

DATA = const(0xF1)
PARITY = const(0xF2)
OOB = const(0xF3)
HEAD = const(8)
_SIZE_AT = const(6)  # what is protected begins at the size field

_KEEP = const(3)  # groups remembered behind the newest
_GROUPS = const(5)  # ... and the newest, and one for the next
_MAX_OLD = const(64)
_LATE_MS = const(500)
_M30 = const(0x3FFFFFFF)
_SEQ_MAX = 0xFFFFFFFF
_SEQ_HALF = 0x80000000
_SEQS = 0x100000000


def paws(n: int) -> int:
    """Return where seqids start again: the largest multiple of n below 2**32."""
    return _SEQ_MAX // n * n


class Encoder:
    """Numbers data packets and makes the parity packets of each full group.

    (`_fec_auto.AutoEncoder` makes some of them only.)

    data, parity: shards, at least 1 each and at most 256 together (ValueError); size: the most
    bytes a packet can have from its size field on; seqid: the first one (a multiple of the sum).
    """

    n_copies = 0  # datagrams that will leave again (only with AutoEncoder)

    def __init__(self, data, parity, size, seqid=0):
        rows = parity_rows(data, parity)
        self.data, self.parity = data, parity
        self._all_tables = [tuple(row_table(row[i]) for row in rows) for i in range(data)]
        self._all_sums = tuple(Accumulator(size) for _ in range(parity))
        # those of the group at hand: of its last parity packets, which will be sent
        self._tables, self._sums = self._all_tables, self._all_sums
        self._paws = paws(data + parity)
        self.seqid = seqid
        self._n_data = self._longest = 0
        self.n_parity = 0  # parity packets of the last group still to be built
        self._last_ms = -1

    def reserve(self):
        """Allocate now what may be needed later: nothing."""

    def grow(self, size):
        """Take packets of up to `size` bytes from the size field on: the mtu has been raised."""
        for one in self._all_sums:
            one.grow(size)

    def data_packet(self, buf, off, end, now_ms):
        """Write the FEC head of the data packet buf[off:end] (segments begin at off + 8)."""
        self._head(buf, off, DATA)
        n = end - off - _SIZE_AT
        buf[off + 6] = n & 0xFF
        buf[off + 7] = n >> 8
        if self._n_data == 0:
            self._begin()
        gf_add(self._sums, self._tables[self._n_data], buf, off + _SIZE_AT, n)
        if n > self._longest:
            self._longest = n
        self._n_data += 1
        if self._n_data == self.data:
            self._n_data = 0
            n_parity = len(self._sums)
            if self._last_ms < 0 or (now_ms - self._last_ms) & _M30 >= _LATE_MS:
                n_parity = 0
            self._skip(self.parity - n_parity)
            self.n_parity = n_parity
        self._last_ms = now_ms

    def _begin(self):
        """A group begins."""
        for one in self._sums:
            one.clear()
        self._longest = 0

    def parity_packet(self, buf, off) -> int:
        """Build the next parity packet at buf[off:]; return its end."""
        self._head(buf, off, PARITY)
        n = self._longest
        self._sums[len(self._sums) - self.n_parity].take(buf, off + _SIZE_AT, n)
        self.n_parity -= 1
        return off + _SIZE_AT + n

    def _skip(self, n):
        for _ in range(n):
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

    data, parity: the sender's, 0 and 0 if they are not known: nothing is repaired then until the
    search has found them. (A guess would do harm: the parity of three packets of one conversation
    passes for a packet of it.)
    size: the most bytes a packet can have from its size field on. limit_bytes: how much memory the
    packets it holds may take; on MicroPython each takes `size` bytes, on CPython its own.
    is_sure: the ratio given is the sender's for certain.
    is_tuning: True while the ratio is being searched for.
    """

    def __init__(self, data, parity, size, stats, limit_bytes, is_sure=False):
        self._pool, self._stats = Pool(size), stats
        self._size, self._limit_bytes = size, limit_bytes
        self._held_bytes = 0
        self.scratch = bytearray(size)  # where repair() can build packets
        self._sum = (Accumulator(size),)
        self._scratch_table = bytearray(256)
        self._table = [self._scratch_table]
        self._tuner = Tuner()
        self.is_tuning = self._is_guess = not data
        self._unsure = data > 0 and not is_sure
        self._last_seqid, self._last_is_data = -1, False
        self._doubt = SAMPLES if self._unsure else 0  # packets until all that the tuner knows fit
        self._lost = None  # group being repaired
        self._at = 0  # place from which on it is to be repaired
        self._set(data or 1, parity or 1, -1)

    def _set(self, data, parity, newest):
        """Begin anew with this ratio; newest: the group that counts as newest, -1: the next."""
        check(data, parity)
        self.data, self.parity = data, parity
        self._n = data + parity
        self._paws = paws(self._n)
        self._newest = newest
        self._n_old = 0  # packets in a row that were too old
        for group in getattr(self, "_groups", ()):
            self._empty(group)
        self._groups = [Group(self._n) for _ in range(_GROUPS)]
        self._lost = None

    def input(self, buf, off, end):
        """Take the FEC packet buf[off:end]; then call repair() until it returns 0."""
        seqid, is_data = u32(buf, off), buf[off + 4] == DATA
        self._tuner.sample(is_data, seqid)
        if self._doubt:
            self._doubt -= 1
        n = end - off - _SIZE_AT
        if seqid >= self._paws or n > self._size:
            return
        place = seqid % self._n
        if (place < self.data) != is_data:
            self.is_tuning, self._unsure = True, False
            self._doubt = SAMPLES
        elif self._unsure:
            self._assure(seqid, is_data)
        if self.is_tuning:
            self._tune(seqid)
            return
        number = seqid // self._n
        group = self._group(number)
        if group is None or group.shards[place] is not None:
            return
        if not is_data:
            self._stats.FECParityShards += 1
        if group.done:
            return
        if not self._make_room(group, self._pool.chunk_bytes(n)):
            return
        self._keep(group, place, is_data, buf, off + _SIZE_AT, n)
        if self._unsure and self._has_border(group):
            self._unsure, self._doubt = False, 0
        if group.n_shards == self.data:
            if group.n_data == self.data:
                self._stats.FECFullShards += 1
                self._finish(group)
            elif self._doubt:
                self._finish(group)
            else:
                self._lost, self._at = group, 0

    def _assure(self, seqid, is_data):
        """Has a border between data and parity been seen, where the ratio given has one?"""
        if seqid == self._last_seqid + 1 and is_data != self._last_is_data:
            self._unsure, self._doubt = False, 0
        self._last_seqid = seqid
        self._last_is_data = is_data

    def _has_border(self, group):
        """The same, in whatever order they came."""
        shards = group.shards
        return shards[self.data] is not None and shards[self.data - 1] is not None

    def _tune(self, seqid):
        found = self._tuner.find()
        if found is None:
            if not self._is_guess or not self._tuner.alternates(self._paws):
                return
            found = 1, 1
        self._is_guess = False
        if found != (self.data, self.parity):
            self._set(found[0], found[1], seqid // (found[0] + found[1]))
            self._doubt = self._tuner.n_until_fit(self.data, self._n, self._paws)
        self.is_tuning = False

    def _group(self, number):
        """Return the group with this number, a new one if need be; None if it is too old."""
        free = None
        for group in self._groups:
            if group.number == number:
                self._n_old = 0
                return group
            if group.number < 0:
                free = group
        if self._newest < 0:
            self._newest = number
        behind = self._behind(number)
        if behind > _KEEP * self._n:
            self._n_old += 1
            if self._n_old < _MAX_OLD:
                return None
            behind = -1
        self._n_old = 0
        if behind < 0:
            self._newest = self._stats.FECShardMin = number
            for group in self._groups:
                if group.number >= 0 and not 0 <= self._behind(group.number) <= _KEEP * self._n:
                    self._empty(group)
                    group.number = -1
                    free = group
        free.number = number
        free.done = False
        self._count()
        return free

    def _count(self):
        n = 0
        for group in self._groups:
            n += group.number >= 0
        self._stats.FECShardSet = n

    def _behind(self, number):
        """By how many seqids is this group older than the newest? (They wrap.)"""
        d = (self._newest - number) * self._n
        if d >= _SEQ_HALF:
            d -= _SEQS
        elif d < -_SEQ_HALF:
            d += _SEQS
        return d

    def _make_room(self, group, n_bytes):
        """Keep within the limit; False if the group alone is too much for it."""
        while self._held_bytes + n_bytes > self._limit_bytes:
            oldest = None
            for one in self._groups:
                if one is group or not one.n_shards:
                    continue
                if oldest is None or self._behind(one.number) > self._behind(oldest.number):
                    oldest = one
            if oldest is None:
                return False
            self._finish(oldest)
        return True

    def _keep(self, group, place, is_data, buf, off, n):
        shard = group.shards[place] = rx_new(self._pool, buf, off, n)
        group.lens[place] = n
        self._held_bytes += len(shard)
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
                self._held_bytes -= len(group.shards[i])
                self._pool.put(group.shards[i])
                group.shards[i] = None
        group.n_shards = group.n_data = group.longest = 0
