# upy: heapsize=2m
"""The kernels as machine code against those in plain Python, on random bytes (MicroPython)."""

from crypt_support import filler

import kcp
from kcp import _crc32, _kernels, rs
from kcp import _pure_upy as plain
from kcp.crypt import new
from kcp.crypt._aes_pure import Aes
from kcp.crypt._cfb_block import CfbBlock
from kcp.crypt._cfb_words import CfbWords
from kcp.crypt._gcm_pure import Gcm
from kcp.crypt._mix import MixerWords
from kcp.crypt._salsa20_upy import Salsa20
from kcp.crypt.tea import Tea
from kcp.crypt.xtea import Xtea
from kcp_sim.rng import Rng

LENGTHS = (24, 25, 27, 28, 36, 40, 63, 64, 65, 255, 256, 1389, 1400)
_rng = Rng(20261123)


def some_bytes(n):
    return bytearray([_rng.below(256) for _ in range(n)])


def test_it_is_machine_code_that_runs():
    assert kcp.backend() == "viper"
    assert _kernels.gf_add is not plain.gf_add


def test_numbers_in_headers():
    for _ in range(50):
        data = some_bytes(40)
        for off in range(9):
            assert _kernels.u32(data, off) == plain.u32(data, off)
            fields = list(plain.seg_parse(data, off))
            assert list(_kernels.seg_parse(data, off)) == fields
            conv = fields[0] | fields[1] << 16
            given = [conv] + fields[2:]
            one, other = bytearray(40), bytearray(40)
            _kernels.seg_header(one, off, *given)
            plain.seg_header(other, off, *given)
            assert one == other and one[off : off + 24] == data[off : off + 24]
            _kernels.put_u32(one, off, fields[6])
            plain.put_u32(other, off, fields[6])
            assert one == other


def test_segments_out():
    for _ in range(50):
        chunk = some_bytes(64)
        ts, sn, una = [plain.u32(chunk, i) for i in (4, 8, 12)]
        results = []
        for twin in (_kernels, plain):
            buf = bytearray(100)
            twin.tx_out(bytearray(chunk), 64, 0xFEDC, ts, sn, una, buf, 7)
            results.append(buf)
        assert results[0] == results[1]


def test_rows():
    for n in (1, 2, 3, 8, 100, 1400):
        buf = some_bytes(n + 3)
        tables = [some_bytes(256) for _ in range(3)]
        results = []
        for twin in (_kernels, plain):
            sums = [twin.Accumulator(1500) for _ in tables]
            for off in range(4):
                twin.gf_add(sums, tables, buf, off, n - (off == 2))
            results.append([(one.value, one.used) for one in sums])
        assert results[0] == results[1]


def test_products():
    for c in range(256):
        table = some_bytes(256)
        rs.fill_table(table, c)
        for x in (0, 1, 2, 127, 128, 254, 255):
            assert table[x] == rs.mul(c, x)


def test_crc():
    twin = _crc32.halves_twin()
    for n in (0, 1, 2, 9, 1400):
        data = some_bytes(n)
        for before in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            assert _crc32.crc32(data, before) == twin(data, before)


def test_xor_wherever_it_begins_and_ends():
    plain_mixer = MixerWords(1504)
    plain_words = memoryview(plain_mixer.ks)
    for i in range(len(plain_words)):
        plain_words[i] = _rng.below(1 << 14)
    stream = bytearray(1504)
    plain_mixer.apply(stream, 0, 1504)
    from kcp._viper import xor

    for off in (0, 1, 2, 3, 8, 12, 20):
        for n in LENGTHS:
            one = some_bytes(1504)
            other = bytearray(one)
            xor(one, off, n, stream)
            plain_mixer.apply(other, off, n)
            assert one == other, (off, n)


def check_frames(codec, twin, n_random):
    """Each seals what the other opens, the same bytes."""
    for n in LENGTHS:
        head, tail = codec.head, codec.tail
        payload = some_bytes(n)
        datagrams = []
        for one in (codec, twin):
            buf = bytearray(head) + payload + bytearray(40)
            one._fill = filler(bytes(range(n_random)))
            assert one.seal(buf, head + n) == head + n + tail
            datagrams.append(buf[: head + n + tail])
        assert datagrams[0] == datagrams[1], n
        for one in (codec, twin):
            buf = datagrams[0] + bytearray(40)
            assert one.open(buf, head + n + tail) == head
            assert buf[head : head + n] == payload


def test_salsa20():
    key = bytes(some_bytes(32))
    check_frames(new("salsa20", key, None), Salsa20(key, None), 16)


def test_tea_and_xtea():
    key = bytes(some_bytes(16))
    check_frames(new("tea", key, None), CfbWords(Tea(key), None), 16)
    check_frames(new("xtea", key, None), CfbWords(Xtea(key), None), 16)


def test_aes():
    from kcp.crypt import _aes_viper

    for n in (16, 24, 32):
        key = bytes(some_bytes(n))
        check_frames(_aes_viper.CfbAes(key, None), CfbBlock(Aes(key), None), 16)
        blocks, results = some_bytes(64), []
        for one in (_aes_viper.Aes(key), Aes(key)):
            out = bytearray(64)
            one.encrypt(blocks, out)
            results.append(out)
            block = blocks[:16]
            one.block(block)
            assert block == out[:16]
        assert results[0] == results[1]


def test_gcm():
    key = bytes(some_bytes(24))
    check_frames(new("aes-192-gcm", key, None), Gcm(Aes(key).encrypt, None), 16)


def test_chacha20_poly1305():
    import sys

    from kcp.crypt._chacha_aead import ChachaPoly

    if sys.maxsize > 0x7FFFFFFF:
        from kcp.crypt._chacha_wide import ChaCha20, Poly1305
    else:
        from kcp.crypt._chacha_narrow import ChaCha20, Poly1305
    key = bytes(some_bytes(32))
    twin = ChachaPoly(ChaCha20(key), Poly1305(), None)
    check_frames(new("chacha20-poly1305", key, None), twin, 16)
