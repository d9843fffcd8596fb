"""Plain ciphers against `cryptography` and hashlib, and MicroPython's path under CPython."""

import hashlib
import struct
import subprocess
import sys
import zlib

import crypt_support
import pytest
import ucryptolib
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors_file import packets

from kcp import crypt
from kcp._crc32 import crc32
from kcp._sha1 import sha1
from kcp.crypt import (
    _blowfish_narrow,
    _cast5_narrow,
    _cfb_aes,
    _cfb_block,
    _cfb_cpy,
    _cfb_halves,
    _cfb_words,
    _chacha_aead,
    _chacha_narrow,
    _chacha_wide,
    _gcm_pure,
    _salsa20_upy,
    _sm4_narrow,
    _tea_narrow,
    _tripledes_narrow,
    _twofish_narrow,
    _xtea_narrow,
    blowfish,
    cast5,
    sm4,
    tea,
    tripledes,
    twofish,
    xor,
    xtea,
)
from kcp.crypt._aes_pure import Aes
from kcp.crypt._frame import IV
from kcp.kdf import pbkdf2_by

aes_keys = st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n))
bytes_12 = st.binary(min_size=12, max_size=12)
payloads = st.binary(min_size=12, max_size=1400)
some = settings(max_examples=40, deadline=None)

#: Block ciphers in plain Python, and what `cryptography` calls them, if it has them.
PLAIN = {
    "sm4": sm4.Sm4,
    "twofish": twofish.Twofish,
    "blowfish": blowfish.Blowfish,
    "cast5": cast5.Cast5,
    "3des": tripledes.TripleDes,
    "tea": tea.Tea,
    "xtea": xtea.Xtea,
}
#: The same over halves of words, as 32-bit MicroPython runs them.
NARROW = {
    "sm4": _sm4_narrow.Sm4Halves,
    "twofish": _twofish_narrow.TwofishHalves,
    "blowfish": _blowfish_narrow.BlowfishHalves,
    "cast5": _cast5_narrow.Cast5Halves,
    "3des": _tripledes_narrow.TripleDesHalves,
    "tea": _tea_narrow.TeaHalves,
    "xtea": _xtea_narrow.XteaHalves,
}
IN_CRYPTOGRAPHY = {"sm4": "SM4", "blowfish": "Blowfish", "cast5": "CAST5", "3des": "TripleDES"}


def cfb_of_the_device(key, fill):
    """AES-CFB as it runs on a device: cryptolib where it takes the key, else plain Python."""
    if len(key) == 24:
        return _cfb_block.CfbBlock(Aes(key), fill)
    return _cfb_aes.CfbAes(key, fill, ucryptolib.aes)


def gcm_of_the_device(key, fill):
    """The same for GCM."""
    aes = Aes(key) if len(key) == 24 else ucryptolib.aes(key, 1)
    return _gcm_pure.Gcm(aes.encrypt, fill)


def chacha_of_the_device(twin, key, fill):
    """The same for ChaCha20-Poly1305; twin: the module for wide or for narrow small ints."""
    return _chacha_aead.ChachaPoly(twin.ChaCha20(key), twin.Poly1305(), fill)


def device_codec(name, key, fill):
    """The codec that MicroPython would choose."""
    if name.endswith("gcm"):
        return gcm_of_the_device(key, fill)
    if name.startswith("aes"):
        return cfb_of_the_device(key, fill)
    if name == "chacha20-poly1305":
        return chacha_of_the_device(_chacha_narrow, key, fill)
    if name == "salsa20":
        return _salsa20_upy.Salsa20(key, fill)
    if name in PLAIN:
        return _cfb_words.CfbWords(PLAIN[name](key), fill)
    return crypt.new(name, key, fill)


def test_kcp_gos_packets_on_the_devices_path():
    for name, key, nonce, payload, wire in packets():
        codec = device_codec(name, key, crypt_support.filler(nonce))
        assert crypt_support.opened(codec, wire) == payload, name
        assert crypt_support.sealed(codec, payload) == wire, name
        again = crypt_support.sealed(codec, payload)
        assert crypt_support.opened(crypt_support.new(name, key), again) == payload


@some
@given(key=aes_keys, block=st.binary(min_size=16, max_size=16))
def test_aes_block(key, block):
    r = bytearray(block)
    Aes(key).block(r)
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    assert bytes(r) == cipher.update(block)


@some
@given(key=aes_keys, texts=st.lists(payloads, min_size=1, max_size=4))
def test_cfb_twins(key, texts):
    name = f"aes-{8 * len(key)}"
    codecs = (
        crypt_support.new(name, key),
        cfb_of_the_device(key, crypt_support.filler(bytes(range(7, 23)))),
        _cfb_block.CfbBlock(Aes(key), crypt_support.filler(bytes(range(100, 116)))),
    )
    for text in texts:
        for one in codecs:
            wire = crypt_support.sealed(one, text)
            for other in codecs:
                assert crypt_support.opened(other, wire) == text


