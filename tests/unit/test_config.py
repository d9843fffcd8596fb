"""Settings are checked when they are made. Runs on both runtimes."""

from core_support import raises

from kcp.config import MODES, Config


def test_modes_are_kcptuns():
    for mode, numbers in MODES.items():
        c = Config(mode=mode)
        assert (c.nodelay, c.interval, c.resend, c.nc) == numbers
    assert MODES["fast3"] == (1, 10, 2, 1) and MODES["normal"] == (0, 40, 2, 1)
    c = Config(mode="fast3", interval=25, nc=0)
    assert (c.nodelay, c.interval, c.resend, c.nc) == (1, 25, 2, 0)


def test_misuse_says_what_to_do():
    for options, word in (
        ({"sndwindow": 5}, "sndwnd"),
        ({"mtu": 1501}, "50..1500"),
        ({"mtu": "1400"}, "50..1500"),
        ({"sndwnd": 0}, "segments"),
        ({"crypt": "rot13"}, "none"),
        ({"crypt": "aes-128"}, "kcp.derive_key(passphrase)"),
        ({"crypt": "aes-128", "key": b"12345"}, "a key of 16 bytes, not 5"),
        ({"mode": "turbo"}, "fast3"),
        ({"dead_ms": 5}, "ms"),
        ({"interval": 9}, "10..5000"),
        ({"datashard": 10}, "256"),
    ):
        message = str(raises(ValueError, Config, **options))
        assert word in message, message


def test_options_are_laid_over_a_config():
    base = Config(mode="fast3", mtu=1200, resend=3)
    c = Config.from_options(base, {"mtu": 1000})
    assert (c.mtu, c.resend, c.interval) == (1000, 3, 10)
    assert Config.from_options(base, {"mode": "normal"}).interval == 40
    assert Config.from_options(base, {}) is base
    assert Config.from_options(None, {"mtu": 900}).mtu == 900
    assert Config.from_options(None, {}).mtu == 1350
    base = Config(crypt="aes-192", key=bytes(32))
    assert Config.from_options(base, {"crypt": "aes-128-gcm"}).key == bytes(32)
    assert Config.from_options(base, {"crypt": "null", "key": None}).crypt == "null"
