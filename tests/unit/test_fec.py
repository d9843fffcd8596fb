# upy: heapsize=8m twins=python
"""FEC groups, repair and expiry. Runs on both runtimes."""

import struct

from core_support import PUSH, fill, parse, raises, read_all, session

from kcp.config import Config
from kcp.fec import DATA, PARITY, Decoder, Encoder, paws
from kcp.session import Session
from kcp.stats import Stats


def packets(encoder, payloads, now_ms=0, gap_ms=10):
    """Return all packets that the encoder makes of these payloads, parity included."""
    made = []
    buf = bytearray(4096)
    for payload in payloads:
        buf[8 : 8 + len(payload)] = payload
        encoder.data_packet(buf, 0, 8 + len(payload), now_ms)
        made.append(bytes(buf[: 8 + len(payload)]))
        while encoder.n_parity:
            made.append(bytes(buf[: encoder.parity_packet(buf, 0)]))
        now_ms += gap_ms
    return made


def head(packet):
    seqid, kind, size = struct.unpack("<IHH", packet[:8])
    return seqid, kind, size


def payloads(n, longest=60):
    return [bytes((i * 7 + j) & 0xFF for j in range(1 + i * 13 % longest)) for i in range(n)]


def decoder(data=1, parity=1, limit_bytes=1 << 20):
    return Decoder(data, parity, 1500, Stats(), limit_bytes, is_sure=True)


def feed(dec, packet):
    """Give the decoder a packet; return the payloads that it repaired."""
    dec.input(bytearray(packet), 0, len(packet))
    found = []
    while True:
        n = dec.repair(dec.scratch)
        if n == 0:
            return found
        found.append(bytes(dec.scratch[2:n]))


def test_heads_and_places():
    made = packets(Encoder(3, 2, 100), payloads(6))
    assert [head(one)[0] for one in made] == list(range(10))
    kinds = [head(one)[1] for one in made]
    assert kinds == [DATA] * 3 + [PARITY] * 2 + [DATA] * 3 + [PARITY] * 2
    for one in made:
        if head(one)[1] == DATA:
            assert head(one)[2] == len(one) - 6
    assert len(made[3]) == len(made[4]) == max(len(one) for one in made[:3])


def test_parity_is_left_out_after_a_pause_but_its_numbers_pass():
    encoder = Encoder(2, 2, 100)
    assert len(packets(encoder, payloads(2), 0, 499)) == 4
    assert len(packets(encoder, payloads(2), 1000, 500)) == 2
    assert encoder.seqid == 8
    assert len(packets(encoder, payloads(2), 2000, 10)) == 4
    # one data packet per group: the very first has no packet before it
    assert len(packets(Encoder(1, 1, 100), payloads(1))) == 1


def test_numbers_start_again_at_paws():
    n = 5
    assert paws(n) % n == 0 and 2**32 - n <= paws(n) < 2**32
    encoder = Encoder(3, 2, 100, seqid=paws(n) - n)
    seqids = [head(one)[0] for one in packets(encoder, payloads(6))]
    assert seqids == [paws(n) - n + i for i in range(n)] + list(range(n))
    dec = decoder(3, 2)
    made = packets(Encoder(3, 2, 100, seqid=paws(n) - n), payloads(6))
    found = [one for i, packet in enumerate(made) if i not in (1, 6) for one in feed(dec, packet)]
    assert found == [payloads(6)[1], payloads(6)[4]]
    assert feed(decoder(3, 2), struct.pack("<IHH", 0xFFFFFFFE, PARITY, 5) + b"xxx") == []


def test_every_loss_that_leaves_enough_is_repaired():
    data = payloads(4)
    made = packets(Encoder(4, 2, 100), data)
    for lost in range(1 << 6):
        n_lost = sum(lost >> i & 1 for i in range(6))
        dec = decoder(4, 2)
        found = [one for i in range(6) if not lost >> i & 1 for one in feed(dec, made[i])]
        missing = [data[i] for i in range(4) if lost >> i & 1]
        # complete as soon as 4 packets are there: what comes later is then repaired already
        if n_lost == 2 or (n_lost < 2 and missing):
            assert all(one in found for one in missing), lost
        elif n_lost > 2:
            assert found == []
        assert dec._stats.FECRecovered == len(found) and dec._stats.FECErrs == 0


def test_order_and_duplicates_do_not_matter():
    data = payloads(4)
    made = packets(Encoder(4, 2, 100), data)
    dec = decoder(4, 2)
    found = []
    for i in (5, 5, 2, 2, 4, 0, 0, 1, 3):
        found += feed(dec, made[i])
    assert sorted(found) == sorted([data[1], data[3]])  # they came after the group was complete
    assert dec._stats.FECParityShards == 2 and dec._held_bytes == 0


def test_a_finished_group_takes_no_more():
    made = packets(Encoder(2, 2, 100), payloads(2))
    dec = decoder(2, 2)
    assert feed(dec, made[0]) == [] and feed(dec, made[1]) == []
    assert dec._stats.FECFullShards == 1
    assert feed(dec, made[2]) == [] and feed(dec, made[3]) == []
    assert dec._stats.FECRecovered == 0 and dec._held_bytes == 0


