# upy: twins=python
"""The six verbs of a session. Runs on both runtimes."""

from errno import ETIMEDOUT

from core_support import CONV, PUSH, carry, parse, raises, read_all, segment, session

from kcp.session import CLOSED, CLOSING, EPIPE, OPEN


def feed(s, data, now_ms):
    buf = bytearray(s.buffer_bytes)
    buf[: len(data)] = data
    return s.input(buf, len(data), now_ms)


def test_bytes_arrive_with_and_without_checksum():
    for crypt, overhead in (("null", 0), ("none", 20)):
        a, b = session(crypt=crypt), session(crypt=crypt)
        data = bytes(i & 0xFF for i in range(5000))
        assert a.send(data) == 5000
        built = carry(a, b, 0)
        assert max(len(one) for one in built) == 1350
        assert a.mss == 1350 - 24 - overhead
        assert read_all(b) == data
        assert b.stats.InPkts == a.stats.OutPkts == len(built) and b.heard
        assert a.stats.BytesSent == b.stats.BytesReceived == 5000
        carry(b, a, 10)
        carry(a, b, 10)
        assert a.unacked_bytes == 0 and a.timeout(10) == -1 and b.timeout(10) == -1


def test_an_altered_datagram_is_counted_and_dropped():
    a, b = session(crypt="none"), session(crypt="none")
    a.send(b"hello")
    buf = bytearray(a.buffer_bytes)
    n = a.output(buf, 0)
    for i in range(16, n):
        bad = bytes(buf[:i]) + bytes([buf[i] ^ 1]) + bytes(buf[i + 1 : n])
        assert not feed(b, bad, 0)
    assert b.stats.InCsumErrors == n - 16 and not b.heard
    assert not feed(b, bytes(10), 0) and b.stats.InErrs == 1
    assert feed(b, bytes(buf[:n]), 0) and read_all(b) == b"hello"


def test_short_and_foreign_packets_are_counted():
    a = session()
    assert not feed(a, bytes(11), 0) and not feed(a, segment(PUSH, conv=5, data=b"x"), 0)
    assert a.stats.KCPInErrors == 2 and a.readable == 0


def test_a_peer_with_fec_can_be_read():
    a = session()
    inner = segment(PUSH, sn=0, data=b"shard")
    head = b"\x00\x00\x00\x00\xf1\x00" + bytes([len(inner) + 2, 0])
    assert feed(a, head + inner, 0) and read_all(a) == b"shard"
    assert not feed(a, b"\x01\x00\x00\x00\xf2\x00" + bytes(60), 0)  # parity
    assert not feed(a, b"\xff\xff\xff\xff\xf3\x00\x06\x00" + bytes(4), 0)  # out of band
    assert a.stats.KCPInErrors == 0


def test_send_is_bounded_by_the_window():
    a = session(sndwnd=4)
    taken = a.send(bytes(100000))
    assert taken == 8 * a.mss and a.send(b"x") == 0 and a.snd_room_bytes == 0
    assert a.unacked_bytes == taken


def test_write_delay_waits_for_the_tick():
    a = session(write_delay=True)
    a.send(b"x")
    assert a.timeout(3) == 7
    buf = bytearray(a.buffer_bytes)
    assert a.output(buf, 9) == 0 and a.output(buf, 10) > 0
    a.send(b"y")
    a.flush()
    assert a.timeout(10) == 0


def test_reading_in_small_pieces():
    a, b = session(), session()
    a.send(bytes(range(100)))
    carry(a, b, 0)
    got, buf = b"", bytearray(7)
    assert b.readable == 100
    while b.readable:
        n = b.recv_into(buf)
        got += bytes(buf[:n])
    assert got == bytes(range(100)) and b.recv_into(buf) == 0


def test_an_empty_segment_does_not_block_the_reader():
    a = session()
    feed(a, segment(PUSH, sn=0) + segment(PUSH, sn=1, data=b"x"), 0)
    assert a.readable == 1 and read_all(a) == b"x"


