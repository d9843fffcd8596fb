# upy: heapsize=2m timeout_arm=900 twins=python
"""Ciphers: kcp-go's packets, the frame, keys, sessions. Runs on both runtimes."""

from binascii import unhexlify

from core_support import carry, raises, read_all, session
from crypt_support import KEY, new, opened, sealed
from vectors_file import packets

import kcp
import kcp.crypt as crypt
from kcp.packet import BAD_SUM, TOO_SHORT

CIPHERS = tuple([name for name in crypt.NAMES if name not in ("null", "none")])
# Where a changed byte does no harm: nobody looks at these bytes of the nonce (specs, section 2).
HARMLESS = {"none": range(16), "xor": range(16), "salsa20": range(8, 16)}
HARMLESS.update([(name, range(8)) for name in ("blowfish", "cast5", "3des", "tea", "xtea")])


# kcp-go's packets


def test_kcp_gos_packets():
    n_packets = {}
    for name, key, nonce, payload, wire in packets():
        codec = new(name, key, nonce)
        assert opened(codec, wire) == payload, (name, len(wire))
        assert opened(codec, wire) == payload, (name, len(wire))
        # The first packet of a codec is kcp-go's to the byte (later ones may differ in the nonce).
        assert sealed(codec, payload) == wire, (name, len(wire))
        assert opened(new(name, key, nonce), sealed(codec, payload)) == payload
        n_packets[name] = n_packets.get(name, 0) + 1
    assert set(n_packets) == set(CIPHERS + ("none",)) - {"aes"}  # which is "aes-256"
    assert set(n_packets.values()) == {3}


# The frame


def test_lengths():
    for name in crypt.NAMES:
        one, other = new(name), new(name)
        for n in (12, 24, 25, 44, 107, 108, 109, 123, 124, 125, 300, 1472 - 40):
            payload = bytes([(i * 7 + n) & 0xFF for i in range(n)])
            wire = sealed(one, payload)
            assert len(wire) == n + one.head + one.tail
            assert opened(other, wire) == payload, (name, n)
            if name != "null":
                assert wire[one.head :][:n] != payload or name == "none"


def test_the_longest_datagram():
    for name in crypt.NAMES:
        codec = new(name)
        payload = bytes(1500 - codec.head - codec.tail)
        wire = sealed(codec, payload, 4)  # room to the end of a block of 16
        assert len(wire) == 1500
        assert opened(codec, wire, 4) == payload, name
        if name != "null":
            assert opened(codec, wire + b"!") == TOO_SHORT


def test_one_buffer_after_another():
    for name in CIPHERS:
        codec = new(name)
        for n in (1, 2, 3):
            assert opened(codec, sealed(codec, bytes([n]) * 30, n * 20), n * 30) == bytes([n]) * 30


def test_every_changed_byte_is_noticed_or_harmless():
    payload = bytes(range(48))
    for name in crypt.NAMES[1:]:
        codec = new(name)
        wire = sealed(codec, payload)
        for i in range(len(wire)):
            bad = bytearray(wire)
            bad[i] ^= 1 << i % 8
            result = opened(codec, bad)
            if i in HARMLESS.get(name, ()):
                assert result == payload, (name, i)
            else:
                assert result == BAD_SUM, (name, i)
        assert opened(codec, wire) == payload  # nothing of that has stuck


def test_truncated_packets():
    payload = bytes(range(60))
    for name in crypt.NAMES[1:]:
        codec = new(name)
        wire = sealed(codec, payload)
        for n in range(len(wire)):
            assert opened(codec, wire[:n]) in (TOO_SHORT, BAD_SUM), (name, n)
        assert opened(codec, b"") == opened(codec, wire[: codec.head]) == TOO_SHORT
        assert opened(codec, wire + b"\0") == BAD_SUM
        assert opened(codec, wire) == payload


def test_garbage():
    for name in crypt.NAMES[1:]:
        codec = new(name)
        for n in (28, 31, 52, 100, 200):
            for seed in (1, 5, 9):
                assert (
                    opened(codec, bytes([(i * i * seed + n) & 0xFF for i in range(n)])) == BAD_SUM
                )
            assert opened(codec, bytes([255]) * n) == BAD_SUM


def test_wrong_key():
    codecs = [(name, new(name)) for name in CIPHERS]
    for name, codec in codecs:
        wire = sealed(codec, bytes(40))
        assert opened(new(name, b"x" + bytes(31)), wire) == BAD_SUM, name
        for other, its_codec in codecs:
            if other != name and {other, name} != {"aes", "aes-256"}:
                assert opened(its_codec, wire) == BAD_SUM, (name, other)


