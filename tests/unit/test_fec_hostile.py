"""Whatever arrives: the FEC decoder never raises and holds no more than its limit (CPython).

By hypothesis; test_fec_edges.py has the cases by name for both runtimes.
"""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from test_fec import decoder, feed
from test_fec_edges import held

from kcp.fec import DATA, PARITY, paws

RATIOS = ((1, 1), (2, 1), (1, 3), (10, 3), (3, 8), (100, 155))
LIMITS = (0, 2000, 9000, 1 << 20)


@st.composite
def seqids(draw, n):
    """A number near one of the places where something changes."""
    near = draw(st.sampled_from([0, 5 * n, 1 << 30, 1 << 31, paws(n), 0xFFFFFFFF]))
    return (near + draw(st.integers(-4 * n, 4 * n))) % (1 << 32)


@st.composite
def streams(draw):
    """A ratio, a limit, and packets: runs of consecutive numbers from anywhere."""
    data, parity = draw(st.sampled_from(RATIOS))
    n = data + parity
    packets = []
    for _ in range(draw(st.integers(1, 12))):
        seqid = draw(seqids(n))
        honest = draw(st.booleans())
        size = draw(st.sampled_from([1, 4, 100, 1400, 1492]))
        for i in range(draw(st.integers(1, 40))):
            fits = (seqid + i) % n < data
            kind = DATA if (fits if honest else draw(st.booleans())) else PARITY
            content = draw(st.sampled_from([b"\x00", b"\xff", b"\x03\x00"]))
            packets.append((seqid + i, kind, content * size))
    return data, parity, draw(st.sampled_from(LIMITS)), packets


@settings(max_examples=60, deadline=None)
@given(streams())
def test_memory_is_bounded_whatever_comes(stream):
    data, parity, limit, packets = stream
    dec = decoder(data, parity, limit)
    for seqid, kind, content in packets:
        head = struct.pack("<IHH", seqid % (1 << 32), kind, len(content) % 65536)
        for repaired in feed(dec, head + content):
            assert len(repaired) <= 1498
        n_shards, n_bytes = held(dec)
        assert n_bytes == dec._held_bytes <= limit
        assert n_shards <= 4 * dec.data
        assert len([one for one in dec._groups if one.number >= 0]) <= 4
        assert len(dec.scratch) == 1500
