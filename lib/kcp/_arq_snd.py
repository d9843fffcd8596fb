"""The sending half of the KCP state machine: queue, window, acknowledgements, loss signs.

One ring holds kcp's send buffer and send queue, indexed by (unwrapped) sequence number:

    [snd_una .. _snd_new .. snd_nxt)   in the window; from _snd_new on never transmitted
    [snd_nxt ... _snd_end)             queued

A queued segment's number is known, so its header is written once, when it is queued, and moving it
into the window is `snd_nxt += 1`. An acknowledged segment keeps its slot (without its bytes) until
una passes it, as in kcp-go: `_tx[slot] is None`.

kcp-go walks the whole buffer for every ACK and every flush. Here:

- Everything from `_ack_hi` on is unacknowledged and has no fast-ack count. Below it the *holes*
  (unacknowledged segments) form a doubly linked list; an ACK walks only them.
- kcp-go also counts fast-acks of segments that are acknowledged already, and a count that reaches
  the limit there makes it flush. Among segments sent just once, ts grows with sn, so each ACK hits
  a prefix of them and the first one has the highest count: it is enough to know that one's.
  `_dup[slot]` counts the ACKs whose prefix ends at that slot; the count of the first of them,
  `_dup_first`, is the sum over all slots from it on, `_dup_total`.
- The few acknowledged segments that were sent again after a timeout keep a count of their own;
  they stay in the list of holes as *ghosts*.

An ACK in order costs O(1); one out of order O(holes).
"""

from array import array

from ._arq_rcv import Receiver, pow2_at_least, sdiff, wire
from ._compat import const
from ._kernels import tx_extend, tx_new

_RING_MIN = const(16)
_OVERHEAD = const(24)
_HALF30 = const(0x20000000)
_M30 = const(0x3FFFFFFF)
_BLOCKED = const(0xFFFF)  # fast-ack count of a segment that must wait for its timer
_MAX_FRG = const(255)

#: What is known of each segment: attribute and array type code (None: a list).
_COLUMNS = (
    ("_tx", None),  # its chunk: header and payload; None once acknowledged
    ("_tx_n", "H"),  # bytes of header and payload
    ("_ts", "I"),  # when it was last sent
    ("_rto", "I"),
    ("_resend_ts", "I"),  # when its timer runs out
    ("_fast", "H"),  # fast-ack count, or _BLOCKED
    ("_dup", "H"),
    ("_xmit", "B"),  # transmissions: 0, 1, 2 = more
    ("_linked", "B"),  # 1: in the list of holes
    ("_hole_next", None),
    ("_hole_prev", None),
)
_ITEM_BYTES = {"B": 1, "H": 2, "I": 4}


