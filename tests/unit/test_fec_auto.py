# upy: heapsize=8m
"""FEC that adapts: how much parity, when copies, and that the frame stays. For both runtimes."""

import struct

from core_support import PUSH, encoder_of, fill, parse, raises, read_all, session

from kcp._fec_auto import AutoEncoder, Losses, parity_for
from kcp.config import Config
from kcp.fec import DATA, PARITY, Decoder, paws
from kcp.session import Session
from kcp.stats import Stats


class Sender:
    """What an AutoEncoder looks at of its ARQ."""

    def __init__(self, srtt_ms=100):
        self.stats = Stats()
        self.snd_una = self.next_sn = 0
        self.interval_ms, self.rx_srtt, self.payload_pct = 10, srtt_ms, 100
        self._owed = 0

    def resend(self, loss):
        """Count what is sent again for one segment."""
        self._owed += (loss << 10) // (1024 - loss)
        self.stats.RetransSegs += self._owed >> 10
        self._owed &= 1023


def packets(encoder, n, sender, gap_ms=2, loss=0, now_ms=0):
    """n data packets and what follows them: [(seqid, kind, bytes), ...]; `loss` of 1024 segments
    are said to be sent again."""
    made = []
    buf = bytearray(4096)
    for i in range(n):
        size = 30 + i % 40
        buf[8 : 8 + size] = bytes([i & 0xFF] * size)
        sender.next_sn += 1
        sender.snd_una = max(0, sender.next_sn - 20)
        sender.resend(loss)
        encoder.data_packet(buf, 0, 8 + size, now_ms)
        made.append(bytes(buf[: 8 + size]))
        while encoder.n_parity:
            made.append(bytes(buf[: encoder.parity_packet(buf, 0)]))
        now_ms += gap_ms
    return [struct.unpack("<IH", one[:6]) + (one,) for one in made]


