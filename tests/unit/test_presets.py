"""Presets by link, and the bytes that a session will hold."""

# upy: heapsize=64m timeout_arm=200

import gc

from kcp import Config, Session
from kcp._memory import _decoder_bytes, session_bytes
from kcp._presets import PRESETS
from kcp._random import fill
from kcp.endpoint import Endpoint
from kcp.fec import Decoder
from kcp.packet import codec
from kcp.stats import Stats
from kcp.stream import Stream

TOLERANCE = 1.15


class Port:
    """An endpoint's port that does nothing."""

    def send(self, buf, n, key):
        return 1

    def wake(self):
        pass

    def close(self):
        pass


def raised(**options):
    try:
        Config(**options)
    except ValueError as error:
        return str(error)
    raise AssertionError(options)


def held_bytes(config):
    """What MicroPython's heap shows for a session that has all its windows may need."""
    cipher = codec(config, fill)  # (is not counted)
    gc.collect()
    before = gc.mem_alloc()
    session = Session(5, config, fill, 0, codec_=cipher)
    endpoint = Endpoint(Port(), session.buffer_bytes)
    stream = Stream(endpoint, session)
    endpoint.attach(stream)
    session.reserve()
    gc.collect()
    after = gc.mem_alloc()
    endpoint.close()
    return after - before


def test_every_preset_makes_a_config_and_a_session():
    for name in PRESETS:
        config = Config(preset=name)
        assert config.given == {"preset": name}
        for key in ("mtu", "dead_ms"):
            assert getattr(config, key) == PRESETS[name][key]
        assert Session(1, config, fill, 0).mss >= 100
        assert Session(1, Config(preset=name, crypt="none", fec=(2, 1)), fill, 0).mss >= 100


def test_what_is_given_goes_first():
    config = Config(preset="lora", mtu=120, interval=2000, fec=(2, 1))
    assert (config.mtu, config.interval, config.datashard) == (120, 2000, 2)
    assert config.nodelay == 0 and config.sndwnd == 4
    config = Config(preset="satellite", datashard=2, parityshard=2)
    assert (config.datashard, config.parityshard) == (2, 2)
    assert Config(preset="satellite").datashard == 10
    assert Config(preset="satellite", fec=None).datashard == 0
    again = Config.from_options(Config(preset="lora"), {"mtu": 100})
    assert (again.mtu, again.interval) == (100, 500)
    other = Config.from_options(Config(preset="lora", dead_ms=5000), {"preset": "serial"})
    assert (other.mtu, other.dead_ms) == (250, 5000)


def test_a_wrong_name_says_which_there_are():
    assert "espnow, lan, lora, lte, satellite, serial, wifi" in raised(preset="wlan")


def test_memory_grows_with_what_it_depends_on():
    base = Config(preset="serial").memory()
    for more in (
        {"sndwnd": 16},
        {"rcvwnd": 16},
        {"mtu": 900},
        {"fec": (2, 1)},
        {"fec": "auto"},
    ):
        assert Config(preset="serial", **more).memory() > base, more
    assert Config(preset="serial").memory(takes_fec=True) > base
    small, large = (Config(mtu=500, sndwnd=n, rcvwnd=n).memory() for n in (8, 80))
    assert 72 * 4 * 450 < large - small < 72 * 4 * 700


def test_memory_is_what_the_heap_shows():
    if not hasattr(gc, "mem_alloc"):
        return  # on CPython it is an estimate, and there is nothing to compare it with
    held_bytes(Config(fec=(10, 3)))  # modules and tables that all sessions share
    tried = [{"preset": name, "fec": None} for name in PRESETS]
    tried += [{"sndwnd": 1, "rcvwnd": 1, "mtu": 100}, {"sndwnd": 100, "rcvwnd": 7, "mtu": 600}]
    tried += [{"crypt": "none", "mtu": 250}, {"sndwnd": 8, "rcvwnd": 64, "mtu": 1400}]
    for options in tried:
        config = Config(**options)
        held, told = held_bytes(config), config.memory()
        assert held <= told <= held * TOLERANCE, (options, held, told)
    config = Config(preset="satellite")  # its FEC: the encoder's tables may be shared with others
    assert held_bytes(config) <= session_bytes(config, takes_fec=False)
    config = Config(preset="satellite", fec="auto")
    held, told = held_bytes(config), session_bytes(config, takes_fec=False)
    assert held <= told <= held * TOLERANCE, (held, told)
    config = Config(preset="satellite", max_fec_bytes=0)
    gc.collect()
    before = gc.mem_alloc()
    decoder = Decoder(10, 3, 1500, Stats(), 0, is_sure=True)
    gc.collect()
    held = gc.mem_alloc() - before
    assert held <= _decoder_bytes(config) <= held * 2, (held, _decoder_bytes(config))
    del decoder