def keys_of(name):
    """Keys of one of PLAIN, of all lengths, as one strategy."""
    sizes = {"twofish": (16, 24, 32), "3des": (24,), "blowfish": range(1, 57)}.get(name, (16,))
    return st.sampled_from(sizes).flatmap(lambda n: st.binary(min_size=n, max_size=n))


named_keys = st.sampled_from(sorted(PLAIN)).flatmap(
    lambda name: st.tuples(st.just(name), keys_of(name))
)


@some
@given(named=named_keys, texts=st.lists(payloads, min_size=1, max_size=3))
def test_cfb_twins_of_the_other_ciphers(named, texts):
    name, key = named
    codecs = (
        crypt_support.new(name, key),
        device_codec(name, key, crypt_support.filler(bytes(range(100, 116)))),
    )
    for text in texts:
        for one in codecs:
            wire = crypt_support.sealed(one, text)
            for other in codecs:
                assert crypt_support.opened(other, wire) == text, name


@some
@given(
    named=named_keys,
    data=st.binary(min_size=32, max_size=96),
    opening=st.booleans(),
)
def test_halves_of_words(named, data, opening):
    """The loops of 32-bit MicroPython."""
    name, key = named
    wide, narrow = PLAIN[name](key), NARROW[name](key)
    n_bytes = len(data) & ~15
    words = list(struct.unpack(f"{wide.ORDER}{n_bytes // 4}I", data[:n_bytes]))
    in_halves = list(struct.unpack(f"{wide.ORDER}{n_bytes // 2}H", data[:n_bytes]))
    reg = struct.unpack(f"{wide.ORDER}{wide.WORDS}I", IV[: 4 * wide.WORDS])
    wide.run(words, len(words), reg, opening)
    narrow.run(in_halves, len(in_halves), _cfb_halves.registers(narrow), opening)
    assert struct.pack(f"{wide.ORDER}{len(words)}I", *words) == struct.pack(
        f"{wide.ORDER}{len(in_halves)}H", *in_halves
    )


@some
@given(
    named=named_keys.filter(lambda named: named[0] in IN_CRYPTOGRAPHY),
    data=st.binary(min_size=16, max_size=16),
)
def test_blocks_of_the_other_ciphers(named, data):
    name, key = named
    cipher = PLAIN[name](key)
    codec = _cfb_cpy.by_name(IN_CRYPTOGRAPHY[name], key * 4 if len(key) < 4 else key, None)
    n = 4 * cipher.WORDS
    buf = bytearray(data[:n]) + bytearray(n)
    codec.encrypt(buf, 2 * n)  # its second block is the encryption of the first
    assert _cfb_words.block(cipher, bytes(buf[:n])) == buf[n:]


@some
@given(key=aes_keys, nonce=bytes_12, text=payloads, place=st.integers(0, 1 << 16))
def test_gcm_twins(key, nonce, text, place):
    codec = gcm_of_the_device(key, crypt_support.filler(nonce))
    wire = crypt_support.sealed(codec, text)
    assert wire == nonce + AESGCM(key).encrypt(nonce, text, None)
    assert crypt_support.opened(codec, wire) == text
    bad = bytearray(wire)
    bad[place % len(bad)] ^= 1 + place % 255
    assert crypt_support.opened(codec, bad) < 0


keys_32 = st.binary(min_size=32, max_size=32)


@some
@given(key=keys_32, nonce=bytes_12, text=payloads, place=st.integers(0, 1 << 16))
def test_chacha_twins(key, nonce, text, place):
    expected = nonce + ChaCha20Poly1305(key).encrypt(nonce, text, None)
    for twin in (_chacha_wide, _chacha_narrow):
        codec = chacha_of_the_device(twin, key, crypt_support.filler(nonce))
        wire = crypt_support.sealed(codec, text)
        assert wire == expected
        assert crypt_support.opened(codec, wire) == text
        bad = bytearray(wire)
        bad[place % len(bad)] ^= 1 + place % 255
        assert crypt_support.opened(codec, bad) < 0


#: Bytes that make carries run: many 0s and 1s.
extreme_bytes = st.lists(st.sampled_from((0, 1, 3, 4, 5, 0xFC, 0xFB, 0xFE, 0xFF)), min_size=16)


@settings(max_examples=300, deadline=None)
@given(key=keys_32, r=extreme_bytes, texts=st.lists(extreme_bytes, min_size=1, max_size=4))
def test_poly1305_of_bytes_that_carry(key, r, texts):
    """Against the definition, in one line of big ints."""
    key = bytes(r[:16]) + key[16:]
    text = b"".join([bytes(part[:16]) for part in texts])
    clamped = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    value = 0
    for i in range(0, len(text), 16):
        value = (value + int.from_bytes(text[i : i + 16] + b"\x01", "little")) * clamped
        value %= (1 << 130) - 5
    expected = (value + int.from_bytes(key[16:], "little")) % (1 << 128)
    for twin in (_chacha_wide, _chacha_narrow):
        tag = bytearray(16)
        poly = twin.Poly1305()
        poly.start(key)
        poly.update(text, 0, len(text), 1)
        poly.finish(tag)
        assert int.from_bytes(tag, "little") == expected


