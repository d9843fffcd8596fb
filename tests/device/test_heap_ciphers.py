# upy: heapsize=2m twins=python
"""Ciphers alone allocate nothing per packet, on 32-bit MicroPython either."""

import sys

import micropython

import kcp
import kcp.crypt as crypt

KEY = bytes(range(32))
NAMES = (
    "xor",
    "aes-128",
    "aes-192",
    "sm4",
    "twofish",
    "blowfish",
    "cast5",
    "3des",
    "tea",
    "xtea",
)
if kcp.backend() != "python" or sys.maxsize > 0x7FFFFFFF:
    NAMES += ("salsa20",)  # in Python its words are heap objects on 32-bit builds


def run(codec, buf):
    """Seal and open packets that end in and at the end of a block."""
    for n in (1400, 1389, 52):
        codec.encrypt(buf, n)
        codec.decrypt(buf, n)


def test_ciphers_do_not_allocate():
    buf = bytearray(1424)
    for name in NAMES:
        codec = crypt.new(name, KEY, None)
        run(codec, buf)  # views of the buffer are made
        micropython.heap_lock()
        try:
            run(codec, buf)
        except MemoryError:
            micropython.heap_unlock()
            raise AssertionError(name)
        micropython.heap_unlock()
