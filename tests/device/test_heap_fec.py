# upy: heapsize=8m arm=no twins=python
"""Receiving FEC packets allocates nothing, also while the ratio is being searched (64-bit)."""

import gc

import micropython

from kcp._kernels import put_u32
from kcp.fec import DATA, PARITY, Decoder, Encoder
from kcp.stats import Stats

N_PACKETS = 400


def feed(decoder, buf, seqid, kind, n_bytes):
    """Give the decoder a packet whose content does not matter; take what it repairs."""
    put_u32(buf, 0, seqid)
    buf[4] = kind
    decoder.input(buf, 0, n_bytes)
    n = 0
    while decoder.repair(decoder.scratch):
        n += 1
    return n


def stream(decoder, buf, first, lose_every, data=3, parity=2):
    """Packets of a sender, some of them lost; return how many were repaired."""
    n_repaired = 0
    for i in range(first, first + N_PACKETS):
        if i % lose_every:
            kind = DATA if i % (data + parity) < data else PARITY
            n_repaired += feed(decoder, buf, i, kind, 60)
    return n_repaired


def locked(function):
    """Run it with the heap locked; its result."""
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        result = function()
    finally:
        micropython.heap_unlock()
    assert gc.mem_alloc() == before
    return result


def packet(payload):
    """A data packet's bytes as their group wants them: all alike, so that any may be repaired."""
    buf = bytearray(1536)
    buf[8 : 8 + len(payload)] = payload
    Encoder(3, 2, 1400).data_packet(buf, 0, 8 + len(payload), 0)
    return buf


def test_repairing():
    decoder, buf = Decoder(3, 2, 1500, Stats(), 1 << 20, is_sure=True), packet(bytes(52))
    assert stream(decoder, buf, 0, 7) > 20
    assert locked(lambda: stream(decoder, buf, N_PACKETS, 7)) > 20


def test_searching():
    """A gap in every eight packets: the search for 10+3 goes on and on."""
    decoder, buf = Decoder(1, 1, 1500, Stats(), 1 << 20, is_sure=True), packet(bytes(52))
    stream(decoder, buf, 0, 8, 10, 3)
    assert decoder.is_tuning
    assert locked(lambda: stream(decoder, buf, N_PACKETS, 8, 10, 3)) == 0
    assert decoder.is_tuning and (decoder.data, decoder.parity) == (1, 1)