@some
@given(key=st.binary(min_size=32, max_size=32), nonce=st.binary(min_size=8, max_size=8))
def test_salsa20_twins(key, nonce):
    one, other = crypt_support.new("salsa20", key), _salsa20_upy.Salsa20(key, None)
    for n_blocks in (1, 2, 24):
        streams = [bytearray(nonce + bytes(64 * n_blocks)) for _ in range(2)]
        one.encrypt(streams[0], len(streams[0]))
        other.encrypt(streams[1], len(streams[1]))
        assert streams[0] == streams[1]


@some
@given(data=st.binary(max_size=300))
def test_sha1_twin(data):
    assert sha1(data).digest() == hashlib.sha1(data).digest()


@some
@given(data=st.binary(max_size=300), before=st.integers(0, 0xFFFFFFFF))
def test_crc32_twin(data, before):
    assert crc32(data, before) == zlib.crc32(data, before)


@some
@given(password=st.binary(max_size=80), salt=st.binary(max_size=70), n=st.integers(1, 70))
def test_pbkdf2_twin(password, salt, n):
    expected = hashlib.pbkdf2_hmac("sha1", password, salt, 3, n)
    assert pbkdf2_by(hashlib.sha1, password, salt, 3, n) == expected


@some
@given(name=st.sampled_from(crypt.NAMES), data=st.binary(max_size=1600))
def test_garbage_never_raises(name, data):
    codec = crypt_support.new(name)
    result = crypt_support.opened(codec, data)
    assert name == "null" or result in (-1, -2)


@settings(max_examples=300, deadline=None)
@given(
    name=st.one_of(st.sampled_from(crypt.NAMES), st.text(max_size=8), st.none(), st.integers()),
    key=st.one_of(
        st.none(),
        st.text(),
        st.integers(),
        st.binary(max_size=70),
        st.sampled_from((0, 1, 15, 16, 17, 24, 32, 33, 56, 57)).map(bytes),
    ),
)
def test_names_and_keys_are_taken_or_refused_with_a_sentence(name, key):
    try:
        codec = crypt.new(name, key, crypt_support.filler(bytes(16)))
    except ValueError as error:
        known = name in crypt.NAMES
        sentence = (
            f"{name} needs a key of" if known else f"unknown crypt {name!r}; there are: null"
        )
        assert str(error).startswith(sentence)
    else:
        wire = crypt_support.sealed(codec, bytes(30))
        assert crypt_support.opened(codec, wire) == bytes(30)


def test_every_length_of_key():
    taken = {name: [n for n in range(70) if is_taken(name, bytes(n))] for name in crypt.NAMES[2:]}
    assert taken.pop("xor") == list(range(1, 70))
    assert taken.pop("blowfish") == list(range(1, 57))
    assert taken.pop("twofish") == [16, 24, 32]
    for name, sizes in taken.items():
        assert sizes in ([16, 32], [24, 32], [32]), name


def is_taken(name, key):
    try:
        crypt.key_for(name, key)
    except ValueError:
        return False
    return True


def test_words_of_xor():
    """The table as MicroPython keeps it."""
    table = bytes(range(250)) * 6
    codec = xor.XorWords(table, crypt_support.filler(bytes(16)))
    other = xor.XorInts(table, crypt_support.filler(bytes(16)))
    for n in (12, 333, 1480):
        wire = crypt_support.sealed(codec, bytes(n))
        assert wire == crypt_support.sealed(other, bytes(n))
        assert crypt_support.opened(codec, wire) == bytes(n)


HAVE_TWINS = [
    name for name in crypt.NAMES if name.startswith(("aes", "chacha20")) or name in IN_CRYPTOGRAPHY
]


@pytest.mark.parametrize("name", HAVE_TWINS)
def test_without_the_package_cryptography(name):
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "import crypt_support as c\n"
        f"codec = c.new({name!r})\n"
        "module = type(codec).__module__.rpartition('.')[2]\n"
        "assert module in ('_cfb_block', '_gcm_pure', '_cfb_words', '_chacha_aead'), module\n"
        "assert c.opened(codec, c.sealed(codec, bytes(50))) == bytes(50)\n"
    )
    path = [p for p in sys.path if p]
    code = f"import sys; sys.path[:0] = {path!r}\n" + program
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)


@pytest.mark.parametrize("name", IN_CRYPTOGRAPHY)
def test_what_cryptography_does_not_support(name, monkeypatch):
    """Builds of OpenSSL leave some of them out."""
    codec = crypt_support.new(name)
    assert type(codec) is _cfb_cpy.Cfb

    def refuse(*_):
        raise UnsupportedAlgorithm(name)

    with monkeypatch.context() as patch:
        patch.setattr(_cfb_cpy, "Cfb", refuse)
        plain = crypt_support.new(name)
    assert type(plain) is _cfb_words.CfbWords
    wire = crypt_support.sealed(plain, bytes(99))
    assert crypt_support.opened(codec, wire) == bytes(99)
    monkeypatch.setattr(_cfb_cpy, "algorithms", None)
    monkeypatch.setattr(_cfb_cpy, "old_algorithms", None)
    assert type(crypt_support.new(name)) is _cfb_words.CfbWords
