# upy: heapsize=8m
"""FEC at its edges: pauses, lengths, mtu, expiry, replays, wraps, hostile numbers, memory.

Runs on both runtimes.
"""

import struct

from core_support import carry, raises, read_all, session
from test_fec import decoder, feed, head, packets, payloads

from kcp.fec import DATA, PARITY, Decoder, Encoder, paws
from kcp.stats import Stats

KEY = bytes(range(32))


def packet(seqid, kind, n=10):
    """Return an FEC packet of n bytes of payload that means nothing."""
    return struct.pack("<IHH", seqid, kind, n + 2) + bytes(n)


def held(dec):
    """Count what a decoder really holds: (packets, bytes)."""
    shards = [one for group in dec._groups for one in group.shards if one is not None]
    return len(shards), sum([len(one) for one in shards])


def test_only_a_pause_before_the_last_packet_of_a_group_leaves_its_parity_out():
    encoder = Encoder(3, 2, 100)
    now_ms = (1 << 30) - 700  # the clock runs over its end meanwhile
    for *gaps, n in ((600, 600, 499, 5), (1, 1, 500, 3), (499, 499, 499, 5), (0, 0, 900, 3)):
        made = []
        for gap_ms, payload in zip(gaps, payloads(3)):
            now_ms = (now_ms + gap_ms) % (1 << 30)
            made += packets(encoder, [payload], now_ms)
        assert len(made) == n, gaps
    assert encoder.seqid == 20


def test_nothing_is_repaired_by_a_ratio_that_is_only_guessed():
    # Of a group of 3 + 1 only the packets at even places have come, and the parity: as far as can
    # be seen it is 1 + 1. Such a parity is the XOR of the three, and so a packet of their
    # conversation, with wrong data.
    for n_lost in (1, 2):
        encoder, data = Encoder(3, 1, 100), payloads(9)
        made = packets(encoder, data, 0, 10)
        unknown, known = decoder(0, 0), decoder(3, 1)
        came = made[:1] + made[3:4] if n_lost == 2 else made[:1] + made[2:4]
        assert [head(one)[0] for one in came] == ([0, 3] if n_lost == 2 else [0, 2, 3])
        assert [one for each in came for one in feed(unknown, each)] == []
        found = [one for each in came for one in feed(known, each)]
        assert found == ([data[1]] if n_lost == 1 else [])


def test_a_ratio_that_nobody_has_told_is_found():
    for data, parity in ((1, 1), (3, 1), (10, 3)):
        encoder, dec, sent = Encoder(data, parity, 100), decoder(0, 0), payloads(8 * data)
        made = packets(encoder, sent, 0, 10)
        n = data + parity
        known, rest = made[: 4 * n], made[4 * n :]
        for each in known:
            assert feed(dec, each) == []
        assert (dec.data, dec.parity) == (data, parity) and not dec.is_tuning
        lost = [one for one in rest if head(one)[0] % n == 0][1]
        rest.remove(lost)
        assert [one for each in rest for one in feed(dec, each)] == [lost[8:]], (data, parity)


def test_a_receiver_gets_over_parity_that_was_left_out():
    encoder, dec, data = Encoder(2, 1, 100), decoder(2, 1), payloads(6)
    made = packets(encoder, data[:2], 0, 10)
    made += packets(encoder, data[2:4], 5000, 600)
    made += packets(encoder, data[4:], 9000, 10)
    assert [head(one)[0] for one in made] == [0, 1, 2, 3, 4, 6, 7, 8]
    found = [one for i, each in enumerate(made) if i not in (1, 6) for one in feed(dec, each)]
    assert found == [data[1], data[5]] and not dec.is_tuning