class Sender(Receiver):
    """State and operations of the sending side; `Arq` adds the rest."""

    def _snd_init(self, snd_wnd, sn, max_queue):
        self.snd_wnd = snd_wnd
        self.max_queue = max_queue
        self.snd_una = self.snd_nxt = self._snd_end = self._snd_new = sn
        self.snd_bytes = 0  # payload queued or unacknowledged
        self.n_flight = 0  # segments in the window that are not acknowledged
        self.doubts = False  # whether ACKs are looked at so (`_is_strange`; kcp-go does not)
        self._una_ms = -1  # when snd_una last moved
        self._una_new = sn  # and what had not been sent yet
        #: 0: the last datagram knew of all that was acknowledged; 1: it did not (it was late);
        #: more: so many less one in a row cannot have been late, their sender has forgotten
        self.behind = 0
        self._ack_hi = sn
        self._hole_first = self._hole_last = -1
        self._cursor = -1  # hole at which the running pass stands
        self._fast_pending = False  # some hole has a fast-ack count
        self._dup_first = sn
        self._dup_total = 0
        self._tx_mask = -1
        self._tx_ring(_RING_MIN)

    def _tx_ring(self, cap):
        """(Re)build the ring with `cap` slots, a power of two."""
        old_mask, mask = self._tx_mask, cap - 1
        for name, code in _COLUMNS:
            new = [None] * cap if code is None else array(code, bytes(cap * _ITEM_BYTES[code]))
            if old_mask >= 0:
                old = getattr(self, name)
                for sn in range(self.snd_una, self._snd_end):
                    new[sn & mask] = old[sn & old_mask]
            setattr(self, name, new)
        self._tx_mask = mask

    # -- queueing ------------------------------------------------------------------------------

    def wait_snd(self) -> int:
        """Segments queued or unacknowledged (kcp-go: WaitSnd)."""
        return self._snd_end - self.snd_una

    def snd_room(self) -> int:
        """Segments that can be queued now."""
        return self.max_queue - (self._snd_end - self.snd_una)

    @property
    def next_sn(self) -> int:
        """The first segment that was never transmitted (unwrapped)."""
        return self._snd_new

    def xmit(self, sn) -> int:
        """Transmissions of a segment, numbered as on the wire: 0, 1, 2 = more; 0 once it is
        acknowledged (its place may be another one's by then)."""
        ahead = sdiff(sn, self.snd_una)
        return self._xmit[sn & self._tx_mask] if 0 <= ahead < self._snd_end - self.snd_una else 0

    def queue(self, data) -> int:
        """Queue `data` (bytes-like, one byte per item) and return how many bytes were taken.

        Message mode: all or nothing; stream mode: as many as there is room for. Raises ValueError
        on empty data, and in message mode on more than 255 segments.
        """
        n = len(data)
        if n == 0:
            raise ValueError("nothing to send: data is empty")
        mss = self.mss
        off = self._extend(data, n) if self.stream else 0
        count = (n - off + mss - 1) // mss
        room = self.snd_room()
        if not self.stream:
            if count > _MAX_FRG:
                raise ValueError("message needs over 255 segments: use stream mode or split it")
            if count > room:
                return 0
        elif count > room:
            count = room if room > 0 else 0
        if self._snd_end - self.snd_una + count > self._tx_mask + 1:
            self._tx_ring(pow2_at_least(self._snd_end - self.snd_una + count))
        while count > 0:
            count -= 1
            size = min(mss, n - off)
            self._append(data, off, size, 0 if self.stream else count)
            off += size
        return off

    def _extend(self, data, n):
        """Stream mode: fill up the last queued segment; return the bytes used."""
        last = self._snd_end - 1
        if last < self.snd_nxt:
            return 0
        slot = last & self._tx_mask
        used = self._tx_n[slot]
        take = min(n, self.mss + _OVERHEAD - used)
        if take <= 0:
            return 0
        self._tx[slot] = tx_extend(self._tx_pool, self._tx[slot], used, data, 0, take)
        self._tx_n[slot] = used + take
        self.snd_bytes += take
        return take

    def _append(self, data, off, size, frg):
        sn = self._snd_end
        slot = sn & self._tx_mask
        self._tx[slot] = tx_new(self._tx_pool, self.conv, frg, wire(sn), data, off, size)
        self._tx_n[slot] = size + _OVERHEAD
        self._fast[slot] = self._dup[slot] = self._xmit[slot] = self._linked[slot] = 0
        self.snd_bytes += size
        self._snd_end = sn + 1

    # -- acknowledgements ----------------------------------------------------------------------

    def _drop_bytes(self, slot):
        """Give a segment's bytes back: it is acknowledged."""
        self.snd_bytes -= self._tx_n[slot] - _OVERHEAD
        self.n_flight -= 1
        self._tx_pool.put(self._tx[slot])
        self._tx[slot] = None

    def _on_una(self, una):
        """Remove everything below una (snd_una < una <= snd_nxt)."""
        tx, mask = self._tx, self._tx_mask
        linked, dup = self._linked, self._dup
        sn = self.snd_una
        while sn < una:
            slot = sn & mask
            if tx[slot] is not None:
                self._drop_bytes(slot)
            if linked[slot]:
                self._unlink(sn)
            if dup[slot] and sn >= self._dup_first:
                self._dup_total -= dup[slot]
            sn += 1
        self.snd_una = una
        if self._ack_hi < una:
            self._ack_hi = una
        if self._dup_first < una:
            self._dup_first = una
        if self._snd_new <= una:
            self._snd_new = una
            self._timers = False  # nothing is in flight

    def _link(self, sn):
        """Append a hole or ghost to the list; sn is above all that are in it."""
        slot = sn & self._tx_mask
        last = self._hole_last
        self._linked[slot] = 1
        self._hole_next[slot] = -1
        self._hole_prev[slot] = last
        if last < 0:
            self._hole_first = sn
        else:
            self._hole_next[last & self._tx_mask] = sn
        self._hole_last = sn

    def _unlink(self, sn):
        mask = self._tx_mask
        slot = sn & mask
        prev, nxt = self._hole_prev[slot], self._hole_next[slot]
        self._linked[slot] = 0
        if prev < 0:
            self._hole_first = nxt
        else:
            self._hole_next[prev & mask] = nxt
        if nxt < 0:
            self._hole_last = prev
        else:
            self._hole_prev[nxt & mask] = prev
        if self._cursor == sn:
            self._cursor = nxt

    def _is_strange(self, sn, ts):
        """Can an ACK of sn that echoes ts, with a una below snd_una, come from the peer that had
        received all below snd_una? Not if what it answers was sent after snd_una was heard of.
        Such an ACK acknowledges nothing: who says it has no use for the data."""
        if not self.doubts or self._una_ms < 0:
            return False
        if self._una_new <= self.snd_una + sdiff(sn, self.snd_una) < self._snd_new:
            return True
        return ts <= _M30 and 0 < (ts - self._una_ms) & _M30 < _HALF30

    def _on_ack(self, sn, ts):
        """Handle ACK of sn (snd_una <= sn < snd_nxt), which echoes our ts.

        Return True if a fast-ack count has reached the limit: time for a full pass.
        """
        slot = sn & self._tx_mask
        if sn >= self._ack_hi:
            for hole in range(self._ack_hi, sn):
                self._link(hole)
            self._ack_hi = sn + 1
            self._drop_bytes(slot)
            if self._xmit[slot] != 1 and self._fast[slot] != _BLOCKED:
                self._link(sn)  # a ghost
        elif self._tx[slot] is not None:
            self._drop_bytes(slot)
            if self._xmit[slot] == 1 or self._fast[slot] == _BLOCKED:
                self._unlink(sn)
        if sn == self.snd_una:
            return False
        # both must run: each keeps its own counts
        hit = self._count_holes(sn, ts)
        return self._count_prefix(sn, ts) or hit

    def _count_holes(self, sn, ts):
        """One fast-ack more for each hole and ghost below sn that was sent no later than ts."""
        mask, fast, limit = self._tx_mask, self._fast, self.resend
        hit = False
        hole = self._hole_first
        while 0 <= hole < sn:
            slot = hole & mask
            count = fast[slot]
            if count != _BLOCKED and (
                (ts - self._ts[slot]) & _M30 < _HALF30 or self._xmit[slot] == 0
            ):
                count += 1
                if count < _BLOCKED:  # else: a flood of forged ACKs; it stays where it is
                    fast[slot] = count
                if count >= limit:
                    hit = True
                if self._tx[slot] is not None:
                    self._fast_pending = True
            hole = self._hole_next[slot]
        return hit

    def _count_prefix(self, sn, ts):
        """The same for all segments sent once: see the top of this file."""
        mask, xmit, dup = self._tx_mask, self._xmit, self._dup
        first = self._dup_first
        while first < sn and xmit[first & mask] != 1:
            self._dup_total -= dup[first & mask]
            first += 1
        self._dup_first = first
        last = sn - 1
        while last >= first:
            slot = last & mask
            if xmit[slot] == 1 and (ts - self._ts[slot]) & _M30 < _HALF30:
                break
            last -= 1
        if last < first:
            return False
        if dup[slot] < 0xFFFF:
            dup[slot] += 1
            self._dup_total += 1
        return self._dup_total >= self.resend
