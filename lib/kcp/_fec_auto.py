"""`fec="auto"`: as much parity as the losses ask for, and copies where no group would fill.
Sans-IO.

The frame. kcp-go follows a change of (data, parity) badly: until it has noticed, it makes packets
of what belongs to several groups. So the numbers never change. Every group has `data` + `parity`
places, and what varies is how many of its parity packets are sent: 0 to `parity`, decided when a
group begins; the others' seqids are skipped, as after a pause. A peer that knows the frame repairs
with what comes, and has nothing to notice. The last places are the ones used.

To a peer that does not know the frame it is told by whole groups, with all their parity, one after
the other to begin with and one in _TELL_GROUPS (without losses: _TELL_RARELY) later: that is what
kcp-go's search for the ratio needs. A peer that was set to the same numbers need not search.

Losses. What our ARQ sends again, in 1024ths of all that it sends, over _LOOK_SEGS segments. While
parity or copies repair quickly they hide losses, and too little is seen. So the estimate goes up
at once (half the way) and down slowly; if it has to go up again, more slowly the next time, down
to 1/2**_SLOWEST of the way.

Parity. The losses in data + n packets are binomial, with a mean m and a deviation of less than
sqrt(m): n is the least with n >= m + 2 * sqrt(m).

Copies. Of a group that takes longer than about a round trip to fill, parity comes too late. Then
none is sent; instead each datagram with data leaves a second time a moment later, from
_MANY_LOSSES on a third time. They are outside the groups, as plain KCP datagrams. No more than
_MAX_COPIES datagrams wait for that: a burst goes without. As fewer than `data` datagrams leave in
a round trip then, this costs at most twice as many more.
"""

from ._compat import const
from ._kernels import Pool, rx_new
from .fec import Encoder

_M30 = const(0x3FFFFFFF)
_FIRST_LOSS = const(51)  # 5 %, until something is known
_FEW_LOSSES = const(3)  # below, nothing is done about them
_MANY_LOSSES = const(154)  # 15 %
_LOOK_SEGS = const(128)
_SHORT_LOOK_SEGS = const(32)  # where few are sent, and to begin with
_N_SHORT_LOOKS = const(8)
_FASTEST = const(4)
_SLOWEST = const(7)
_CALM_LOOKS = const(32)  # so many without a rise, and the estimate falls faster again
_TELL_FIRST = const(2)
_TELL_GROUPS = const(16)
_TELL_RARELY = const(64)
_MAX_COPIES = const(4)
_MIN_DELAY_MS = const(2)
_MAX_GAP_MS = const(2000)


def parity_for(loss, data, most):
    """Return how many parity packets a group of `data` needs at a loss of `loss` / 1024, at most
    `most` (which must be below 32, for the products to stay below 2**30)."""
    if loss < _FEW_LOSSES:
        return 0
    for n in range(1, most):
        mean = (data + n) * loss
        above = (n << 10) - mean
        if above > 0 and above * above >> 10 >= 4 * mean:
            return n
    return most


class Losses:
    """The estimate of the losses: `value`, in 1024ths."""

    def __init__(self):
        self.value = _FIRST_LOSS
        self._shift = _FASTEST
        self._n_calm = 0

    def add(self, seen, is_first):
        """So much was seen in the last look; is_first: one of the short ones of the beginning."""
        if is_first:
            self.value += (seen - self.value) >> (1 if seen > self.value else 2)
            return
        if seen > self.value:
            if seen > self.value + self.value // 2 + 10 and self._shift < _SLOWEST:
                self._shift += 1
            self._n_calm = 0
            self.value += (seen - self.value + 1) >> 1
            return
        self.value -= (self.value - seen + (1 << self._shift) - 1) >> self._shift
        self._n_calm += 1
        if self._n_calm >= _CALM_LOOKS:
            self._n_calm = 0
            if self._shift > _FASTEST:
                self._shift -= 1


class Copies:
    """Datagrams that are to leave again: at most _MAX_COPIES, in order."""

    def __init__(self, size):
        self._pool = Pool(size)
        self._chunks = [None] * _MAX_COPIES
        self._bytes = [0] * _MAX_COPIES
        self._stop_sn = [0] * _MAX_COPIES
        self._due_ms = [0] * _MAX_COPIES
        self._left = [0] * _MAX_COPIES
        self._first = 0
        self.n = 0

    def reserve(self):
        """Have room for all of them, so that none is allocated later."""
        self._pool.reserve(_MAX_COPIES)

    def put(self, buf, off, n_bytes, n_times, due_ms, stop_sn):
        """Keep buf[off:off + n_bytes] to send it n_times from due_ms on; once all below stop_sn is
        acknowledged, no more. Without room it is not kept."""
        if self.n == _MAX_COPIES:
            return
        i = (self._first + self.n) % _MAX_COPIES
        self._chunks[i] = rx_new(self._pool, buf, off, n_bytes)
        self._bytes[i] = n_bytes
        self._stop_sn[i] = stop_sn
        self._due_ms[i] = due_ms
        self._left[i] = n_times
        self.n += 1

    def wait_ms(self, now_ms):
        """Return the ms until one is due (there must be one)."""
        wait = (self._due_ms[self._first] - now_ms) & _M30
        return 0 if wait > _M30 >> 1 else wait

    def take(self, buf, off, now_ms, delay_ms, snd_una):
        """Write the copy that is due to buf[off:]; return its end, 0: it is needed no more."""
        i = self._first
        chunk, end = self._chunks[i], 0
        if snd_una < self._stop_sn[i]:
            buf[off : off + len(chunk)] = chunk
            end = off + self._bytes[i]
            self._left[i] -= 1
            self._due_ms[i] = (now_ms + delay_ms) & _M30
        if not end or not self._left[i]:
            self._pool.put(chunk)
            self._chunks[i] = None
            self._first = (i + 1) % _MAX_COPIES
            self.n -= 1
        return end


