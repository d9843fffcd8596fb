"""The session of the C module (of KCP_EXTENSION) beside the one in Python, and misused."""

import gc
import os
import sys
import weakref

import pytest
from core_support import PUSH, carry, fill, read_all, segment
from hypothesis import given, settings
from hypothesis import strategies as st

from kcp import Config, _session_py
from kcp.cc import Controller
from kcp.stats import NAMES, Stats

FOLDER = os.environ.get("KCP_EXTENSION", "")
if FOLDER:
    sys.path.append(FOLDER)
    import _kcp

    sys.path.remove(FOLDER)  # other tests hand the path to processes of theirs

    from kcp import _session_native
    from kcp.crypt import _native, key_for


@pytest.fixture(autouse=True, scope="module")
def there_is_the_module():
    if not FOLDER:
        message = "KCP_EXTENSION is not set; `make env` says where the C module is"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def made(twin, now_ms=0, fill=fill, **options):
    """A session over a cipher in C: another may make other bytes of the same nonce."""
    config = Config(**{"mode": "fast3", "sndwnd": 32, "rcvwnd": 32, **options})
    codec = None
    if config.crypt != "null":
        codec = _native.codec(config.crypt, key_for(config.crypt, config.key), fill)
    return twin(7, config, fill, now_ms, codec_=codec)


def native(**options):
    session = made(_session_native.Session, **options)
    assert isinstance(session, _kcp.Session)
    return session


def plain(**options):
    return made(_session_py.Session, **options)


