"""What a wrong setting or argument says: what is wrong, and what to do. Both runtimes.

The errors are ValueError, at once and before anything was sent; the words are a part of the test,
because they are all that a new user sees. What the asyncio and the blocking API say is the same.
"""

import asyncio

import kcp
from kcp import blocking

HERE = ("127.0.0.1", 4000)

SETTINGS = (
    ({"mode": "fastest"}, "unknown mode 'fastest'; there are: fast"),
    ({"mtu": 9000}, "mtu must be 50..1500 (bytes of UDP payload), not 9000"),
    ({"mtu": "1200"}, "not '1200'"),
    ({"sndwnd": 0}, "sndwnd must be 1..32768 (segments), not 0"),
    ({"nodelay": "x"}, "nodelay must be 0..1"),
    ({"nc": 2}, "nc must be 0..1"),
    ({"interval": 5}, "interval must be 10..5000 (ms)"),
    ({"stream": "no"}, "stream must be True or False, not 'no'"),
    ({"pacing": "off"}, "pacing must be True or False"),
    ({"acknodelay": 5}, "acknodelay must be True or False"),
    ({"fec": 10}, "fec must be (data, parity), as (10, 3)"),
    ({"fec": (10,)}, "as (10, 3)"),
    ({"fec": ("10", "3")}, "whole numbers"),
    ({"fec": (10, 0)}, "at least 1 and at most 256 together"),
    ({"crypt": "AES"}, "unknown crypt 'AES'; there are: null, none, xor"),
    ({"crypt": "aes"}, "none was given: kcp.derive_key(passphrase) makes one"),
    ({"crypt": "aes", "key": "secret"}, "not str: kcp.derive_key"),
    ({"crypt": "aes", "key": b"short"}, "needs a key of 32 bytes, not 5"),
    ({"key": bytes(32)}, "a key, but no crypt: say which it is for"),
    ({"preset": "wlan"}, "unknown preset 'wlan'; there are: espnow, lan"),
    ({"trace": "push"}, "unknown trace event 'push'; there are: all, in_ack"),
    ({"idle_ms": 100, "keepalive_ms": 100}, "at least twice keepalive_ms"),
    ({"sendwindow": 5}, "unknown option 'sendwindow'; options are: acknodelay"),
)

OPENING = (
    ((), {}, "say the host and the port"),
    (("127.0.0.1",), {}, "say the host and the port"),
    ((5, 4000), {}, "host must be a name or an address"),
    (("127.0.0.1", "4000"), {}, "port must be 1..65535, a whole number, not '4000'"),
    (("127.0.0.1", 70000), {}, "port must be 1..65535"),
    (HERE, {"conv": 1 << 32}, "conv must be a whole number of 32 bits"),
    (HERE, {"conv": "x"}, "conv must be a whole number of 32 bits, not 'x'"),
    (HERE, {"probe_ms": "5"}, "probe_ms must be 1.."),
    (HERE, {"probe_ms": -5}, "probe_ms must be 1.."),
    (HERE, {"sockbuf": "x"}, "sockbuf must be 1.."),
    (HERE, {"config": {"mtu": 1200}}, "config must be a kcp.Config, not dict"),
    (HERE, {"config": 5, "mtu": 1200}, "config must be a kcp.Config, not int"),
    (HERE, {"ssl": True}, "kcp_asyncio"),
    (HERE, {"mtu": 52, "fec": (10, 3), "crypt": "none"}, "28 bytes of it and KCP 24; give mtu=53"),
    ((), {"carrier": 5}, "a carrier needs mtu: derive it from kcp.carrier.Carrier"),
    ((), {"carrier": 5, "port": 4000}, "one of them"),
)

SERVING = (
    ((), {}, "say the port to serve on"),
    ((None, "4000"), {}, "port must be 0..65535"),
    ((None, 65536), {}, "port must be 0..65535"),
    ((None, 4000), {"sockbuf": 0}, "sockbuf must be 1.."),
)


def check(expected, function, *words, **options):
    """The call raises a ValueError with these words."""
    try:
        function(*words, **options)
    except ValueError as error:
        assert expected in str(error), (words, options, str(error))
        return
    raise AssertionError("%r, %r were taken" % (words, options))


def opened(*words, **options):
    asyncio.run(kcp.open_connection(*words, **options))


def started(*words, **options):
    asyncio.run(kcp.start_server(*words, **options))


def test_settings():
    for options, expected in SETTINGS:
        check(expected, kcp.Config, **options)


def test_opening():
    for words, options, expected in OPENING:
        check(expected, blocking.connect, *words, **options)
        check(expected, opened, *words, **options)


def test_serving():
    for words, options, expected in SERVING:
        check(expected, blocking.listen, *words, **options)
        check(expected, started, None, *words, **options)
    check(
        "callback must be a function callback(reader, writer), or None", started, "x", None, 4000
    )


def test_what_is_no_mistake():
    for options in (
        {"stream": 0, "pacing": 1, "nodelay": True, "nc": False},
        {"crypt": "none", "key": bytes(5)},
        {"fec": [10, 3]},
    ):
        kcp.Config(**options)


def test_passphrases():
    for wrong in (None, 5, ["a"]):
        check("a passphrase is a str or bytes, not ", kcp.derive_key, wrong)