def test_packets_of_very_different_lengths():
    sizes = (1, 1400, 2, 700, 1, 1, 1400, 3, 1399, 24, 1, 1)
    data = [bytes((i * 31 + j) & 0xFF for j in range(n)) for i, n in enumerate(sizes)]
    made = packets(Encoder(4, 2, 1402), data)
    assert [len(one) for one in made if head(one)[1] == PARITY] == [1408] * 4 + [1407] * 2
    for lost in ((0, 1), (1, 2), (2, 3), (0, 4), (3, 5)):
        dec = decoder(4, 2)
        found = []
        for i, each in enumerate(made):
            if i % 6 not in lost:
                found += feed(dec, each)
        expected = [data[i] for i in range(12) if i % 4 in lost]
        assert found == expected and dec._stats.FECErrs == 0


def test_a_short_group_behind_a_long_one():
    """What the sums held before must not shine through."""
    data = [bytes([255]) * 1400] * 2 + [b"a", b"bc"] + [bytes([7]) * 1400] * 2
    made = packets(Encoder(2, 2, 1402), data)
    assert [len(one) for one in made[6:8]] == [10, 10]
    dec = decoder(2, 2)
    found = [one for i in (2, 3, 6, 7, 10, 11) for one in feed(dec, made[i])]
    assert found == data


def test_the_least_mtu():
    """One byte of data per packet: kcp-go's limit of 53 with a checksum."""
    for crypt, least in (("none", 53), ("aes-128", 53), ("aes-128-gcm", 61)):
        raises(ValueError, session, crypt=crypt, key=KEY, fec=(2, 1), mtu=least - 1)
        a = session(crypt=crypt, key=KEY, fec=(2, 1), mtu=least)
        b = session(crypt=crypt, key=KEY, fec=(2, 1), mtu=least)
        assert a.mss == 1 and a.max_oob_bytes == 21
        a.send(b"abcdef")
        kept = [True, False, True, False] + [True] * 5  # of two groups a data packet each is lost
        built = carry(a, b, 0, keep=lambda one, kept=kept: kept.pop(0))
        assert max(len(one) for one in built) == least and len(built) == 9
        assert read_all(b) == b"abcdef" and b.stats.FECRecovered == 2, crypt
    raises(ValueError, session, fec=(2, 1), mtu=1501)
    a, b = session(fec=(2, 1), mtu=1500), session()
    a.send(bytes(5000))
    assert max(len(one) for one in carry(a, b, 0)) == 1500 and read_all(b) == bytes(5000)


def test_late_and_repeated_packets_repair_once():
    data = payloads(4)
    made = packets(Encoder(4, 3, 100), data)
    dec = decoder(4, 3)
    found = []
    for _ in range(3):  # all of it three times, the lost one at the end of each
        for i in (0, 2, 3, 4, 5, 6, 1):
            found += feed(dec, made[i])
    assert found == [data[1]] and dec._stats.FECRecovered == 1 and held(dec) == (0, 0)


def test_groups_expire_behind_the_newest():
    data = payloads(20)
    made = packets(Encoder(2, 1, 100), data)
    for behind in range(6):
        dec = decoder(2, 1)
        feed(dec, made[0])
        feed(dec, made[3 * behind])
        assert feed(dec, made[2]) == ([data[1]] if behind <= 3 else []), behind
    dec = decoder(1, 2)  # one packet makes a group: an old one must not
    made = packets(Encoder(1, 2, 100), data)
    found = [one for i in (14, 2, 3) for one in feed(dec, made[i])]
    assert found == [data[5]]


def test_expiry_goes_on_where_numbers_start_again():
    n = 3
    data = payloads(14)
    made = packets(Encoder(2, 1, 100, seqid=paws(n) - 3 * n), data)
    assert head(made[9])[0] == 0
    for last in range(3, 21, 3):
        dec = decoder(2, 1)
        feed(dec, made[0])
        feed(dec, made[last])
        # 2**32 is no multiple of n, so at the wrap three groups look a little older (as in kcp-go)
        assert feed(dec, made[2]) == ([data[1]] if last <= 6 else []), last
        assert len([one for one in dec._groups if one.number >= 0]) <= 4


