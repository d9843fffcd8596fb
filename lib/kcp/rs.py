"""Reed-Solomon erasure code over GF(256), byte-equal to klauspost/reedsolomon's default code.

Field polynomial 0x11D, generator 2. The shards of a group are the values of one polynomial per
byte position, of degree < k, at the points 0, 1, ..., k + m - 1: data shard i at the point i. So
every shard is a Lagrange combination of any k others:

    shard(t) = sum over i of  shard(x_i) * prod over j != i of (t ^ x_j) / (x_i ^ x_j)

which gives the parity rows (x = 0..k-1) and the rows of a repair (x = what has arrived) without
inverting a matrix. In logarithms a row costs O(k) once the k denominators are known, O(k^2).

Source: the Vandermonde construction in klauspost's README; Plank, "A Tutorial on Reed-Solomon
Coding for Fault-Tolerance in RAID-like Systems" (1997) with its 2003 correction.
"""

from ._backend import NATIVE, VIPER
from ._compat import MICROPYTHON

if VIPER:
    from ._viper import products


def _tables():
    exp, log = bytearray(255 * 2), bytearray(256)
    x = 1
    for i in range(255):
        exp[i] = exp[i + 255] = x
        log[x] = i
        x <<= 1
        if x & 0x100:
            x ^= 0x11D
    return bytes(exp), bytes(log)


#: EXP[i] = 2**i for i < 510 (so that two logarithms can be added); LOG[0] means nothing.
EXP, LOG = _tables()

_products = {}


def fill_table(table, c: int):
    """Write the 256 products c * 0 .. c * 255 into the bytearray `table`."""
    table[0] = 0
    if c == 0:
        for x in range(1, 256):
            table[x] = 0
        return
    if VIPER:
        products(table, EXP, LOG, c)
        return
    lc = LOG[c]
    for x in range(1, 256):
        table[x] = EXP[lc + LOG[x]]


def mul(a: int, b: int) -> int:
    """Return the product of two field elements."""
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def factor_table(scratch, c: int):
    """Return the table of factor c for a repair, where any factor may come up.

    On MicroPython it is written into the bytearray `scratch`, so that nothing is allocated; on
    CPython it is one of those that are kept, since writing it takes longer than using it.
    """
    if NATIVE:
        scratch[1] = c
        return scratch
    if MICROPYTHON:
        fill_table(scratch, c)
        return scratch
    return product_table(c)


def row_table(c: int):
    """Return what gf_add() takes for factor c: its products. In C it looks at [1] alone: c."""
    return bytes((0, c)) if NATIVE else product_table(c)


def product_table(c: int) -> bytes:
    """Return the 256 products c * 0 .. c * 255 (kept: at most 255 tables of 256 bytes)."""
    table = _products.get(c)
    if table is None:
        table = bytearray(256)
        fill_table(table, c)
        table = _products[c] = bytes(table)
    return table


def coefficient(shards, i: int, target: int) -> int:
    """Return the factor of shard i in shard `target`, made of all that are not None in `shards`.

    i is one of them, target is not. Allocates nothing.
    """
    s = 0
    for j in range(len(shards)):
        if j != i and shards[j] is not None:
            s += LOG[target ^ j] - LOG[i ^ j]
    return EXP[s % 255]


def parity_rows(data: int, parity: int) -> list:
    """Return the `parity` rows of `data` coefficients each; ValueError as `check`."""
    check(data, parity)
    points = range(data)
    denominators = []
    for x in points:
        s = 0
        for other in points:
            if other != x:
                s += LOG[x ^ other]
        denominators.append(s)
    rows = []
    for target in range(data, data + parity):
        total = 0
        for x in points:
            total += LOG[target ^ x]
        rows.append([EXP[(total - LOG[target ^ x] - denominators[x]) % 255] for x in points])
    return rows


def check(data: int, parity: int):
    """Raise ValueError unless data and parity are >= 1 and their sum is <= 256."""
    if not isinstance(data, int) or not isinstance(parity, int):
        raise ValueError("shards are whole numbers, as (10, 3), not %r + %r" % (data, parity))
    if data < 1 or parity < 1 or data + parity > 256:
        raise ValueError(
            "datashard and parityshard must be at least 1 and at most 256 together, not %r + %r"
            % (data, parity)
        )
