"""From datagrams to sessions. Runs on both runtimes."""

from errno import ECONNRESET

from core_support import ACK, PUSH, WASK, WINS, fill, segment, session

from kcp.config import Config
from kcp.listener import Listener
from kcp.session import CLOSED, OPEN


def listener(**options):
    values = {"mode": "fast3", "sndwnd": 32, "rcvwnd": 32}
    values.update(options)
    return Listener(Config(**values), fill)


def feed(li, data, key="peer", now_ms=0):
    buf = bytearray(li.buffer_bytes)
    buf[: len(data)] = data
    return li.input(buf, len(data), key, now_ms)


def read(s):
    buf = bytearray(100)
    return bytes(buf[: s.recv_into(buf)])


def test_first_packet_makes_a_session():
    li = listener()
    s = feed(li, segment(PUSH, sn=0, data=b"hi", conv=77))
    assert s.conv == 77 and li.accept() == (s, "peer") and li.accept() is None
    assert read(s) == b"hi" and li.sessions == {"peer": s}
    assert (li.stats.PassiveOpens, li.stats.CurrEstab, li.stats.MaxConn) == (1, 1, 1)
    li.remove("peer")
    assert li.sessions == {} and li.stats.CurrEstab == 0


def test_addresses_are_kept_apart():
    li = listener()
    a = feed(li, segment(PUSH, sn=0, data=b"a", conv=1), "a")
    b = feed(li, segment(PUSH, sn=0, data=b"b", conv=1), "b")
    assert a is not b and read(a) == b"a" and read(b) == b"b"


def test_garbage_makes_nothing():
    li = listener()
    for data in (b"", bytes(5), bytes(23), bytes(24), segment(85), bytes(100)):
        assert feed(li, data) is None
    parity = b"\x01\x00\x00\x00\xf2\x00" + bytes(60)
    oob = b"\xff\xff\xff\xff\xf3\x00\x06\x00" + bytes(40)
    assert feed(li, parity) is None and feed(li, oob) is None
    assert li.stats.InErrs == 8 and li.sessions == {} and not li.backlog


def test_wrong_checksum_makes_nothing():
    li = listener(crypt="none")
    assert feed(li, bytes(20) + segment(PUSH, data=b"x")) is None
    assert li.stats.InCsumErrors == 1 and li.sessions == {}
    client = session(crypt="none")
    client.send(b"fine")
    buf = bytearray(client.buffer_bytes)
    n = client.output(buf, 0)
    assert read(feed(li, bytes(buf[:n]))) == b"fine"


def test_fec_data_makes_a_session():
    li = listener()
    inner = segment(PUSH, sn=0, data=b"shard", conv=9)
    s = feed(li, b"\x00\x00\x00\x00\xf1\x00" + bytes([len(inner) + 2, 0]) + inner)
    assert s.conv == 9 and read(s) == b"shard"
    assert feed(li, b"\x01\x00\x00\x00\xf2\x00" + bytes(60)) is s  # its parity


def test_restarted_peer_replaces_its_old_session():
    li = listener()
    old = feed(li, segment(PUSH, sn=0, data=b"1", conv=1))
    assert feed(li, segment(PUSH, sn=5, data=b"2", conv=2)) is None  # a stray
    assert li.stats.InErrs == 1 and old.state == OPEN
    new = feed(li, segment(PUSH, sn=0, data=b"3", conv=2))
    assert new is not old and old.state == CLOSED and old.error == ECONNRESET
    assert li.aborted == [old] and li.sessions == {"peer": new}
    assert li.accept() == (new, "peer") and li.accept() is None
    li.remove("peer", old)  # too late: another one is there
    assert li.sessions == {"peer": new}


def test_backlog_and_session_limits():
    li = listener(backlog=2, max_sessions=3)
    for key in ("a", "b", "c"):
        feed(li, segment(PUSH, sn=0, data=b"x"), key)
    assert len(li.sessions) == 2 and li.stats.BacklogDrops == 1
    assert li.accept() and li.accept()
    feed(li, segment(PUSH, sn=0, data=b"x"), "c")
    assert li.accept()
    feed(li, segment(PUSH, sn=0, data=b"x"), "d")
    assert len(li.sessions) == 3 and li.stats.BacklogDrops == 2
    # a peer that is known may restart all the same
    assert feed(li, segment(PUSH, sn=0, data=b"x", conv=8), "a").conv == 8


def test_memory_is_limited_over_all_sessions():
    li = listener(max_memory_bytes=4096)
    for key in range(10):
        for sn in range(1, 4):  # out of order: held, not readable
            feed(li, segment(PUSH, sn=sn, data=bytes(1000)), key)
    assert li.budget.used_bytes == 4000
    drops = sum(s.stats.MemoryDrops for s in li.sessions.values())
    assert drops == 26
    for key in range(10):  # what is next in order passes, once per session
        feed(li, segment(PUSH, sn=0, data=bytes(1000)), key)
    assert li.budget.used_bytes == 14000
    for key in range(10):
        li.remove(key)
    assert li.budget.used_bytes == 0


def test_what_cannot_begin_a_conversation_opens_no_session():
    li = listener()
    never = (
        segment(ACK, sn=0),  # of what? nothing was sent there
        segment(PUSH, sn=0, una=1, data=b"x"),  # it has had an answer already
        segment(WASK, una=1),
        segment(WINS, una=1 << 24),
        segment(PUSH, sn=128, data=b"x"),  # of a window that nobody has told
        segment(PUSH, sn=1 << 31, data=b"x"),
    )
    for n, data in enumerate(never):
        assert feed(li, data) is None and li.stats.GhostDrops == n + 1
    assert li.sessions == {} and li.stats.InErrs == 0
    first = (segment(PUSH, sn=0), segment(PUSH, sn=127), segment(WASK), segment(WINS))
    for n, data in enumerate(first):
        assert feed(li, data, n) is li.sessions[n]