def test_numbers_in_the_upper_half():
    """kcp-go begins at group 0, to which these look like old ones; ours with the first."""
    for seqid in (1 << 31, (1 << 31) - 5, 3 << 30):
        first = seqid // 5 * 5
        data = payloads(3)
        made = packets(Encoder(3, 2, 100, seqid=first), data)
        dec = decoder(3, 2)
        assert [one for i in (0, 2, 3) for one in feed(dec, made[i])] == [data[1]]


def test_groups_that_never_complete():
    dec = decoder(10, 3)
    for number in range(3000):
        for place in range(9):
            assert feed(dec, packet(number * 13 + place, DATA, 50)) == []
        assert held(dec)[0] <= 36
    assert dec._stats.FECShardSet == 4 and dec._stats.FECShardMin == 2999
    assert dec._stats.FECRecovered == dec._stats.FECFullShards == 0


def test_jumps_in_the_numbers():
    """Far forward and back, as a forger may do it: groups come and go, nothing fails."""
    for jump in (1 << 30, (1 << 31) - 6, (1 << 31) - 3, 1 << 31, (1 << 31) + 13, 3 << 30):
        dec = decoder(2, 1)
        for begin in (0, jump, 2 * jump, 30, jump + 30):
            base = begin % paws(3) // 3 * 3
            for number in range(6):
                feed(dec, packet((base + 3 * number) % paws(3), DATA))
        assert len([one for one in dec._groups if one.number >= 0]) <= 4
        assert held(dec)[1] == dec._held_bytes


