"""What a listener remembers of sessions that are over. Runs on both runtimes."""

from core_support import PUSH, WASK, fill, segment, session

from kcp._ghosts import Ghosts
from kcp.config import Config
from kcp.listener import Listener

CONV = 0xF0000005  # no small int on a 32-bit chip


def keeps_out(ghosts, key, conv, now_ms, cmd=PUSH, **fields):
    return ghosts.keeps_out(key, conv, bytearray(segment(cmd, **fields)), 0, now_ms)


def remembered(now_ms=0):
    ghosts = Ghosts()
    dead = session(conv=CONV)
    dead.opening = b"\x01\x00\x00\xf0"
    ghosts.add("a", dead, now_ms)
    return ghosts


def test_data_from_the_beginning_gets_in_unless_it_is_the_same_packet():
    ghosts = remembered()
    assert keeps_out(ghosts, "a", CONV, 10, ts=0xF0000001)
    assert not keeps_out(ghosts, "a", CONV, 10, ts=0xF0000002)
    assert keeps_out(ghosts, "a", CONV, 10, ts=0xF0000002, sn=1)
    assert keeps_out(ghosts, "a", CONV, 10, ts=0xF0000002, una=1)
    assert keeps_out(ghosts, "a", CONV, 10, WASK)
    assert ghosts.keeps_out("a", CONV, bytearray(40), -1, 10)  # an out-of-band packet
    assert not keeps_out(ghosts, "a", CONV - 1, 10, sn=1)
    assert not keeps_out(ghosts, "b", CONV, 10, sn=1)


def test_it_is_bounded_in_time():
    start_ms = (1 << 30) - 1000  # and the clock runs over its end
    ghosts = remembered(start_ms)
    assert keeps_out(ghosts, "a", CONV, 58999, WASK)
    assert keeps_out(ghosts, "a", CONV, 58999, sn=3)  # data: the peer is alive
    assert keeps_out(ghosts, "a", CONV, 58999 + 59999, sn=3)
    assert not keeps_out(ghosts, "a", CONV, 58999 + 59999 + 60000, sn=3)


def test_it_is_bounded_in_number():
    ghosts = remembered()
    dead = session(conv=CONV)
    sizes = []
    for n in range(3000):
        ghosts.add(n, dead, 0)
        ghosts.add(n, dead, 0)
        sizes.append(len(ghosts))
    assert max(sizes) == sizes[-1] and sizes[-1] in (64, 1024)
    assert not keeps_out(ghosts, "a", CONV, 0, sn=1) and keeps_out(ghosts, 2999, CONV, 0, sn=1)


def test_a_listener_keeps_nothing_before_a_session_has_ended():
    listener = Listener(Config(), fill)
    buf = bytearray(segment(PUSH, data=b"x"))
    listener.input(buf, len(buf), "a", 0)
    assert listener._ghosts is None
    listener.remove("a", None, 5)
    assert len(listener._ghosts) == 1