def test_close_waits_for_the_acknowledgement():
    a, b = session(), session()
    a.send(b"last words")
    a.close(0)
    assert a.state == CLOSING
    carry(a, b, 0, keep=lambda datagram: False)  # lost
    assert a.timeout(0) == 200
    carry(a, b, 200)
    assert read_all(b) == b"last words" and a.state == CLOSING
    carry(b, a, 210)
    carry(a, b, 210)
    assert (a.state, a.error, a.lost_bytes) == (CLOSED, None, 0)
    assert a.timeout(210) == -1


def test_close_gives_up_after_linger():
    a = session(linger_ms=1000)
    a.send(b"never heard")
    a.close(50)
    a.close(60)  # a second close changes nothing
    now = 50
    while a.state == CLOSING:
        carry(a, session(), now, keep=lambda datagram: False)
        wait = a.timeout(now)
        now += max(wait, 0)
    assert now == 1050 and a.error == ETIMEDOUT and a.lost_bytes == 11


def test_closing_goes_on_answering_for_a_moment():
    a, b = session(), session()
    a.send(b"question")
    carry(a, b, 0)
    b.close(0)
    carry(b, a, 0, keep=lambda datagram: False)  # its ACK is lost
    assert b.state == CLOSING
    carry(a, b, 200)
    carry(b, a, 200)
    assert a.unacked_bytes == 0
    now = 200
    while b.state == CLOSING:
        now += b.timeout(now)
        carry(b, a, now)
    assert 400 <= now <= 1000 and b.error is None


def test_a_dead_peer_is_noticed_by_time_not_by_count():
    a = session(dead_ms=30000)
    now = 0
    a.send(b"x")
    while a.state == OPEN and now < 100000:
        carry(a, session(), now, keep=lambda datagram: False)
        wait = a.timeout(now)
        if wait < 0:
            break
        now += wait
    assert now == 30000 and a.error == ETIMEDOUT and a.lost_bytes == 1
    assert a.stats.LostSegs > 20
    assert raises(OSError, a.send, b"x").args[0] == ETIMEDOUT


def test_an_answering_peer_is_not_dead():
    a, b = session(dead_ms=1000), session(rcvwnd=2)
    now = 0
    a.send(bytes(6 * a.mss))  # the peer's reader sleeps: its window stays shut
    for _ in range(3000):
        carry(a, b, now)
        carry(b, a, now)
        now += 10
    assert a.state == OPEN and a.unacked_bytes > 0


def test_idle_sessions_do_not_die():
    a = session(dead_ms=1000)
    assert a.timeout(0) == -1
    a.send(b"x")
    carry(a, session(), 500000, keep=lambda datagram: False)
    assert a.state == OPEN  # the wait for an answer begins with the first thing sent


def test_send_after_close_and_after_abort():
    a = session()
    a.close(0)
    assert raises(OSError, a.send, b"x").args[0] == EPIPE
    b = session()
    b.send(b"abc")
    b.abort(104)
    assert (b.state, b.error, b.lost_bytes, b.timeout(0)) == (CLOSED, 104, 3, -1)
    assert b.output(bytearray(b.buffer_bytes), 0) == 0
    assert raises(OSError, b.send, b"x").args[0] == 104


def test_what_arrived_can_be_read_after_the_end():
    a, b = session(), session()
    a.send(b"still here")
    carry(a, b, 0)
    b.abort(110)
    assert read_all(b) == b"still here"
    assert not feed(b, segment(PUSH, sn=1, data=b"late"), 1) and read_all(b) == b""


def test_probe_asks_and_is_answered():
    a, b = session(), session()
    a.probe()
    built = carry(a, b, 0)
    assert [one[0] for one in parse(built[0])] == [83]
    assert not a.heard
    carry(b, a, 10)
    assert a.heard and a.last_input_ms == 10


def test_conversation_numbers_use_all_32_bits():
    for conv in (0, 1, 0x7FFFFFFF, CONV, 0xFFFFFFFF):
        a, b = session(conv=conv), session(conv=conv)
        a.send(b"x")
        carry(a, b, 0)
        assert read_all(b) == b"x"
