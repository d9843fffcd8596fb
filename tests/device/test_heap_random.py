# upy: heapsize=8m arm=no
"""The real source of nonces allocates nothing under a locked heap, a due new key or not."""

import gc

import micropython
from test_heap import Pair, locked_exchange

import kcp._random_upy as upy
from kcp._random import fill

KEY = bytes(range(32))


class Real(Pair):
    """Sessions with the nonces of an endpoint."""

    def __init__(self, **options):
        super().__init__(fill, **options)


def locked_fills(one, buf, n):
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        for _ in range(n):
            one.fill(buf)
    finally:
        micropython.heap_unlock()
    return gc.mem_alloc() - before


def test_fill_does_not_allocate():
    one = upy.Random()
    for n_bytes in (16, 12, 4, 40):
        view = memoryview(bytearray(n_bytes))
        one.fill(view)
        assert locked_fills(one, view, 200) == 0


def test_a_new_key_waits_for_the_heap():
    one = upy.Random()
    buf = bytearray(16)
    one.fill(buf)
    key = one._aes
    assert locked_fills(one, buf, 5000) == 0 and one._aes is key  # 4096 blocks per key
    for _ in range(100):
        one.fill(buf)
    assert one._aes is not key


def test_sessions_with_real_nonces_do_not_allocate():
    for name in ("none", "aes-128", "aes-128-gcm"):
        pair = Real(crypt=name, key=KEY)
        pair.reserve()
        pair.exchange(20)
        assert locked_exchange(pair) == 0
