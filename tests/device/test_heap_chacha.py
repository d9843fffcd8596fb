# upy: heapsize=2m twins=python
"""ChaCha20-Poly1305 allocates nothing: each twin where its small ints fit, 32-bit builds too."""

import gc
import sys

import micropython

import kcp.crypt._chacha_narrow as narrow
import kcp.crypt._chacha_wide as wide
from kcp.crypt._chacha_aead import ChachaPoly

KEY = bytes(range(200, 232))  # words with the highest bit set


def fill(view):
    for i in range(len(view)):
        view[i] = 255 - i


def locked(codec, buf, n):
    """Seal and open, under a locked heap, datagrams of all lengths modulo a block."""
    n_bad = 0
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        for i in range(17):
            end = codec.seal(buf, n - i)
            if codec.open(buf, end) != codec.head:
                n_bad += 1
            codec.seal(buf, n - i)
            buf[30] ^= 1
            if codec.open(buf, end) >= 0:
                n_bad += 1
    finally:
        micropython.heap_unlock()
    assert n_bad == 0
    return gc.mem_alloc() - before


def check(twin):
    codec = ChachaPoly(twin.ChaCha20(KEY), twin.Poly1305(), fill)
    buf = bytearray([255]) + bytearray(1599)
    codec.open(buf, codec.seal(buf, 100))
    assert locked(codec, buf, 1400) == 0


def test_narrow_does_not_allocate():
    check(narrow)


def test_wide_does_not_allocate_on_64_bits():
    if sys.maxsize > 0x7FFFFFFF:
        check(wide)
        return
    try:  # (and would on 32 bits: this is what the other twin is for)
        check(wide)
    except MemoryError:
        return
    raise AssertionError("the wide twin made no heap object on a 32-bit build")
