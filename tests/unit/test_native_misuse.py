"""The C module (of KCP_EXTENSION): what it must not be given, and what must not stay behind."""

import copy
import gc
import importlib.util
import itertools
import os
import pickle
import subprocess
import sys
import tracemalloc

import pytest
from core_support import carry, fill, read_all
from test_native_session import FOLDER, native

from kcp import Config

if FOLDER:
    import _kcp

    from kcp import _session_native

from test_native_session import there_is_the_module  # noqa: F401 (a fixture)

PATHS = os.pathsep.join([*(path for path in sys.path if path), FOLDER])


class NoBool:
    def __bool__(self):
        raise KeyError("bool")


class NoIndex:
    def __index__(self):
        raise KeyError("index")


class NoItems(list):
    def __len__(self):
        raise KeyError("len")

    def __getitem__(self, i):
        raise KeyError("item")


class NoValue:
    @property
    def value(self):
        raise KeyError("value")


HUGE = [1 << 31, 1 << 32, (1 << 32) + 1, (1 << 63) - 1, 1 << 63, -(1 << 63), 1 << 70, -1]
ODD = [None, NoBool(), NoIndex(), NoItems(), NoValue(), [NoValue()], [], {}, "x", 1.5]
ODD += [b"", bytearray(), bytearray(3), bytearray(40), memoryview(bytearray(40))[::2], 0, 1, *HUGE]


def good_calls():
    """(function, arguments) of every function and method, as they should be called."""
    codec = bytearray(_kcp.crypt_bytes(1))
    _kcp.crypt_init(codec, 1, b"", False)
    a, b = native(fec=(3, 2)), native(fec=(3, 2), crypt="none")
    room = bytearray(1536)
    yield _kcp.crc32, (b"abc", 0, 3)
    yield _kcp.gf_add, ([], [], b"abc", 0, 3)
    yield _kcp.gf_add, ([NoValue()], [b"12"], b"abc", 0, 3)
    yield _kcp.copy, (b"abc", 0, bytearray(3), 0, 3)
    yield _kcp.zero, (bytearray(3),)
    yield _kcp.crypt_bytes, (1,)
    yield _kcp.crypt_init, (bytearray(16), 1, b"", False)
    yield _kcp.seal, (codec, room, 100, bytes(16))
    yield _kcp.open, (codec, room, 100)
    yield _kcp.run, (codec, room, 96, True)
    for session in (a, b):
        yield session.input, (bytearray(1536), 100, 0)
        yield session.input_plain, (room, 0, 100, 0)
        yield session.output, (room, 0)
        yield session.recv_into, (room,)
        yield session._close, (0, 0)
        for name in ("send", "_send_oob", "send_oob"):
            yield getattr(session, name), (b"data",)
        for name in ("timeout", "ask", "resume", "held_back", "is_repeat", "n_sent"):
            yield getattr(session, name), (0,)
        yield session._set, (_session_native._settings(7, Config()),)
    arguments = _session_native._settings(7, Config()), None, _kcp.Counters(), None, fill, 0
    yield _kcp.Session, arguments


def test_whatever_the_arguments_a_result_or_an_exception_comes():
    """(map() looks, as an ordinary call does not, whether it is both or neither.)"""
    n = 0
    for function, arguments in good_calls():
        for i, odd in itertools.product(range(len(arguments)), ODD):
            given = [*arguments]
            given[i] = odd
            try:
                list(map(function, *([one] for one in given)))
            except SystemError as error:
                pytest.fail(f"{function.__name__}, argument {i} {odd!r}: {error}")
            except Exception:  # which is what misuse is answered by
                n += 1
        for given in (arguments[1:], (*arguments, 0)):
            with pytest.raises(TypeError):
                function(*given)
    assert n > 500


def test_numbers_that_are_wider_than_those_in_c():
    codec = bytearray(_kcp.crypt_bytes(1))
    for kind in (0, -1, (1 << 16) + 1, (1 << 32) + 1, (1 << 62) + 1):
        assert _kcp.crypt_bytes(kind) == 0
        with pytest.raises(ValueError, match="no such cipher"):
            _kcp.crypt_init(codec, kind, b"", False)
    for i, wide in itertools.product(range(22), (-1, 1 << 32, 1 << 80)):
        settings = [*_session_native._settings(7, Config())]
        settings[i] = wide
        with pytest.raises(OverflowError):
            _kcp.Session(tuple(settings), None, _kcp.Counters(), None, fill, 0)


