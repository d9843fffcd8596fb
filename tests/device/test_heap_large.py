# upy: heapsize=8m arm=no twins=python
"""Segments larger than our own mtu (the peer's is larger, or ours was raised) allocate nothing."""

import gc

import micropython

from kcp.config import Config
from kcp.session import Session

N_PACKETS = 40
MESSAGE = bytes(1300)
buf = bytearray(4096)
page = bytearray(1400)


def fill(view):
    for i in range(len(view)):
        view[i] = i * 7 & 0xFF


def pair(mtu_a, mtu_b):
    return [
        Session(7, Config(mode="fast3", mtu=mtu, sndwnd=32, rcvwnd=32, stream=False), fill, 0)
        for mtu in (mtu_a, mtu_b)
    ]


def exchange(a, b, now_ms, n_packets):
    """Send messages from a to b and take them."""
    while n_packets:
        n_packets -= 1
        now_ms += 10
        a.send(MESSAGE)
        carry(a, b, now_ms)
        carry(b, a, now_ms)
        while b.recv_into(page):
            pass


def carry(a, b, now_ms):
    n = a.output(buf, now_ms)
    while n:
        b.input(buf, n, now_ms)
        n = a.output(buf, now_ms)


def check(a, b):
    a.reserve()
    b.reserve()
    exchange(a, b, 0, N_PACKETS)
    gc.collect()
    received = b.stats.BytesReceived
    micropython.heap_lock()
    try:
        exchange(a, b, 10 * N_PACKETS, N_PACKETS)
    finally:
        micropython.heap_unlock()
    assert b.stats.BytesReceived - received == N_PACKETS * len(MESSAGE)
    assert b.stats.MemoryDrops == 0


def test_a_peer_with_a_larger_mtu():
    check(*pair(1400, 600))


def test_an_mtu_that_was_raised():
    a, b = pair(600, 600)
    a.set(mtu=1400)
    b.set(mtu=1400)
    check(a, b)
