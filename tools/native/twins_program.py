"""Prints {name: microseconds} of the kernels and ciphers, as JSON; started by twins.py."""

import json
import time

import kcp.crypt as crypt
from kcp._kernels import Accumulator, Crc32, gf_add
from kcp.rs import row_table

try:
    import gc

    gc.threshold(300000)  # MicroPython only
except AttributeError:
    pass

now_ns = getattr(time, "perf_counter_ns", None) or time.time_ns
PACKET_BYTES = 1400
LEAST_NS = 2000000
N_MORE = 4


def microseconds(function):
    """Per call: the least of several batches, each of at least LEAST_NS."""
    n = 1
    while True:
        passed = batch(function, n)
        if passed >= LEAST_NS:
            return min([passed] + [batch(function, n) for _ in range(N_MORE)]) / n / 1000
        n *= 2


def batch(function, n):
    """Nanoseconds of n calls."""
    begin = now_ns()
    for _ in range(n):
        function()
    return now_ns() - begin


def fill(view):
    """No randomness, and no time for it."""


def codec_times(name, buf):
    """Of sealing and of opening a packet."""
    codec = crypt.new(name, bytes(32), fill)
    end = PACKET_BYTES - codec.tail
    codec.seal(buf, end)
    sealed = bytes(buf)

    def open_it():
        buf[:] = sealed
        codec.open(buf, PACKET_BYTES)

    return microseconds(lambda: codec.seal(buf, end)), microseconds(open_it)


def main():
    found = {}
    buf = bytearray(PACKET_BYTES + 100)
    crc = Crc32()
    found["crc32"] = microseconds(lambda: crc.of(buf, 20, PACKET_BYTES))
    sums = tuple([Accumulator(1500) for _ in range(3)])
    tables = [row_table(c) for c in (3, 77, 200)]
    found["gf_add 3 rows"] = microseconds(lambda: gf_add(sums, tables, buf, 26, 1350))
    for name in crypt.NAMES:
        if name in ("null", "aes"):
            continue
        found["seal " + name], found["open " + name] = codec_times(name, buf)
    print(json.dumps(found))


main()
