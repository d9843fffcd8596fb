"""The C module (of KCP_EXTENSION) against the plain twins: the same bytes, on random input."""

import os
import sys
import zlib

import crypt_support
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kcp.crypt as crypt
from kcp import _pure_cpy, rs

FOLDER = os.environ.get("KCP_EXTENSION", "")
if FOLDER:
    sys.path.append(FOLDER)
    import _kcp

    sys.path.remove(FOLDER)  # other tests hand the path to processes of theirs

    from kcp import _native_cpy
    from kcp.crypt import _native

some = settings(max_examples=60, deadline=None)
payloads = st.binary(min_size=4, max_size=1400)
names = st.sampled_from([name for name in crypt.NAMES if name != "null"])


@pytest.fixture(autouse=True, scope="module")
def there_is_the_module():
    if not FOLDER:
        message = "KCP_EXTENSION is not set; `make env` says where the C module is"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def codecs(name, key, nonce):
    """The plain codec (of `cryptography`, if it has it), the native one, and that without the
    CPU's instructions; each with a filler of its own."""
    found = [plain(name, key, crypt_support.filler(nonce))]
    kind = _native._KINDS[name]
    key = crypt.key_for(name, key)
    if name == "xor":
        from kcp.crypt.xor import table_of

        key = table_of(key)
    for portable in (False, True):
        memory = bytearray(_kcp.crypt_bytes(kind))
        _kcp.crypt_init(memory, kind, key or b"", portable)
        found.append(_native.Codec(memory, kind, crypt_support.filler(nonce)))
    return found


def plain(name, key, fill):
    """As crypt.new() without the C module."""
    key = crypt.key_for(name, key)
    module = __import__("kcp.crypt." + crypt._entry(name)[1], None, None, ("",))
    return module.new(name, key, fill)


@some
@given(name=names, key=st.binary(min_size=32, max_size=32), texts=st.lists(payloads, max_size=3))
def test_packets_are_the_same(name, key, texts):
    """From the second packet on CFB of `cryptography` garbles the nonce: that one is compared by
    opening it."""
    one, *natives = codecs(name, key, bytes(range(80, 96)))
    for i, text in enumerate(texts):
        wire = crypt_support.sealed(one, text)
        for native in natives:
            made = crypt_support.sealed(native, text)
            assert len(made) == len(wire)
            if i == 0 or one.tail:
                assert made == wire, name
            assert crypt_support.opened(one, made) == text
        for native in natives:
            assert crypt_support.opened(native, wire) == text, name


@some
@given(name=names, text=payloads, place=st.integers(0, 1 << 16))
def test_altered_bytes_are_noticed_alike(name, text, place):
    one, *natives = codecs(name, bytes(range(32)), bytes(range(16)))
    bad = bytearray(crypt_support.sealed(one, text))
    place %= len(bad)
    bad[place] ^= 1 + place % 255
    answers = [crypt_support.opened(codec, bytes(bad)) for codec in (one, *natives)]
    if one.tail or place >= 16:
        assert answers == [-2] * 3, name
    assert answers[1] == answers[2]


@some
@given(name=names, data=st.binary(max_size=1600))
def test_garbage_never_raises(name, data):
    for codec in codecs(name, bytes(range(32)), bytes(16)):
        assert crypt_support.opened(codec, data) in (-1, -2)


@some
@given(
    rows=st.lists(st.integers(0, 255), min_size=1, max_size=5),
    shards=st.lists(st.binary(min_size=1, max_size=1500), min_size=1, max_size=4),
    off=st.integers(0, 40),
)
def test_sums_of_rows(rows, shards, off):
    size = max(len(one) for one in shards)
    tables = [rs.product_table(c) for c in rows]
    found = []
    for twin in (_pure_cpy, _native_cpy):
        sums = [twin.Accumulator(size) for _ in rows]
        for shard in shards:
            twin.gf_add(sums, tables, bytes(off) + shard, off, len(shard))
        out = [bytearray(size) for _ in rows]
        for one, buf in zip(sums, out):
            one.take(buf, 0, size)
        found.append(out)
        sums[0].clear()
        sums[0].grow(size + 9)
        sums[0].take(out[0], 0, size)
        assert out[0] == bytes(size)
    assert found[0] == found[1]


