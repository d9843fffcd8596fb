"""The field arithmetic against reedsolo's, and Reed-Solomon's promise on random losses (CPython).

reedsolo implements another code over the same field (generator-polynomial view), so it is an
oracle of products and inverses, not of parity.
"""

import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rs import encode, repair

from kcp.rs import EXP, LOG, mul, parity_rows, product_table

reedsolo.init_tables(0x11D, 2, 8)


def test_tables_are_the_same():
    assert list(EXP[:255]) == list(reedsolo.gf_exp[:255])
    assert list(LOG[1:]) == list(reedsolo.gf_log[1:256])


@given(st.integers(0, 255), st.integers(0, 255))
def test_products(a, b):
    assert mul(a, b) == reedsolo.gf_mul(a, b) == product_table(a)[b]


@given(st.integers(1, 255))
def test_inverses(a):
    assert EXP[(255 - LOG[a]) % 255] == reedsolo.gf_inverse(a)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_losses_up_to_parity_are_repaired(data):
    k = data.draw(st.integers(1, 40))
    m = data.draw(st.integers(1, 20))
    shards = [bytearray(data.draw(st.binary(min_size=5, max_size=5))) for _ in range(k)]
    group = shards + encode(parity_rows(k, m), shards, 5)
    lost = data.draw(st.sets(st.integers(0, k + m - 1), min_size=m, max_size=m))
    have = [None if i in lost else group[i] for i in range(k + m)]
    for i in lost:
        assert repair(have, i, 5) == group[i]