def test_nonces_do_not_repeat():
    for name in CIPHERS:
        codec = crypt.new(name, KEY, random_fill())
        n = 12 if codec.tail else 16
        if name == "salsa20":
            n = 8
        seen = set()
        for _ in range(64):
            seen.add(sealed(codec, bytes(24))[:n])
        assert len(seen) == 64, name


def random_fill():
    """The source of nonces that endpoints use."""
    from kcp._random import fill

    return fill


# Keys


def test_keys_are_taken_as_kcptun_and_kcp_go_take_them():
    for name, n in (
        ("aes-128", 16),
        ("aes-192", 24),
        ("aes-128-gcm", 16),
        ("aes-256", 32),
        ("sm4", 16),
        ("cast5", 16),
        ("3des", 24),
        ("tea", 16),
        ("xtea", 16),
    ):
        assert crypt.key_for(name, KEY) == KEY[:n]
        assert crypt.key_for(name, bytearray(KEY[:n])) == KEY[:n]
    for name, n in (("twofish", 16), ("twofish", 24), ("blowfish", 1), ("blowfish", 56)):
        assert crypt.key_for(name, bytes(n)) == bytes(n)
    for name in ("twofish", "blowfish"):
        assert crypt.key_for(name, KEY) == KEY
    assert crypt.key_for("xor", b"any") == b"any"
    assert crypt.key_for("xor", KEY) == KEY
    assert crypt.key_for("null", "whatever") is crypt.key_for("none", None) is None


def test_wrong_keys_say_what_to_do():
    for name, key, words in (
        (
            "aes-128",
            b"12345",
            "aes-128 needs a key of 16 bytes, not 5: kcp.derive_key(passphrase)",
        ),
        ("aes-192", KEY[:16], "24 bytes, not 16"),
        ("aes", KEY[:24], "aes needs a key of 32 bytes, not 24"),
        ("aes-256-gcm", KEY + b"!", "32 bytes, not 33"),
        ("salsa20", b"", "32 bytes, not 0"),
        ("xor", b"", "1 or more bytes, not 0"),
        ("3des", KEY[:16], "3des needs a key of 24 bytes, not 16"),
        ("twofish", KEY[:17], "twofish needs a key of 16, 24 or 32 bytes, not 17"),
        ("blowfish", b"", "blowfish needs a key of 1 to 56 bytes, not 0"),
        ("blowfish", bytes(57), "blowfish needs a key of 1 to 56 bytes, not 57"),
        ("tea", KEY[:15], "16 bytes, not 15"),
        ("aes-128", "a passphrase 16b", "not str: kcp.derive_key(passphrase) makes one"),
        ("aes-128", None, "none was given: kcp.derive_key(passphrase) makes one"),
        ("aes-128", 5, "not int"),
        ("rot13", KEY, "unknown crypt 'rot13'; there are: null, none, xor"),
    ):
        for function in (crypt.key_for, new):
            message = str(raises(ValueError, function, name, key))
            assert words in message, message


def test_derived_keys():
    """kcptun's keys of two passphrases."""
    key = kcp.derive_key(b"PASSWORD")
    assert key == unhexlify("3aa6a3eeb52e297d42383882e924747e40d69b74aeafaefa2fcbc5b3bf519bdb")
    key = kcp.derive_key("it's a secre\x63t")
    assert key == unhexlify("25d7d7bd51050742d8d791f2b653c6c8b2366b7e25a124cf7a2e12eaf4ffa444")
    wire = sealed(new("aes-192", key), bytes(30))
    assert opened(new("aes-192", key[:24]), wire) == bytes(30)


# Sessions


def test_sessions_over_each_cipher():
    data = bytes(range(256)) * 12
    for name in crypt.NAMES:
        one = session(crypt=name, key=KEY, mtu=700)
        other = session(crypt=name, key=KEY, mtu=700)
        got = b""
        now_ms = n_sent = 0
        while len(got) < len(data):
            if n_sent < len(data):
                n_sent += one.send(memoryview(data)[n_sent:])
            for datagram in carry(one, other, now_ms):
                assert len(datagram) <= 700
            carry(other, one, now_ms)
            got += read_all(other)
            now_ms += 10
            assert now_ms < 2000
        assert got == data, name
        assert one.stats.InCsumErrors == other.stats.InCsumErrors == 0


def test_sessions_with_different_keys_count_it():
    one = session(crypt="aes-128", key=KEY)
    other = session(crypt="aes-128", key=bytes(16))
    one.send(b"hello")
    assert carry(one, other, 0)
    assert other.stats.InCsumErrors == 1 and read_all(other) == b"" and not other.heard