def test_what_could_not_be_made_holds_nothing():
    bad, stats = bytearray(1000), _kcp.Counters()
    settings = _session_native._settings(7, Config())
    session = _kcp.Session.__new__(_kcp.Session)
    for _ in range(2):
        with pytest.raises((ValueError, TypeError)):
            session.__init__(settings, bad, stats, None, fill, 0)
    n = sys.getrefcount(stats)
    for mtu in (10, 60000):
        with pytest.raises(ValueError, match="out of range"):
            _kcp.Session((mtu, *settings[1:]), None, stats, None, fill, 0)
    assert sys.getrefcount(stats) == n
    del session
    bad.append(1)  # BufferError if it were held


def test_lingers_of_any_length():
    for linger_ms, is_over in ((-5, True), (0, True), (1 << 30, False), (1 << 90, False)):
        session = native()
        session.send(b"x")
        session.close(0, linger_ms)
        session.output(bytearray(1536), 10)
        assert (session.state == 2) == is_over, linger_ms


# what calls back


def test_an_oob_handler_may_use_the_session():
    a, b = native(fec=(3, 2)), native(fec=(3, 2))
    told, deep = [], []

    def handler(data):
        told.append(data)
        assert b.send(data) == len(data)
        b.set(interval=20)
        b.on_oob = deep.append
        for datagram in held:
            assert b.input(bytearray(datagram), len(datagram), 0)
        b.abort()

    held = []
    for number in (b"one", b"two", b"three"):
        assert a.send_oob(number)
    carry(a, b, 0, held.append)
    b.on_oob = handler
    first = held.pop(0)
    assert b.input(bytearray(first), len(first), 0)
    assert told == [b"one"] and deep == [b"two", b"three"] and b.state == 2
    b.on_oob = None
    assert not b.input(bytearray(held[0]), len(held[0]), 0)


def test_what_a_tracer_may_do():
    class Tracer:
        def input(self, *values):
            refused(lambda: session.set(mtu=1000))
            session.tracer = None
            gc.collect()

        def output(self, *values):
            refused(lambda: session.output(bytearray(1536), 0), session.probe)
            session.abort()
            session.tracer = None

        def sent(self, n):
            told.append(n)
            session.tracer = None

    def refused(*calls):
        for call in calls:
            with pytest.raises(RuntimeError, match="in a verb"):
                call()
            told.append("refused")

    told = []
    session, other = native(), native()
    session.tracer = Tracer()
    assert session.send(b"abc") == 3 and session.tracer is None
    other.send(b"back")
    session.tracer = Tracer()
    carry(other, session, 0)
    assert session.tracer is None and read_all(session) == b"back"
    session.tracer = Tracer()
    session.output(bytearray(1536), 10)
    assert session.state == 2 and told == [3, "refused", "refused", "refused"]


def test_a_source_of_random_bytes_that_ends_the_session():
    def last(view):
        made[0].abort()
        made.clear()
        gc.collect()

    session = native(fill=last, crypt="none")
    made = [session]
    session.send(b"x")
    assert session.output(bytearray(1536), 0) > 0 and session.state == 2


def test_after_its_end():
    session = native(fec=(3, 2))
    session.abort(5, "enough")
    for call in (session.send, session.send_oob):
        with pytest.raises(OSError, match="enough"):
            call(b"x")
    room = bytearray(1536)
    assert (session.output(room, 0), session.recv_into(room), session.timeout(0)) == (0, 0, -1)
    for call in (session.probe, session.flush, session.reserve, session.leave_budget):
        assert call() is None
    session.set(mtu=1000)
    session.close(0)
    assert session.error == 5 and session.state == 2


# what stays behind


def test_it_is_not_copied():
    session = native()
    bare = _kcp.Session.__new__(_kcp.Session)
    for one in (session, bare, _kcp.Budget()):
        for function in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                function(one)
    session.stats.OutPkts = 7
    assert session.stats.copy().OutPkts == 7


