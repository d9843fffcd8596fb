# upy: twins=python
"""Both twins of the byte kernels do the same to the bytes. Runs on both runtimes."""

import binascii

from core_support import parse

from kcp import _kernels as k


def test_crc_of_a_part():
    crc = k.Crc32()
    buf = bytearray(i * 37 & 0xFF for i in range(1500))
    assert crc.of(bytearray(b"....123456789"), 4, 13) == 0xCBF43926
    for off in (0, 20):
        for n in (4, 5, 44, 63, 64, 65, 256, 257, 1400, 1480):
            assert crc.of(buf, off, off + n) == binascii.crc32(buf[off : off + n]), (off, n)


def test_header_round_trip():
    buf = bytearray(30)
    k.seg_header(buf, 3, 0xFEDCBA98, 82, 7, 65535, 0xFFFFFFFF, 0x80000000, 5, 0)
    hdr = k.seg_parse(buf, 3)
    assert list(hdr) == [0xBA98, 0xFEDC, 82, 7, 65535, 0xFFFFFFFF, 0x80000000, 5, 0]


def test_chunks_out():
    pool = k.Pool(124)
    data = bytes(range(100))
    for off, n in ((0, 100), (10, 50), (99, 1)):
        chunk = k.tx_new(pool, 9, 3, 77, data, off, n)
        buf = bytearray(400)
        k.tx_out(chunk, 24 + n, 8, 0x3FFFFFFF, 77, 6, buf, 44)
        assert parse(buf[44 : 68 + n]) == [(81, 3, 8, 0x3FFFFFFF, 77, 6, data[off : off + n])]
        assert bytes(buf[:44]) == bytes(44) and len(buf) == 400
        pool.put(chunk)


def test_chunks_grow():
    for first_size in (1400, 40):  # the second: the mtu has been raised meanwhile
        pool = k.Pool(first_size)
        chunk = k.tx_new(pool, 9, 0, 1, b"abc", 0, 3)
        pool.grow(1400)
        chunk = k.tx_extend(pool, chunk, 27, bytes(range(256)) * 4, 2, 300)
        buf = bytearray(3000)
        k.tx_out(chunk, 327, 1, 2, 1, 4, buf, 0)
        data = parse(buf[:327])[0][6]
        assert data == b"abc" + (bytes(range(256)) * 2)[2:302]


def test_a_small_chunk_that_comes_back_is_not_used_for_a_larger_segment():
    pool = k.Pool(40)
    small = k.tx_new(pool, 9, 0, 1, b"abc", 0, 3)
    pool.grow(1400)
    pool.put(small)
    data = bytes(range(250)) * 4
    chunk = k.tx_new(pool, 9, 0, 1, data, 0, 1000)
    buf = bytearray(3000)
    k.tx_out(chunk, 1024, 1, 2, 1, 4, buf, 0)
    assert parse(buf[:1024])[0][6] == data


def test_chunks_in():
    pool = k.Pool(8)
    buf = bytearray(range(200))
    first = k.rx_new(pool, buf, 50, 20)
    buf[60] = 0  # a copy was taken
    out = bytearray(30)
    assert k.rx_take(first, 0, out, 0, 20) == 20 and bytes(out[:20]) == bytes(range(50, 70))
    assert k.rx_take(first, 5, out, 0, 3) == 3 and bytes(out[:3]) == bytes(range(55, 58))
    assert k.rx_take(first, 0, memoryview(out), 0, 20) == 20
    pool.put(first)
    again = k.rx_new(pool, buf, 0, 5)
    assert k.rx_take(again, 0, out, 0, 5) == 5 and bytes(out[:5]) == bytes(range(5))
    pool.reserve(3)
