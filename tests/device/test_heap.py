# upy: heapsize=8m arm=no twins=python
"""Nothing allocates per packet: sessions exchange data with the heap locked (64-bit builds)."""

import gc

import micropython
from unit.core_support import encoder_of

from kcp.config import Config
from kcp.session import Session

N_PACKETS = 200
LOSE_EVERY = 9


def fill(view):
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


class Pair:
    """Two sessions, joined by a link that loses every LOSE_EVERY-th datagram."""

    def __init__(self, source=fill, **options):
        config = Config(mode="fast3", mtu=1350, sndwnd=32, rcvwnd=32, **options)
        self.a = Session(0x80001234, config, source, 0)
        self.b = Session(0x80001234, config, source, 0)
        self.buf = bytearray(self.a.buffer_bytes)
        self.page = bytearray(1400)
        self.message = bytearray(bytes(range(250)) * 4)
        self.short = bytearray(b"0123456789" * 9)
        self.now_ms = self.n_datagrams = self.n_lost = 0
        self.got_a = self.got_b = 0

    def reserve(self):
        self.a.reserve()
        self.b.reserve()

    def reserve_groups(self):
        """Have room for what the groups of the other's FEC may ever hold."""
        for session in (self.a, self.b):
            decoder = getattr(session, "_decoder", None)  # (one in C has them of reserve())
            if decoder is not None:
                pool = decoder._pool
                pool.reserve(60)
                pool.free.extend([None] * 60)

    def carry(self, source, target):
        while True:
            n = source.output(self.buf, self.now_ms)
            if n == 0:
                return
            self.n_datagrams += 1
            if self.n_datagrams % LOSE_EVERY == 0:
                self.n_lost += 1
            else:
                target.input(self.buf, n, self.now_ms)

    def take(self, session):
        n = total = 0
        while True:
            n = session.recv_into(self.page)
            if n == 0:
                return total
            total += n

    def exchange(self, n_messages):
        """Send n long and n short messages each way; end when all have arrived."""
        goal = n_messages * (len(self.message) + len(self.short))
        n_sent = self.got_a = self.got_b = 0
        while self.got_a < goal or self.got_b < goal:
            if n_sent < n_messages and self.a.snd_room_bytes and self.b.snd_room_bytes:
                self.a.send(self.message)
                self.a.send(self.short)
                self.b.send(self.message)
                self.b.send(self.short)
                n_sent += 1
            self.carry(self.a, self.b)
            self.carry(self.b, self.a)
            self.got_a += self.take(self.a)
            self.got_b += self.take(self.b)
            self.a.timeout(self.now_ms)
            self.now_ms += 5
        return goal

    def talk(self, n_messages):
        """Send n short messages, 50 ms apart."""
        for _ in range(n_messages):
            self.a.send(self.short)
            for _ in range(10):
                self.carry(self.a, self.b)
                self.carry(self.b, self.a)
                self.take(self.b)
                self.a.timeout(self.now_ms)
                self.now_ms += 5


def locked_exchange(pair):
    """Run the exchange with the heap locked; return the number of bytes it left allocated."""
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        pair.exchange(N_PACKETS)
    finally:
        micropython.heap_unlock()
    return gc.mem_alloc() - before


def check(**options):
    pair = Pair(**options)
    pair.reserve()
    pair.exchange(20)
    pair.reserve_groups()
    lost = pair.n_lost
    assert locked_exchange(pair) == 0
    assert pair.got_a == pair.got_b == N_PACKETS * 1090
    stats = pair.a.stats
    assert pair.n_lost - lost > 20 and stats.RetransSegs + stats.FECRecovered > 10
    return pair


def test_no_crypt_does_not_allocate():
    check(crypt="null")


def test_checksum_does_not_allocate():
    check(crypt="none")


def test_message_mode_does_not_allocate():
    check(crypt="none", stream=False)


def test_fec_does_not_allocate():
    check(crypt="none", fec=(3, 1))


def test_adaptive_fec_does_not_allocate():
    pair = check(crypt="none", fec="auto", interval=100)  # so that groups fill in time
    assert pair.b.stats.FECRecovered > 10 and encoder_of(pair.a).n_parity_used >= 1


def test_copies_of_adaptive_fec_do_not_allocate():
    pair = Pair(crypt="none", fec="auto")
    pair.reserve()
    pair.talk(20)
    pair.reserve_groups()
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        pair.talk(200)
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == before and pair.b.stats.RepeatSegs > 100


def test_a_rate_limit_does_not_allocate():
    pair = check(crypt="none", rate_limit=150000)
    assert pair.now_ms > 1000  # else nothing was held back


def test_copies_do_not_allocate():
    pair = Pair(crypt="none", dup=1)
    pair.reserve()
    pair.exchange(20)
    assert locked_exchange(pair) == 0
    assert pair.got_a == N_PACKETS * 1090 and pair.a.stats.RepeatSegs > N_PACKETS // 2


def test_keep_alive_does_not_allocate():
    pair = check(crypt="none", keepalive_ms=500, idle_ms=5000)
    a, b = pair.a, pair.b
    gc.collect()
    before, n_before = gc.mem_alloc(), a.stats.OutPkts
    micropython.heap_lock()
    try:
        for _ in range(4000):  # 20 s of silence, but for questions and answers
            pair.carry(a, b)
            pair.carry(b, a)
            a.timeout(pair.now_ms)
            b.timeout(pair.now_ms)
            pair.now_ms += 5
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == before and a.stats.OutPkts - n_before > 20
    assert a.error is None and b.error is None


def test_the_lock_would_catch_an_allocation():
    pair = Pair()
    pair.exchange(2)
    pair.message = None  # len(None) raises, which allocates an exception
    try:
        locked_exchange(pair)
    except (MemoryError, TypeError):
        return
    raise AssertionError("an allocation went unnoticed")


def test_a_thousand_packets_each_way():
    pair = Pair(crypt="none", fec=(3, 1))
    pair.reserve()
    pair.exchange(50)
    pair.reserve_groups()
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        pair.exchange(1300)
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == before
    for session in (pair.a, pair.b):
        stats = session.stats
        assert stats.OutPkts - stats.OutPkts // 4 > 1000 and stats.FECRecovered > 50
        assert stats.MemoryDrops == stats.OOBDrops == 0


def test_memory_does_not_creep():
    pair = Pair(crypt="none")
    pair.reserve()
    pair.exchange(50)
    gc.collect()
    before, n_before = gc.mem_alloc(), pair.n_datagrams
    while pair.n_datagrams - n_before < 10000:
        pair.exchange(100)
    gc.collect()
    assert gc.mem_alloc() == before