def test_a_cycle_through_the_source_of_random_bytes_is_collected():
    class Source:
        gone = 0

        def __call__(self, view):
            fill(view)

        def __del__(self):
            Source.gone += 1

    source = Source()
    source.session = native(fill=source, crypt="none")
    source.session.send(b"x")
    source.session.output(bytearray(1536), 0)
    del source
    gc.collect()
    assert Source.gone == 1


def test_ten_thousand_sessions_leave_nothing():
    def live(n_sessions):
        room = bytearray(1536)
        for i in range(n_sessions):
            one, other = native(**options[i % 3]), native(**options[i % 3])
            one.send(bytes(3000))
            n = one.output(room, 0)
            other.input(room, n, 0)
            other.recv_into(room)
            if i % 2:
                one.on_oob = one.close  # a cycle
            if i % 5 == 0:
                one.set_logger("all", lambda *values: None)
        gc.collect()

    options = [{}, {"fec": (3, 2)}, {"crypt": "aes-128-gcm", "key": bytes(16)}]
    tracemalloc.start()
    try:
        live(1000)  # two sessions each time; this fills the lists of blocks that are kept
        before = tracemalloc.get_traced_memory()[0]
        live(5000)
        assert tracemalloc.get_traced_memory()[0] - before < 10 * 10000
    finally:
        tracemalloc.stop()


def run(program):
    """Run a program in a Python of its own; what it printed."""
    environment = dict(os.environ, PYTHONPATH=PATHS, KCP_BACKEND="")
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout.split()


@pytest.fixture
def testcapi():
    if importlib.util.find_spec("_testcapi") is None:
        message = "this Python has no module _testcapi (Debian: libpython3-testsuite)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


NO_MEMORY = """
import _testcapi
from core_support import fill
from kcp import Config
from kcp.session import Session

def try_out(call, tries):
    refused = 0
    for i in range(tries):
        _testcapi.set_nomemory(i, i + 1)
        try:
            call()
        except MemoryError:
            refused += 1
        finally:
            _testcapi.remove_mem_hooks()
    return refused

def life():
    one, other = Session(7, config, fill, 0), Session(7, config, fill, 0)
    room = bytearray(1536)
    kept.append(one)
    one.send(bytes(1300))
    for now_ms in (0, 300, 600, 900):
        while True:
            n = one.output(room, now_ms)
            if not n:
                break
            other.input(room, n, now_ms)
        other.recv_into(room)
        one.send_oob(b"x" * 1000)

kept = []
config = Config(fec=(3, 2), mode="fast3", sndwnd=32, rcvwnd=32)
life()
print(try_out(life, 150) > 20)
kept.clear()
print(try_out(lambda: Session(7, config, fill, 0), 30) > 0)
config = Config(mode="fast3")
one, data = Session(8, config, fill, 0), bytes(60000)
_testcapi.set_nomemory(0, 0)
try:
    n = one.send(data)
except MemoryError:
    n = "MemoryError"
finally:
    _testcapi.remove_mem_hooks()
print(n, one.unacked_bytes)
"""


def test_without_memory_it_says_so(testcapi):
    assert run(NO_MEMORY) == ["True", "True", "MemoryError", "0"]


OTHERS = """
import _testcapi, sys
import _kcp
from core_support import fill
ask = "import kcp, sys; from kcp import session; print(kcp.backend(), session.IN_C)"
ask += "; sys.stdout.flush()"
assert _testcapi.run_in_subinterp(ask) == 0
session = _kcp.Session.__new__(_kcp.Session)
counters = _kcp.Counters
del sys.modules["_kcp"]
import _kcp as again
print(again is not _kcp, again.Counters is counters)
exec(ask)
from kcp import Config
from kcp.session import Session
session = Session(7, Config(), fill, 0)
assert _testcapi.run_in_subinterp(ask) == 0
print(session.send(b"abc"))
sys.stdout.flush()
"""


def test_another_interpreter_has_its_sessions_in_python(testcapi):
    words = ["python", "False", "True", "True", "native", "True", "python", "False", "3"]
    assert run(OTHERS) == words
