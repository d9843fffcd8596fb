"""The receiving half of the KCP state machine: acknowledgements to send, reordering, reading.

One ring holds both of kcp's receive structures, indexed by sequence number:

    [_rcv_q ........ rcv_nxt)  in order, waiting for the application ("receive queue")
    [rcv_nxt ... + rcv_wnd)    arrived out of order, with gaps       ("receive buffer")

so moving a segment from one to the other is `rcv_nxt += 1`. At most 2 * rcv_wnd segments are held;
the ring starts small and doubles up to that. Every operation is O(1) amortised.

Sequence numbers are kept unwrapped (plain growing ints) and only the wire sees them modulo 2**32:
comparing them is then `<`, and on 32-bit MicroPython they stay small ints for the first 2**30.
"""

from array import array

from ._compat import const
from ._kernels import rx_new, rx_take

_RING_MIN = const(16)
_HALF30 = const(0x20000000)
_HALF_SN = 0x80000000
_TELL = const(2)  # IKCP_ASK_TELL: a WINS is to be sent


def pow2_at_least(n: int) -> int:
    """Return the smallest power of two that is >= n (and >= 1)."""
    p = 1
    while p < n:
        p <<= 1
    return p


def wire(sn: int) -> int:
    """Return an unwrapped sequence number as the wire has it."""
    # below 0: what a peer sent from before the first number
    return sn if 0 <= sn < 0x100000000 else sn & 0xFFFFFFFF


def sdiff(a: int, b: int) -> int:
    """Return a - b as signed 32-bit difference of two sequence numbers."""
    d = a - b
    if -_HALF30 < d < _HALF30:  # without big ints in all but absurd cases
        return d
    d &= 0xFFFFFFFF
    return d - 0x100000000 if d >= 0x80000000 else d