def groups(made, n=16):
    """How many parity packets each group has."""
    counts = {}
    for seqid, kind, _ in made:
        counts[seqid // n] = counts.get(seqid // n, 0) + (kind == PARITY)
    return [counts[number] for number in sorted(counts)]


def decoder(data=1, parity=1):
    return Decoder(data, parity, 1500, Stats(), 1 << 20, is_sure=True)


def feed(dec, packet):
    """Give the decoder a packet; return how many it repaired."""
    dec.input(bytearray(packet), 0, len(packet))
    n = 0
    while dec.repair(dec.scratch):
        n += 1
    return n


def test_parity_by_losses():
    assert [parity_for(loss * 1024 // 100, 10, 6) for loss in (0, 1, 5, 10, 20)] == [0, 1, 3, 4, 6]
    assert [parity_for(loss * 1024 // 100, 4, 3) for loss in (0, 1, 5, 10, 20)] == [0, 1, 2, 3, 3]
    for data, most in ((10, 6), (1, 1), (224, 31), (3, 31)):
        before = 0
        for loss in range(1025):
            n = parity_for(loss, data, most)
            assert before <= n <= most
            before = n
        assert before == most


def test_the_estimate_rises_at_once_and_falls_slowly():
    losses = Losses()
    for _ in range(8):
        losses.add(0, True)
    assert losses.value < 8
    for _ in range(4):
        losses.add(200, False)
    assert losses.value > 180
    n = 0
    while losses.value > 20:
        losses.add(0, False)
        n += 1
    assert 30 < n < 150
    while losses.value:
        losses.add(0, False)
    losses.add(1024, False)
    assert losses.value <= 1024


def test_places_never_change():
    """Whatever is sent: data packets are in the first 10 of 16 places, parity in the last ones."""
    sender = Sender()
    encoder = AutoEncoder(10, 6, 100, sender)
    made = packets(encoder, 800, sender)
    made += packets(encoder, 800, sender, loss=60, now_ms=1600)
    made += packets(encoder, 800, sender, loss=300, now_ms=3200)
    for seqid, kind, _ in made:
        assert (seqid % 16 < 10) == (kind == DATA)
    seqids = [seqid for seqid, kind, _ in made if kind == DATA]
    assert seqids == [i // 10 * 16 + i % 10 for i in range(2400)]
    for number, n_parity in enumerate(groups(made)):
        places = [s % 16 for s, kind, _ in made if s // 16 == number and kind == PARITY]
        assert places == list(range(16 - n_parity, 16))


def test_parity_follows_the_losses():
    sender = Sender()
    encoder = AutoEncoder(10, 6, 100, sender)
    clean = groups(packets(encoder, 3000, sender))
    assert clean[1:3] == [6, 6] and clean[5] in (2, 3)  # (the first one: nothing is known yet)
    assert set(clean[200:]) <= {0, 6} and clean[200:].count(6) <= 3
    assert encoder.loss_pct == 0 and sender.payload_pct == 100
    lossy = groups(packets(encoder, 1500, sender, loss=51, now_ms=6000))
    assert 2 <= encoder.n_parity_used <= 4 and sender.payload_pct in (83, 76, 71)
    assert lossy[-1] == encoder.n_parity_used or lossy[-1] == 6
    assert 5 <= len([n for n in lossy if n == 6]) <= 30


def test_a_peer_that_knows_the_frame_repairs_with_what_comes():
    sender = Sender()
    encoder, dec = AutoEncoder(10, 6, 100, sender), decoder(10, 6)
    n_lost = n_repaired = 0
    for i, (_, kind, packet) in enumerate(packets(encoder, 2000, sender, loss=100)):
        if i % 12 == 5:
            n_lost += kind == DATA
        else:
            n_repaired += feed(dec, packet)
    assert n_lost > 100 and n_repaired >= n_lost - 12 and dec._stats.FECErrs == 0


def test_a_peer_that_does_not_is_told():
    for first_lost in (-1, 25):
        sender = Sender()
        encoder, dec = AutoEncoder(10, 6, 100, sender), decoder()
        for i, (_, _, packet) in enumerate(packets(encoder, 1500, sender, loss=20)):
            if i != first_lost:
                feed(dec, packet)
        assert (dec.data, dec.parity) == (10, 6) and not dec.is_tuning, first_lost


def test_few_packets_get_copies_and_no_parity():
    sender = Sender()
    encoder = AutoEncoder(10, 6, 100, sender)
    made = packets(encoder, 100, sender, gap_ms=50, loss=51)
    assert PARITY not in [kind for _, kind, _ in made]
    assert encoder.n_copies == 4  # and no more are kept than that
    buf = bytearray(4096)
    assert encoder.copy_wait_ms(0) == 10 and encoder.copy(buf, 0, 9) == 0
    sender.snd_una = 3  # of the first four two are acknowledged by now
    end = encoder.copy(buf, 0, 50)
    assert bytes(buf[:end]) == made[2][2][8:] or encoder.n_copies < 4


def test_a_copy_leaves_once_unless_many_are_lost():
    for loss, n_times in ((0, 0), (60, 1), (250, 2)):
        sender = Sender()
        encoder = AutoEncoder(10, 6, 100, sender)
        buf = bytearray(4096)
        n_copies, now_ms = 0, 0
        for _ in range(1000):
            packets(encoder, 1, sender, loss=loss, now_ms=now_ms)
            for _ in range(10):
                now_ms += 5
                n_copies += encoder.copy(buf, 0, now_ms) != 0
            assert encoder.n_copies == 0 and encoder.copy_wait_ms(now_ms) == -1
        assert (n_copies + 500) // 1000 == n_times, (loss, n_copies)


def test_numbers_start_again():
    sender = Sender()
    encoder = AutoEncoder(10, 6, 100, sender)
    encoder.seqid = paws(16) - 32
    seqids = [seqid for seqid, kind, _ in packets(encoder, 30, sender) if kind == DATA]
    assert seqids[10] == paws(16) - 16 and seqids[20:] == list(range(10))


def carried(a, b, n_bytes, lose_every, gap_ms=1, size=1000):
    """Send bytes from a to b over 20 ms each way; a's datagrams without an FEC head, and ms."""
    way, bare, left, now, n_built = [], [], n_bytes, 0, 0
    got = b""
    data = bytes(i * 11 & 0xFF for i in range(n_bytes))
    buf = bytearray(a.buffer_bytes)
    while len(got) < n_bytes:
        if left and now % gap_ms == 0:
            left -= a.send(data[n_bytes - left :][:size])
        for source, target in ((a, b), (b, a)):
            while True:
                n = source.output(buf, now)
                if n == 0:
                    break
                n_built += 1
                if (source is a and buf[5] != 0) or buf[4] < DATA:
                    bare.append(bytes(buf[:n]))
                if not lose_every or n_built % lose_every:
                    way.append((now + 20, target, bytes(buf[:n])))
            assert source.timeout(now) != 0
        while way and way[0][0] <= now:
            _, target, one = way.pop(0)
            buf[: len(one)] = one
            target.input(buf, len(one), now)
        got += read_all(b)
        now += 1
        assert now < 100000
    assert got == data
    return bare, now


def test_sessions():
    for options in ({}, {"stream": False}, {"fec_acks": True}):
        a, b = session(fec="auto", sndwnd=128, **options), session(fec="auto", **options)
        carried(a, b, 300000, 11)
        assert b.stats.FECRecovered >= 10
        assert encoder_of(a).loss_pct >= 2
        for s in (a, b):
            assert s.stats.KCPInErrors == s.stats.FECErrs == 0


def test_sessions_with_few_messages():
    a, b = session(fec="auto"), session()
    bare, now_ms = carried(a, b, 4000, 0, 200, 100)
    copies = [one for one in bare if PUSH in [segment[0] for segment in parse(one)]]
    assert len(copies) >= 30 and b.stats.RepeatSegs >= 30
    for _ in range(200):
        while a.output(bytearray(a.buffer_bytes), now_ms):
            pass
        now_ms += 1
    assert encoder_of(a).n_copies == 0


def test_settings():
    config = Config(fec="auto")
    assert config.datashard > config.parityshard >= 3
    config = Config(fec="auto", datashard=20, parityshard=5)
    assert (config.datashard, config.parityshard) == (20, 5)
    assert encoder_of(Session(1, config, fill, 0)).data == 20
    raises(ValueError, Config, fec="auto", datashard=40, parityshard=32)
    raises(ValueError, Config, fec="auto", datashard=4)
    assert "auto" in str(raises(ValueError, Config, fec="automatic"))
    off = {"fec": None, "datashard": 0, "parityshard": 0}
    assert Config.from_options(config, off).datashard == 0
