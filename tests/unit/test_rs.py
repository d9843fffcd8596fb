# upy: twins=python
"""Reed-Solomon over GF(256): the matrix, and every way to lose shards. Runs on both runtimes."""

from core_support import raises

from kcp._kernels import Accumulator, gf_add
from kcp.rs import EXP, LOG, coefficient, fill_table, mul, parity_rows, product_table


def encode(rows, shards, size):
    """Return the parity shards, by the kernels that the encoder uses."""
    sums = [Accumulator(size) for _ in rows]
    for i in range(len(shards)):
        tables = [product_table(row[i]) for row in rows]
        gf_add(sums, tables, shards[i], 0, len(shards[i]))
    parity = []
    for one in sums:
        out = bytearray(size)
        one.take(out, 0, size)
        parity.append(out)
    return parity


def repair(have, target, size):
    """Return shard `target` of the shards in `have` (a list with None for what is missing)."""
    one, table = (Accumulator(size),), (bytearray(256),)
    for i in range(len(have)):
        if have[i] is not None:
            fill_table(table[0], coefficient(have, i, target))
            gf_add(one, table, have[i], 0, len(have[i]))
    out = bytearray(size)
    one[0].take(out, 0, size)
    return out


def shards_of(k, size):
    return [bytearray((i * 31 + j * 7 + i * j) & 0xFF for j in range(size)) for i in range(k)]


def test_field_axioms():
    assert EXP[0] == 1 and EXP[8] == 0x1D and mul(0, 5) == mul(5, 0) == 0
    assert sorted(EXP[:255]) == list(range(1, 256))
    for a in range(1, 256, 5):
        assert EXP[LOG[a]] == a
        assert mul(a, EXP[255 - LOG[a]]) == 1
        for b in (1, 2, 77, 255):
            assert mul(a, b) == mul(b, a) == product_table(a)[b]
            assert mul(a, b ^ 9) == mul(a, b) ^ mul(a, 9)


def test_matrix_is_klauspost_s():
    assert parity_rows(10, 3) == [
        [129, 150, 175, 184, 210, 196, 254, 232, 3, 2],
        [150, 129, 184, 175, 196, 210, 232, 254, 2, 3],
        [191, 214, 98, 10, 6, 111, 223, 183, 5, 4],
    ]
    assert parity_rows(1, 1) == [[1]]


def test_limits():
    for data, parity in ((0, 1), (1, 0), (200, 57), (-1, 3)):
        assert "256" in str(raises(ValueError, parity_rows, data, parity))
    assert len(parity_rows(255, 1)[0]) == 255


def test_any_k_shards_are_enough():
    size = 20
    for k, m in ((1, 1), (3, 2), (2, 4), (4, 4)):
        shards = shards_of(k, size)
        group = shards + encode(parity_rows(k, m), shards, size)
        for lost in range(1 << (k + m)):
            have = [None if lost >> i & 1 else group[i] for i in range(k + m)]
            n_left = sum(1 for one in have if one is not None)
            if n_left != k:
                continue
            for target in range(k):
                if have[target] is None:
                    assert repair(have, target, size) == group[target], (k, m, lost)


def test_shorter_shards_count_as_padded_with_zeros():
    shards = [bytearray(b"abc"), bytearray(b"defghij"), bytearray(b"k")]
    parity = encode(parity_rows(3, 2), shards, 7)
    padded = [one + bytearray(7 - len(one)) for one in shards]
    assert parity == encode(parity_rows(3, 2), padded, 7)
    have = [None, shards[1], None, parity[0], parity[1]]
    assert repair(have, 0, 7) == padded[0] and repair(have, 2, 7) == padded[2]


def test_large_group():
    k, m, size = 128, 127, 3
    shards = shards_of(k, size)
    group = shards + encode(parity_rows(k, m), shards, size)
    have = [None] * 127 + group[127:]
    assert sum(1 for one in have if one is not None) == k
    for target in (0, 60, 126):
        assert repair(have, target, size) == group[target]