class Receiver:
    """State and operations of the receiving side; `Arq` adds the rest."""

    def _rcv_init(self, rcv_wnd, sn, n_acks, budget):
        self.budget = budget
        self._held_bytes = 0  # what this object has taken of the budget
        self.rcv_wnd = rcv_wnd
        self.rcv_nxt = self._rcv_q = sn
        self._rd_off = 0  # bytes of the queue's first segment that read_into() has handed out
        self.probe = 0  # WASK / WINS to send with the next pass
        self._rx_mask = -1
        self._rx_ring(_RING_MIN)
        # Acknowledgements to send: a ring of (sn, ts) that doubles up to _ack_max; then the
        # oldest is overwritten when it is full.
        self._ack_max = pow2_at_least(n_acks)
        self._ack_cap = 0
        self._ack_head = self._ack_tail = 0
        self._ack_ring(_RING_MIN)

    def _rx_ring(self, cap):
        old_mask = self._rx_mask
        mask = cap - 1
        rx, lens, frgs = [None] * cap, array("H", bytes(2 * cap)), bytearray(cap)
        for i in range(old_mask + 1):
            sn = self._rcv_q + i
            old, new = sn & old_mask, sn & mask
            rx[new], lens[new], frgs[new] = self._rx[old], self._rx_n[old], self._rx_frg[old]
        self._rx, self._rx_n, self._rx_frg, self._rx_mask = rx, lens, frgs, mask

    def wnd_unused(self) -> int:
        """Free slots of the receive queue: the window to advertise (at most 65535)."""
        free = self.rcv_wnd - (self.rcv_nxt - self._rcv_q)
        return free if free > 0 else 0

    def _ack_ring(self, cap):
        sns, tss = [0] * cap, [0] * cap
        for i in range(self._ack_head, self._ack_tail):
            old, new = i & (self._ack_cap - 1), i & (cap - 1)
            sns[new], tss[new] = self._ack_sn[old], self._ack_ts[old]
        self._ack_sn, self._ack_ts, self._ack_cap = sns, tss, cap

    def _note_ack(self, sn, ts):
        """Have the segment acknowledged."""
        tail = self._ack_tail
        if tail - self._ack_head >= self._ack_cap and self._ack_cap < self._ack_max:
            self._ack_ring(2 * self._ack_cap)
        if tail - self._ack_head >= self._ack_cap:
            # The peer learns of in-order segments by una; anything else it will send again.
            self._ack_head += 1
            self.stats.AckDrops += 1
        i = tail & (self._ack_cap - 1)
        self._ack_sn[i] = sn
        self._ack_ts[i] = ts
        self._ack_tail = tail + 1

    def _is_over_budget(self, sn, n):
        """Must this segment be refused? One per session never is, so that all go on.

        (An empty one counts as a byte: it takes memory, too.)"""
        budget = self.budget
        if budget.used_bytes + (n or 1) <= budget.limit_bytes:
            return False
        if sn < self.rcv_nxt or (sn == self.rcv_nxt and sn == self._rcv_q):
            return False
        self.stats.MemoryDrops += 1
        return True

    def leave_budget(self):
        """Give back what was taken of the shared budget, and count no more."""
        if self.budget is not None:
            self.budget.used_bytes -= self._held_bytes
            self.budget = None

    def _on_push(self, sn, ts, frg, buf, off, n):
        """Take a data segment, numbered as on the wire; return False if it was of no use."""
        nxt = self.rcv_nxt
        if sn != nxt:
            ahead = sdiff(sn, nxt)
            sn = nxt + ahead
            # kcp-go compares with the window's far edge: half way round it is ahead of that
            if ahead >= self.rcv_wnd or (ahead < -_HALF30 and ahead < self.rcv_wnd - _HALF_SN):
                return False
        budget = self.budget
        if budget is not None and self._is_over_budget(sn, n):
            return True
        self._note_ack(sn, ts)
        if sn < nxt:
            return False
        ahead = sn - self._rcv_q
        if ahead > self._rx_mask:
            self._rx_ring(pow2_at_least(ahead + 1))
        rx, mask = self._rx, self._rx_mask
        slot = sn & mask
        if rx[slot] is not None:
            self._rcv_advance()
            return False
        rx[slot] = rx_new(self._rx_pool, buf, off, n)
        self._rx_n[slot] = n
        self._rx_frg[slot] = frg
        if budget is not None:
            self._held_bytes += n or 1
            budget.used_bytes += n or 1
        if sn == nxt and ahead < self.rcv_wnd and rx[(sn + 1) & mask] is None:
            self.rcv_nxt = sn + 1  # what nearly always happens
        else:
            self._rcv_advance()
        return True

    def holds(self, sn) -> bool:
        """Is this segment, at most rcv_wnd ahead of rcv_nxt, there already? (sn unwrapped)"""
        return sn - self._rcv_q <= self._rx_mask and self._rx[sn & self._rx_mask] is not None

    def is_repeat(self, sn) -> bool:
        """Has this segment (its number as on the wire) come before, or is it out of the window?"""
        ahead = sdiff(sn, self.rcv_nxt)
        return not 0 <= ahead < self.rcv_wnd or self.holds(self.rcv_nxt + ahead)

    def _rcv_advance(self):
        """Move what is in order from the receive buffer to the receive queue."""
        rx, mask = self._rx, self._rx_mask
        nxt = self.rcv_nxt
        stop = self._rcv_q + min(self.rcv_wnd, mask + 1)
        while nxt < stop and rx[nxt & mask] is not None:
            nxt += 1
        self.rcv_nxt = nxt

    def peek_size(self) -> int:
        """Return the bytes of the next whole message in the receive queue, -1 if there is none."""
        sn = self._rcv_q
        n_queued = self.rcv_nxt - sn
        if n_queued == 0:
            return -1
        mask = self._rx_mask
        frg = self._rx_frg[sn & mask]
        if frg == 0:
            return self._rx_n[sn & mask]
        # kcp-go adds in 8 bits: 255 more fragments count as 0, and what is there is the message
        if n_queued < (frg + 1) & 0xFF:
            return -1
        size = 0
        while sn < self.rcv_nxt:
            size += self._rx_n[sn & mask]
            if self._rx_frg[sn & mask] == 0:
                break
            sn += 1
        return size

    def recv_into(self, buf) -> int:
        """Take the next message into `buf` and return its bytes (specs: kcp-go Recv).

        -1: no whole message is there; -2: it is longer than `buf`. Not to be mixed with
        `read_into` on one object. With fragments it may allocate on MicroPython.
        """
        size = self.peek_size()
        if size < 0:
            return -1
        if size > len(buf):
            return -2
        was_full = self.rcv_nxt - self._rcv_q >= self.rcv_wnd
        view = memoryview(buf)
        n = 0
        while self._rcv_q < self.rcv_nxt:
            slot = self._rcv_q & self._rx_mask
            seg_n, last = self._rx_n[slot], self._rx_frg[slot] == 0
            if seg_n:
                rx_take(self._rx[slot], 0, view[n:] if n else buf, 0, seg_n)
            n += seg_n
            self._rx_pop(slot)
            if last:
                break
        self._made_room(was_full)
        return n

    def read_into(self, buf) -> int:
        """Take bytes, whatever the message borders, and return how many (0 = none waiting).

        May return fewer than are waiting; empty segments are passed over.
        """
        room = len(buf)
        n = 0
        was_full = self.rcv_nxt - self._rcv_q >= self.rcv_wnd
        while n < room and self._rcv_q < self.rcv_nxt:
            slot = self._rcv_q & self._rx_mask
            left = self._rx_n[slot] - self._rd_off
            take = min(left, room - n)
            if take and not rx_take(self._rx[slot], self._rd_off, buf, n, take):
                break
            n += take
            self._rd_off += take
            if take == left:
                self._rx_pop(slot)
        self._made_room(was_full)
        return n

    def _rx_pop(self, slot):
        """Drop the first segment of the receive queue."""
        self._rx_pool.put(self._rx[slot])
        self._rx[slot] = None
        if self.budget is not None:
            n = self._rx_n[slot] or 1
            self._held_bytes -= n
            self.budget.used_bytes -= n
        self._rcv_q += 1
        self._rd_off = 0

    def _made_room(self, was_full):
        """After a read: move on, and tell the peer if the window had been closed."""
        self._rcv_advance()
        if was_full and self.rcv_nxt - self._rcv_q < self.rcv_wnd:
            self.probe |= _TELL

    def tell_window(self):
        """The receive window was changed: take what fits now, and tell the peer."""
        self._rcv_advance()
        self.probe |= _TELL

    @property
    def readable(self) -> int:
        """Bytes that the next segment of the receive queue holds (0: nothing to read)."""
        sn, mask = self._rcv_q, self._rx_mask
        while sn < self.rcv_nxt:
            n = self._rx_n[sn & mask]
            if sn == self._rcv_q:
                n -= self._rd_off
            if n:
                return n
            sn += 1
        return 0
