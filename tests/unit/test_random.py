# upy: heapsize=4m
"""Random bytes: every length, no repetition, another source, none at all. Both runtimes."""

from core_support import raises
from crypt_support import KEY

import kcp
import kcp._random as random_
import kcp._random_upy as upy
import kcp.crypt as crypt
from kcp._random import fill
from kcp.config import Config
from kcp.session import Session


class Source:
    """A source whose bytes are a running count, and can be told."""

    def __init__(self):
        self.n_calls = 0

    def fill(self, buf):
        self.n_calls += 1
        for i in range(len(buf)):
            buf[i] = (self.n_calls * 31 + i) & 0xFF


def urandom_of(step):
    """An os.urandom that is not random: multiples of `step`."""
    return lambda n: bytes([(i * step) & 0xFF for i in range(n)])


def test_every_length():
    for n in (1, 2, 4, 8, 12, 15, 16, 17, 31, 32, 33, 100, 1000):
        buf = bytearray(n + 2)
        seen = set()
        ors, ands = bytearray(n), bytearray(b"\xff" * n)
        for _ in range(40):
            fill(memoryview(buf)[1 : n + 1])
            assert buf[0] == buf[n + 1] == 0
            seen.add(bytes(buf))
            for i in range(n):
                ors[i] |= buf[i + 1]
                ands[i] &= buf[i + 1]
        if n >= 8:
            assert len(seen) == 40
        assert ors == b"\xff" * n and ands == bytearray(n), n  # each bit has been both


def test_blocks_do_not_repeat():
    buf = bytearray(16)
    seen = set()
    for _ in range(5000):  # MicroPython's generator takes a new key within, CPython's draws often
        fill(buf)
        seen.add(bytes(buf))
    assert len(seen) == 5000


def test_conversation_ids():
    convs = [random_.random_conv() for _ in range(64)]
    assert len(set(convs)) == 64
    assert min(convs) >= 0 and 1 << 28 < max(convs) < 1 << 32


class Recorder:
    """fill() that remembers the beginning of what it gave: the nonce of an AEAD has 12 bytes."""

    def __init__(self):
        self.nonces = set()
        self.n_given = 0

    def fill(self, buf):
        fill(buf)
        self.n_given += 1
        self.nonces.add(bytes(buf[:12]))


def test_no_nonce_comes_twice_over_sessions_and_ciphers():
    recorder = Recorder()
    n_datagrams = 0
    buf = bytearray(1600)
    for name in crypt.NAMES:
        config = Config(crypt=name, key=KEY, mode="fast3", mtu=200, fec=(3, 1), sndwnd=64)
        wires = set()
        for conv in range(3):
            sessions = [Session(conv, config, recorder.fill, 0) for _ in range(2)]
            for session in sessions:
                session.send(bytes(2000))
                n = session.output(buf, 0)
                while n:
                    n_datagrams += name != "null"
                    wires.add(bytes(buf[:12]))  # the nonce as it is sent (encrypted, but by AEAD)
                    n = session.output(buf, 0)
        assert name == "null" or len(wires) >= 6 * 13, name
    assert recorder.n_given == n_datagrams == len(recorder.nonces) > 600


def test_another_source():
    source = Source()
    kcp.set_entropy(source.fill)
    try:
        n_calls = source.n_calls
        assert random_.random_conv() == int.from_bytes(
            bytes([((n_calls + 1) * 31 + i) & 0xFF for i in range(4)]), "little"
        )
        config = Config(crypt="aes-128", key=KEY)
        session = Session(1, config, fill, 0)
        session.send(b"x")
        assert session.output(bytearray(1600), 0) and source.n_calls == n_calls + 2
    finally:
        kcp.set_entropy(None)
    fill(bytearray(16))
    assert source.n_calls == n_calls + 2


def test_a_source_that_is_none():
    for source, words in (
        (5, "set_entropy() takes a function fill(buf), or None"),
        (lambda buf: None, "the same 16 bytes twice"),
    ):
        assert words in str(raises(ValueError, kcp.set_entropy, source))
    buf, zeros = bytearray(16), bytearray(16)
    fill(buf)
    assert buf != zeros  # the source from before has stayed


class Failing:
    """A source that works twice, for the trial."""

    n = 0

    def fill(self, buf):
        self.n += 1
        if self.n > 2:
            raise OSError(5, "no more")
        buf[0] = self.n


def test_what_a_source_raises_comes_out():
    kcp.set_entropy(Failing().fill)
    try:
        assert raises(OSError, random_.random_conv).errno == 5
        raises(OSError, random_.require)
    finally:
        kcp.set_entropy(None)


# A port without a good os.urandom


def test_no_urandom_is_said_at_once():
    one = upy.Random(urandom=None)
    for n in (4, 16):
        error = raises(OSError, one.fill, bytearray(n))
        assert "no os.urandom" in str(error) and "kcp.set_entropy()" in str(error)
    source = Source()
    one.source = source.fill
    buf = bytearray(16)
    one.fill(buf)
    assert source.n_calls == 1 and buf[15] == 31 + 15


def test_a_urandom_that_repeats_itself_is_refused():
    for step in (0, 16, 64):
        one = upy.Random(urandom=urandom_of(step))
        error = raises(OSError, one.fill, bytearray(16))
        assert "repeats itself" in str(error) and "kcp.set_entropy()" in str(error)
    upy.Random(urandom=urandom_of(1)).fill(bytearray(16))


def test_ports_known_to_be_weak():
    assert upy.known_weak("WiPy", "WiPy with CC3200")
    assert upy.known_weak("samd", "Adafruit Feather M0 Express with SAMD21G18A")
    for platform, machine in (
        ("samd", "Adafruit Metro M4 with SAMD51J19A"),
        ("rp2", "Raspberry Pi Pico W with RP2040"),
        ("esp32", "Generic ESP32 module with ESP32"),
        ("linux", ""),
    ):
        assert not upy.known_weak(platform, machine)


def test_without_aes_every_call_is_urandoms():
    calls = []

    def urandom(n):
        calls.append(n)
        return bytes([(i + len(calls)) & 0xFF for i in range(n)])

    one = upy.Random(urandom=urandom, aes=None)
    buf = bytearray(12)
    one.fill(buf)
    assert calls == [256, 12] and buf == bytes(range(2, 14))
    one.fill(memoryview(buf)[:4])
    assert calls == [256, 12, 4] and buf[:4] == bytes(range(3, 7))


def test_a_server_and_a_client_say_it_at_once():
    def opened(verb, *args, **options):
        """Run a coroutine up to its first await; return what it raises."""
        coroutine = verb(*args, **options)
        try:
            coroutine.send(None)
        except OSError as error:
            return str(error)
        finally:
            coroutine.close()
        return ""

    def callback(reader, writer):
        raise AssertionError("nobody calls")

    kept, random_._random.source = random_._random.source, Failing().fill
    random_._random.source(bytearray(1))
    random_._random.source(bytearray(1))
    try:
        assert "5" in opened(kcp.open_connection, "127.0.0.1", 9, crypt="aes-128", key=KEY)
        assert "5" in opened(kcp.open_connection, "127.0.0.1", 9)  # the conversation id
        assert "5" in opened(kcp.start_server, callback, "127.0.0.1", 0, crypt="aes-128", key=KEY)
    finally:
        random_._random.source = kept
