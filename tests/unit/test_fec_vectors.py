# upy: heapsize=8m timeout=300 twins=python
"""Parity and FEC heads are those of klauspost/reedsolomon and kcp-go, to the byte.

The vectors are described in tests/vectors/README.md. Runs on both runtimes.
"""

from binascii import unhexlify

from test_rs import encode, repair
from vectors_file import lines

from kcp.fec import Encoder
from kcp.rs import parity_rows


def groups():
    """Yield (data, parity, data shards, parity shards) of reed_solomon.txt."""
    group = None
    for fields in lines("reed_solomon.txt"):
        if fields[0] == "shards":
            if group:
                yield group
            group = (int(fields[1]), int(fields[2]), [], [])
        else:
            group[2 if fields[0] == "data" else 3].append(bytearray(unhexlify(fields[1])))
    yield group


def test_parity_is_klauspost_s():
    ratios = set()
    for data, parity, shards, expected in groups():
        assert len(shards) == data and len(expected) == parity
        assert encode(parity_rows(data, parity), shards, len(shards[0])) == expected, (
            data,
            parity,
        )
        ratios.add((data, parity))
    assert ratios == {(10, 3), (3, 2), (20, 10), (1, 1), (4, 4), (128, 127)}


def test_its_shards_are_repaired():
    for data, parity, shards, expected in groups():
        if data > 20:
            continue
        n_lost = min(data, parity)
        have = [None] * n_lost + (shards + expected)[n_lost : data + n_lost]
        have += [None] * (data + parity - len(have))
        for i in range(n_lost):
            assert repair(have, i, len(shards[0])) == shards[i], (data, parity, i)


def test_packets_are_kcp_go_s():
    buf = bytearray(4096)
    encoder, n_packets = None, 0
    for fields in lines("fec.txt"):
        if fields[0] == "encoder":
            assert encoder is None or encoder.n_parity == 0
            encoder = Encoder(int(fields[1]), int(fields[2]), 1500)
            continue
        n_packets += 1
        if fields[0] == "parity":
            expected = unhexlify(fields[2])
            assert encoder.n_parity > 0
            assert bytes(buf[: encoder.parity_packet(buf, 0)]) == expected
        else:
            assert encoder.n_parity == 0, "kcp-go skipped this parity"
            payload = unhexlify(fields[2])
            buf[8 : 8 + len(payload)] = payload
            encoder.data_packet(buf, 0, 8 + len(payload), int(fields[1]))
            assert bytes(buf[:8]) == unhexlify(fields[3])
    assert n_packets > 50