def test_one_forged_number_far_ahead_stops_repair_for_a_while_only():
    data = payloads(400)
    for ahead in (15, 1 << 20, (1 << 31) - 15, 1 << 31, 3 << 30):  # most can be in front or behind
        dec = decoder(3, 2)
        made = packets(Encoder(3, 2, 100), data)
        found = [one for i in (0, 2, 3) for one in feed(dec, made[i])]
        assert found == [data[1]]
        feed(dec, packet(ahead // 5 * 5 % paws(5), DATA))
        lost = range(6, len(made), 5)  # the second data packet of each group
        n_repaired = sum(
            [len(feed(dec, one)) for i, one in enumerate(made[5:], 5) if i not in lost]
        )
        assert n_repaired >= len(lost) - 1 - 64 // 4, (ahead, n_repaired, len(lost))
        assert held(dec)[1] == dec._held_bytes and dec._stats.FECShardSet <= 4


def test_a_few_late_packets_do_not_bring_old_groups_back():
    data = payloads(80)
    made = packets(Encoder(2, 1, 100), data)
    dec = decoder(2, 1)
    late = made[:63]
    for _ in range(3):
        for one in made[90:96]:
            feed(dec, one)
        assert [one for each in late for one in feed(dec, each)] == []
    assert dec._newest == 31 and dec._stats.FECRecovered == 0


def test_the_limit_counts_what_is_held():
    for limit in (0, 1, 1499, 3000, 10000):
        dec = Decoder(8, 4, 1500, Stats(), limit, is_sure=True)
        for i in range(300):
            if i % 12 not in (3, 5):
                feed(dec, packet(i, DATA if i % 12 < 8 else PARITY, 1 + i * 37 % 1400))
            assert held(dec)[1] == dec._held_bytes <= limit
        assert limit or dec._stats.FECErrs == 0


def test_a_packet_that_is_too_long_is_dropped():
    dec = decoder(1, 1)
    assert feed(dec, packet(0, DATA, 1493)) == [] and dec._stats.FECFullShards == 1
    assert feed(dec, packet(3, PARITY, 1500)) == [] and held(dec) == (0, 0)
    assert len(dec.scratch) == 1500


def test_nothing_is_repaired_while_the_ratio_is_in_doubt():
    """Bytes in which all packets agree would come out right, and so pass the stream's checks."""
    same = [b"conversation" + bytes([i & 0xFF, i >> 8]) for i in range(900)]
    old = packets(Encoder(3, 1, 100), same[:300])
    seqid = (head(old[-1])[0] + 40) // 7 * 7
    new = packets(Encoder(4, 3, 100, seqid=seqid), same[300:])
    dec, found = decoder(3, 1), []
    for i, each in enumerate(old + new):
        if i % 10 != 4:
            found += feed(dec, each)
    assert all(one in same for one in found)
    assert (dec.data, dec.parity) == (4, 3)
    late = [one for one in found if same.index(one) >= 300]
    assert len(late) > 10 and len(found) - len(late) > 10


def test_a_ratio_found_in_old_packets_is_doubted():
    """The search begins with the oldest of 258 packets: they may be those before a change."""
    dec = decoder(3, 3)
    for i in range(200):
        feed(dec, packet(7 * i, DATA))  # nothing to be found
    for seqid in range(1500, 1512):
        feed(dec, packet(seqid, DATA if seqid % 3 < 2 else PARITY))
    for seqid in range(1512, 1800):
        feed(dec, packet(seqid, DATA if seqid % 7 < 4 else PARITY))
        if (dec.data, dec.parity) == (2, 1):
            break
    assert (dec.data, dec.parity) == (2, 1)
    for seqid in (2100, 2102):  # a group of it that fits, with a packet to be repaired
        assert feed(dec, packet(seqid, DATA if seqid % 3 < 2 else PARITY)) == []
    assert dec._stats.FECRecovered == dec._stats.FECErrs == 0


def test_one_packet_that_does_not_fit_stops_repair_for_a_while():
    data = [bytes([i & 0xFF, i >> 8]) for i in range(1000)]
    dec, repaired = decoder(2, 1), []
    for i, each in enumerate(packets(Encoder(2, 1, 100), data)):
        if i == 300:
            feed(dec, packet(300, PARITY))  # forged
        if i % 30 != 1:  # a packet of every tenth group is lost
            repaired += [(i, one) for one in feed(dec, each)]
    assert all(one == data[i // 3 * 2 + 1] for i, one in repaired)
    when = [i - 2 for i, _ in repaired]
    expected = [i for i in range(0, 1500, 30) if not 300 <= i < 300 + 258]
    assert when == expected and (dec.data, dec.parity) == (2, 1)


def test_the_ratio_that_this_side_was_given_is_doubted():
    """The peer's may be another one. The first packets fit both, by chance."""
    data = [b"conversation" + bytes([i & 0xFF, i >> 8, i * 3 & 0xFF]) for i in range(300)]
    made = packets(Encoder(10, 3, 100), data)
    dec = Decoder(2, 1, 1500, Stats(), 1 << 20)
    # 9 is data and 11 parity with 2 + 1, too; what would be repaired in between is none
    assert feed(dec, made[9]) == [] and feed(dec, made[11]) == []
    found = []
    for each in made[13:]:
        found += feed(dec, each)
    assert (dec.data, dec.parity) == (10, 3) and found == []


def test_the_ratio_that_this_side_was_given_is_trusted_when_it_shows():
    data = payloads(40)
    made = packets(Encoder(3, 1, 100), data)
    dec = Decoder(3, 1, 1500, Stats(), 1 << 20)
    lost = (1, 5, 8, 12)
    found = []
    for i, each in enumerate(made[:16]):
        if i not in lost:
            found += feed(dec, each)
    # 2 and 3, the border of the first group, came: so even that one is repaired
    assert found == [data[i // 4 * 3 + i % 4] for i in lost]


def test_the_ratio_that_this_side_was_given_shows_in_any_order():
    data = payloads(3)
    made = packets(Encoder(3, 1, 100), data)
    dec = Decoder(3, 1, 1500, Stats(), 1 << 20)
    assert feed(dec, made[3]) == [] and feed(dec, made[0]) == []
    assert feed(dec, made[2]) == [data[1]]