@some
@given(data=st.binary(max_size=1600), off=st.integers(0, 1600), n=st.integers(0, 1600))
def test_crc32(data, off, n):
    if off + n <= len(data):
        assert _kcp.crc32(data, off, off + n) == zlib.crc32(data[off : off + n])
    else:
        with pytest.raises(ValueError, match="not within"):
            _kcp.crc32(data, off, off + n)


@some
@given(data=st.data())
def test_whatever_the_arguments_are_no_memory_is_touched_but_theirs(data):
    """Ranges anywhere, buffers of any size: an exception, or nothing written outside of them."""
    numbers = st.one_of(st.integers(-5, 2000), st.sampled_from([1 << 62, -(1 << 62), 1 << 31]))
    codec = bytearray(_kcp.crypt_bytes(4))
    _kcp.crypt_init(codec, 4, bytes(16), False)
    function = data.draw(st.sampled_from(["crc32", "copy", "seal", "open", "run", "gf_add"]))
    buffer = bytearray(data.draw(st.integers(0, 1600)))
    other = bytearray(data.draw(st.integers(0, 1600)))
    sums = [_native_cpy.Accumulator(data.draw(st.integers(0, 50)))]
    a, b, c = [data.draw(numbers) for _ in range(3)]
    memory = data.draw(st.sampled_from([codec, other, codec[:200], bytes(codec)]))
    arguments = {
        "crc32": (buffer, a, b),
        "copy": (buffer, a, other, b, c),
        "seal": (memory, buffer, a, other),
        "open": (memory, buffer, a),
        "run": (memory, buffer, a, True),
        "gf_add": (sums, [other], buffer, a, b),
    }[function]
    try:
        getattr(_kcp, function)(*arguments)
    except (ValueError, OverflowError):
        pass


@pytest.mark.parametrize(
    "wrong",
    [
        (bytearray(488), 99, bytes(16), False),
        (bytearray(488), 4, bytes(15), False),
        (bytearray(480), 4, bytes(16), False),
        (bytearray(488), -1, bytes(16), False),
    ],
)
def test_what_is_no_codec_is_refused(wrong):
    with pytest.raises(ValueError, match="no such cipher"):
        _kcp.crypt_init(*wrong)
    with pytest.raises(BufferError):
        _kcp.crypt_init(bytes(488), 4, bytes(16), False)
    with pytest.raises(ValueError, match="not a codec"):
        _kcp.open(bytearray(488), bytearray(100), 100)
    with pytest.raises(TypeError, match="3 arguments"):
        _kcp.open(b"")


def test_the_plain_twin_is_taken_for_what_is_not_built_in(monkeypatch):
    monkeypatch.setattr(_kcp, "crypt_bytes", lambda kind: 0)
    assert _native.codec("sm4", bytes(16), None) is None


@pytest.mark.parametrize("hardware", [True, False])
def test_who_does_aes(hardware, monkeypatch):
    """Without instructions for AES, `cryptography` does, if it is there; unless C is forced."""
    monkeypatch.setattr(_kcp, "crypt_init", lambda *_: hardware)
    monkeypatch.setattr(_native, "wanted_name", lambda: None)
    for name in ("aes-128", "aes-256-gcm"):
        assert (_native.codec(name, bytes(16), None) is None) == (not hardware)
    assert _native.codec("sm4", bytes(16), None) is not None
    monkeypatch.setattr(_native, "wanted_name", lambda: "native")
    assert _native.codec("aes-128", bytes(16), None) is not None