def test_old_groups_are_given_up():
    made = packets(Encoder(2, 1, 100), payloads(14))
    dec = decoder(2, 1)
    for i in range(0, 21, 3):  # the first packet of each of 7 groups
        feed(dec, made[i])
    assert sorted(group.number for group in dec._groups) == [-1, 3, 4, 5, 6]
    assert feed(dec, made[2]) == [] and feed(dec, made[11]) == [payloads(14)[7]]


def test_memory_is_bounded():
    made = packets(Encoder(10, 3, 1400), [bytes(1000)] * 40)
    dec = decoder(10, 3, limit_bytes=5000)
    for packet in made:
        if head(packet)[0] % 13 != 4:
            feed(dec, packet)
        assert dec._held_bytes <= 5000
    assert len([one for one in dec._groups if one.n_shards]) <= 1


def test_garbage_never_raises():
    x = 4711
    dec = decoder(3, 2)
    for _ in range(2000):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        seqid = x * 2 if x & 3 == 0 else x >> 4 & 63
        kind = PARITY if x >> 10 & 1 else DATA
        feed(dec, struct.pack("<IHH", seqid, kind, x >> 8 & 0xFFFF) + bytes(x >> 12 & 63))
        assert dec._held_bytes <= 1 << 20


def test_a_decoder_follows_the_sender():
    data = payloads(60)
    dec = decoder(1, 1)
    made = packets(Encoder(3, 2, 100), data)
    for packet in made[:20]:
        feed(dec, packet)
    assert (dec.data, dec.parity) == (3, 2)
    assert feed(dec, made[20]) + feed(dec, made[21]) + feed(dec, made[24]) == [data[14]]


def test_sessions_with_and_without_fec():
    for ours, theirs in (((3, 1), (3, 1)), ((3, 1), None), (None, (3, 1)), ((5, 2), (10, 3))):
        a = Session(9, Config(mode="fast3", fec=ours), fill, 0)
        b = Session(9, Config(mode="fast3", fec=theirs), fill, 0)
        data = bytes(i * 11 & 0xFF for i in range(60000))
        got_a, got_b, off_a, off_b, now, n_built = b"", b"", 0, 0, 0, 0
        buf = bytearray(a.buffer_bytes)
        while len(got_a) < len(data) or len(got_b) < len(data):
            if off_a < len(data):
                off_a += a.send(data[off_a : off_a + 900])
            if off_b < len(data):
                off_b += b.send(data[off_b : off_b + 700])
            for source, target in ((a, b), (b, a)):
                while True:
                    n = source.output(buf, now)
                    if n == 0:
                        break
                    assert n <= 1350
                    n_built += 1
                    if n_built % 11:
                        target.input(buf, n, now)
            got_a, got_b = got_a + read_all(a), got_b + read_all(b)
            now += 10
            assert now < 60000
        assert got_a == got_b == data
        if ours == theirs:
            assert a.stats.FECRecovered > 0 and b.stats.FECRecovered > 0
        for s, other in ((a, theirs), (b, ours)):
            # (Where they differ it takes more packets than these to be sure.)
            assert s.fec_ratio in ((other,) if ours == theirs else (None, other))
            assert s.stats.KCPInErrors == s.stats.FECErrs == 0


def wire_kinds(a, b, n_bytes):
    """Send bytes each way; the (first 16 bits behind the conv, cmds) of every datagram of a."""
    kinds = []
    buf = bytearray(a.buffer_bytes)
    left = n_bytes
    for now in range(0, 2000, 10):
        if left:
            left -= a.send(bytes(min(left, 700)))
        b.send(bytes(300))
        for source, target in ((a, b), (b, a)):
            while True:
                n = source.output(buf, now)
                if n == 0:
                    break
                if source is a:
                    kind = buf[4] | buf[5] << 8
                    off = 8 if kind == DATA else n if kind == PARITY else 0
                    kinds.append((kind, [one[0] for one in parse(bytes(buf[off:n]))]))
                assert target.input(buf, n, now) or kinds[-1][0] == PARITY
            read_all(target)
    return kinds


def test_acknowledgements_alone_are_in_no_group():
    kinds = wire_kinds(session(fec=(2, 1), mode="fast3"), session(mode="fast3"), 20000)
    assert len([cmds for kind, cmds in kinds if kind == DATA]) >= 20
    assert len([cmds for kind, cmds in kinds if kind == PARITY]) >= 10
    for kind, cmds in kinds:
        assert (kind == DATA) == (PUSH in cmds)
    assert len([cmds for kind, cmds in kinds if cmds and kind != DATA]) > 100


def test_or_in_the_groups_as_with_kcp_go():
    a = session(fec=(2, 1), mode="fast3", fec_acks=True)
    kinds = wire_kinds(a, session(mode="fast3"), 2000)
    assert {kind for kind, _ in kinds} == {DATA, PARITY}


def test_mtu_leaves_room_for_the_head():
    a, b = session(fec=(2, 1), crypt="none", mtu=500), session(crypt="none", mtu=500)
    assert a.mss == 500 - 20 - 8 - 24 and b.mss == 500 - 20 - 24
    raises(ValueError, Config, fec=(10, 0))
    raises(ValueError, Config, datashard=250, parityshard=7)
    assert Config(datashard=10, parityshard=3).datashard == Config(fec=(10, 3)).datashard