class AutoEncoder(Encoder):
    """An Encoder that decides by itself; `arq`: whose datagrams they are."""

    def __init__(self, data, parity, size, arq):
        Encoder.__init__(self, data, parity, size)
        self._arq = arq
        self._losses = Losses()
        self._rows = [self._rows_of(n) for n in range(parity + 1)]  # by number of parity packets
        self._copies = Copies(size)
        self.n_parity_used = min(2, parity)  # of the groups that begin now
        self._n_to_tell = _TELL_FIRST
        self._n_groups = 0  # since the frame was told
        self._gap = 0  # mean ms between data packets, in 16ths
        self._is_sparse = True
        self._n_looks = 0  # up to _N_SHORT_LOOKS
        self._look_sn, self._look_resent = arq.snd_una, arq.stats.RetransSegs

    def _rows_of(self, n):
        """Return what the last n parity packets of a group are made with."""
        first = self.parity - n
        return self._all_sums[first:], [one[first:] for one in self._all_tables]

    def reserve(self):
        """Allocate now what copies may need."""
        self._copies.reserve()

    @property
    def loss_pct(self) -> int:
        """The losses as they are estimated, in per cent."""
        return self._losses.value * 100 >> 10

    @property
    def n_copies(self) -> int:
        """Datagrams that will leave again."""
        return self._copies.n

    def copy_wait_ms(self, now_ms) -> int:
        """Return the ms until a copy is due, -1: there is none."""
        return self._copies.wait_ms(now_ms) if self._copies.n else -1

    def copy(self, buf, off, now_ms) -> int:
        """Write a copy that is due to buf[off:]; return its end, 0: there is none."""
        copies = self._copies
        while copies.n and copies.wait_ms(now_ms) == 0:
            end = copies.take(buf, off, now_ms, self._delay_ms(), self._arq.snd_una)
            if end:
                return end
        return 0

    def data_packet(self, buf, off, end, now_ms):
        """As Encoder's."""
        self._see_gap(now_ms)
        Encoder.data_packet(self, buf, off, end, now_ms)
        self._look()
        if self._is_sparse and self._losses.value >= _FEW_LOSSES:
            n_times = 2 if self._losses.value >= _MANY_LOSSES else 1
            start = off + 8
            due_ms = (now_ms + self._delay_ms()) & _M30
            self._copies.put(buf, start, end - start, n_times, due_ms, self._arq.next_sn)

    def _delay_ms(self):
        """How long a copy waits, so that what has hit the first one may be over."""
        return max(_MIN_DELAY_MS, min(self._arq.interval_ms, self._arq.rx_srtt >> 2))

    def _see_gap(self, now_ms):
        """See how long a group takes now."""
        if self._last_ms < 0:
            return
        gap_ms = (now_ms - self._last_ms) & _M30
        if gap_ms > _MAX_GAP_MS:
            gap_ms = _MAX_GAP_MS
        self._gap += ((gap_ms << 4) - self._gap) >> 3 if self._gap else gap_ms << 4
        fill_ms = self._gap * self.data >> 4
        limit_ms = self._arq.interval_ms + self._arq.rx_srtt
        if fill_ms > limit_ms:
            self._is_sparse = True
        elif fill_ms < limit_ms - (limit_ms >> 2):
            self._is_sparse = False

    def _look(self):
        """Every so many segments: how many were sent again?"""
        n_acked = self._arq.snd_una - self._look_sn
        is_first = self._n_looks < _N_SHORT_LOOKS
        if n_acked < (_SHORT_LOOK_SEGS if is_first or self._is_sparse else _LOOK_SEGS):
            return
        self._n_looks += is_first
        n_resent = self._arq.stats.RetransSegs - self._look_resent
        self._look_sn, self._look_resent = self._arq.snd_una, self._arq.stats.RetransSegs
        if n_resent < 0:  # the counters were reset
            return
        losses = self._losses
        losses.add((n_resent << 10) // (n_acked + n_resent), is_first)
        # not down and up again for nothing
        most = parity_for(losses.value + (losses.value >> 4), self.data, self.parity)
        least = parity_for(losses.value, self.data, self.parity)
        self.n_parity_used = max(least, min(most, self.n_parity_used))
        self._arq.payload_pct = 100 * self.data // (self.data + self.n_parity_used)

    def _begin(self):
        """A group begins: decide how much parity it gets."""
        n = self.n_parity_used
        if self._is_sparse:
            n = 0
        elif self._n_to_tell:
            self._n_to_tell -= 1
            self._n_groups = 0
            n = self.parity
        else:
            self._n_groups += 1
            if self._n_groups >= (_TELL_GROUPS if n else _TELL_RARELY):
                self._n_to_tell = 1
        self._use(n)

    def _use(self, n):
        """Make n parity packets of the group that begins."""
        self._sums, self._tables = self._rows[n]
        Encoder._begin(self)