@pytest.mark.parametrize("crypt", ["null", "none", "salsa20", "aes-128", "aes-128-gcm", "3des"])
@pytest.mark.parametrize("fec", [None, (3, 2), "auto"])
def test_both_send_the_same(crypt, fec):
    options = {"crypt": crypt, "fec": fec}
    if crypt not in ("null", "none"):
        options["key"] = bytes(range(32))
    ours, theirs = [], []
    for make, built in ((native, ours), (plain, theirs)):
        a, b = make(**options), native(**options)
        for now_ms in range(0, 600, 10):
            if now_ms < 300:
                a.send(bytes([now_ms & 0xFF]) * 700)
            lost = (now_ms // 10) % 5 == 0
            built += carry(a, b, now_ms, lambda _, lost=lost: not lost)
            built += carry(b, a, now_ms)
            read_all(b)
        built.append([getattr(a.stats, name) for name in NAMES])
        built.append((a.rtt_ms, a.rto_ms, a.unacked_bytes, a.end_sn, a.acked_sn, a.next_sn))
    assert len(ours) > 20 and ours == theirs


def test_what_c_does_not_have_is_python():
    config = Config(cc=Controller)
    assert isinstance(_session_native.Session(1, config, fill, 0), _session_py.Session)
    counted = _session_native.Session(1, Config(), fill, 0, stats=Stats())
    assert isinstance(counted, _session_py.Session)
    with pytest.raises(ValueError, match="when the session is opened"):
        native().set(cc=Controller)


def test_counters_have_the_names_of_stats_and_can_be_written():
    stats = native().stats
    for i, name in enumerate(NAMES):
        setattr(stats, name, i + (1 << 40))
    assert stats.as_dict() == {name: i + (1 << 40) for i, name in enumerate(NAMES)}
    assert stats.copy().OutPkts == stats.OutPkts
    stats.reset()
    assert set(stats.as_dict().values()) == {0}


def test_numbers_do_not_go_round():
    a = native()
    for n in range(5):
        a.send(b"x" * a.mss)
        assert (a.acked_sn, a.end_sn) == (0, n + 1)


def test_buffers_that_are_too_short():
    a, b = native(), native()
    a.send(bytes(1000))
    with pytest.raises(ValueError, match="buffer_bytes"):
        a.output(bytearray(100), 0)
    room = bytearray(a.buffer_bytes)
    n = a.output(room, 200 + a.rto_ms)  # the one that was refused is lost
    assert n > 1000 and b.input(bytearray(room[:n]), n, 0)  # as short as the datagram
    assert not b.input(bytearray(2000), 1501, 0) and b.stats.InErrs == 1
    for bad in (-1, 3000):
        with pytest.raises(ValueError, match="range"):
            b.input(bytearray(2000), bad, 0)
    for off, end in ((-1, 5), (0, 2001), (1990, 2010)):
        with pytest.raises(ValueError, match="range"):
            b.input_plain(bytearray(2000), off, end, 0)
    with pytest.raises((TypeError, BufferError)):
        b.input(bytes(100), 100, 0)


def test_a_verb_from_within_a_verb_is_refused():
    def bad(buf):
        session.send(b"again")

    session = native(fill=bad, crypt="none")
    session.send(b"x")
    with pytest.raises(RuntimeError, match="in a verb"):
        session.output(bytearray(session.buffer_bytes), 0)


def test_what_the_source_of_random_bytes_raises_comes_out():
    def broken(buf):
        raise OSError("no entropy")

    session = native(fill=broken, crypt="none")
    session.send(b"x")
    with pytest.raises(OSError, match="no entropy"):
        session.output(bytearray(session.buffer_bytes), 0)
    for source in (lambda buf: buf.append(1), lambda buf: buf.clear()):
        session = native(fill=source, crypt="none")
        session.send(b"x")
        with pytest.raises(ValueError, match="as long as it was"):
            session.output(bytearray(session.buffer_bytes), 0)


def test_what_a_sink_raises_ends_the_trace_and_comes_out():
    def sink(event, conv, *values):
        told.append(event)
        raise KeyError(event)

    told = []
    a = native()
    a.set_logger("all", sink)
    with pytest.raises(KeyError):
        a.send(b"x")
    a.output(bytearray(a.buffer_bytes), 0)
    assert told == ["send"] and a.tracer is None


def test_a_session_that_is_part_of_a_cycle_is_collected():
    session = native(crypt="aes-128", key=bytes(16), fec=(3, 2))
    session.on_oob = lambda data, session=session: None
    session.set_logger("all", lambda *args, session=session: None)
    session.send(bytes(5000))
    b = native(crypt="aes-128", key=bytes(16), fec=(3, 2))
    carry(session, b, 0)
    gone = weakref.ref(session)
    del session, b
    gc.collect()
    assert gone() is None


def test_not_made_or_made_twice():
    bare = _kcp.Session.__new__(_kcp.Session)
    for call in (lambda: bare.output(bytearray(1536), 0), lambda: bare.timeout(0), bare.probe,
                 lambda: bare.send(b"x"), lambda: bare._set(())):  # fmt: skip
        with pytest.raises(RuntimeError):
            call()
    assert (bare.readable, bare.acked_sn, bare.fec_ratio, bare.heard) == (0, 0, None, False)
    with pytest.raises(TypeError, match="once"):
        native().__init__(7, Config(), fill, 0)
    for arguments in (
        ((), None, Stats(), None, fill, 0),
        ((), None, _kcp.Counters(), None, fill, 0),
        ((0,) * 22, None, _kcp.Counters(), None, fill, 0),
        ((0,) * 22, b"codec", _kcp.Counters(), None, fill, 0),
        ((0,) * 22, None, _kcp.Counters(), 5, fill, 0),
    ):
        with pytest.raises((TypeError, ValueError)):
            _kcp.Session(*arguments)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=1500), st.integers(0, 3000)), max_size=30))
def test_whatever_comes_nothing_raises(steps):
    session = native(fec=(3, 2))
    now_ms = 0
    for step in steps:
        if isinstance(step, int):
            now_ms += step
            session.output(bytearray(1536), now_ms)
            session.timeout(now_ms)
        else:
            session.input(bytearray(step), len(step), now_ms)
            data = bytearray(segment(PUSH, sn=len(step) & 7, data=step[:1400], conv=7))
            session.input(data, len(data), now_ms)
            session.recv_into(bytearray(100))


@pytest.mark.parametrize("make", [native, plain])
def test_a_linger_may_be_a_fraction(make):
    a = make()
    a.send(b"x")
    a.close(0, 10.5)
    assert a.is_closing and a.timeout(0) == 0
