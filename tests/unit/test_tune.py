# upy: heapsize=4m
"""The search for a sender's (data, parity): kcp-go's rules, case by case. Runs on both runtimes.

tests/interop/test_fec_diff.py compares it with kcp-go's own.
"""

from kcp.fec import paws
from kcp.tune import SAMPLES, Tuner, run_length

SEQS = 1 << 32


def told(signal, first=0):
    """Return a tuner that has seen this signal: D and P for packets, . for a lost one."""
    tuner = Tuner()
    for i, kind in enumerate(signal):
        if kind != ".":
            tuner.sample(kind == "D", (first + i) % SEQS)
    return tuner


def periods(tuner):
    samples = tuner.in_order()
    return run_length(samples, 1), run_length(samples, 0)


def sender(tuner, data, parity, n, first=0):
    """Have the tuner see n packets of a sender."""
    for i in range(first, first + n):
        tuner.sample(i % (data + parity) < data, i % SEQS)
    return first + n


def test_a_run_counts_when_both_its_edges_are_there():
    for signal, data, parity in (
        ("PDP", 1, 0),
        ("DPD", 0, 1),
        ("PDPD", 1, 1),
        ("DDPDDP", 2, 1),
        ("PDDDPD", 3, 1),
        ("DPPPPD", 0, 4),
        ("PDDDDP", 4, 0),
        ("PPDDPP", 2, 0),
        ("DDPPDD", 0, 2),
        ("PPPPPD", 0, 0),
        ("DPPPPP", 0, 0),
        ("DDDDDD", 0, 0),
        ("PPPPPP", 0, 0),
        ("DPDPPDDP", 1, 1),
    ):
        for first in (0, 1000, SEQS - 3):
            tuner = told(signal, first)
            assert periods(tuner) == (data, parity), signal
            assert tuner.find() == ((data, parity) if data and parity else None), signal


def test_too_few_samples_tell_nothing():
    for signal in ("", "D", "P", "DP", "PD"):
        assert told(signal).find() is None


def test_every_sum_is_found_below_256():
    for n in range(2, 256):
        data = 1 + n * 7 % (n - 1)
        tuner = Tuner()
        sender(tuner, data, n - data, min(2 * n + 1, SAMPLES), n - 1)
        assert tuner.find() == (data, n - data), n
    tuner = Tuner()
    sender(tuner, 128, 128, SAMPLES, 255)
    assert periods(tuner)[0] == 128 and tuner.find() is None


def test_a_gap_or_a_duplicate_ends_the_search():
    assert told("PDD.PPD").find() is None
    assert told("PDDPP.D").find() is None
    assert told("PDDPPD.").find() == (2, 2)
    tuner = told("PDDPPD")
    tuner.sample(True, 1)
    assert tuner.find() is None
    for i in range(SAMPLES):  # the duplicate leaves with the oldest
        tuner.sample((i + 6) % 4 in (1, 2), i + 6)
    assert tuner.find() == (2, 2)


def test_the_order_of_arrival_does_not_matter():
    tuner = Tuner()
    for i in (4, 2, 3, 1, 0, 6, 5):
        tuner.sample(i % 3 < 2, (SEQS - 3 + i) % SEQS)
        tuner.find()
    assert tuner.find() == (2, 1)


def test_a_sender_that_skips_all_parity_tells_nothing():
    tuner = Tuner()
    for i in range(2000):
        if i % 5 < 3:
            tuner.sample(True, i)
        if i % 100 == 0:
            assert tuner.find() is None
    tuner = Tuner()
    sender(tuner, 1, 0, 600)
    assert tuner.find() is None


def test_the_ring_keeps_the_newest():
    tuner = Tuner()
    seqid = 0
    for data, parity in ((2, 2), (3, 3), (5, 5), (1, 1), (4, 4), (2, 6), (7, 3), (3, 7)):
        seqid = sender(tuner, data, parity, 3 * SAMPLES, seqid)
        assert tuner.find() == (data, parity)


def test_a_change_is_seen_when_the_old_ratio_has_left():
    tuner = Tuner()
    seqid = sender(tuner, 2, 2, 3 * SAMPLES)
    found = []
    for _ in range(SAMPLES + 8):
        seqid = sender(tuner, 3, 2, 1, seqid)
        found.append(tuner.find())
    assert found[0] == found[200] == (2, 2) and found[-1] == (3, 2)
    assert found.index((3, 2)) > SAMPLES - 20


def test_numbers_that_start_again_leave_a_gap_for_a_while():
    """Between paws - 1 and 0 the seqids are not consecutive."""
    tuner = Tuner()
    last = paws(5)
    sender(tuner, 3, 2, 10, last - 10)
    assert tuner.find() == (3, 2)
    for i in range(SAMPLES + 10):
        tuner.sample(i % 5 < 3, i)
    assert tuner.find() == (3, 2)


def test_loss_while_it_searches():
    """It finds the ratio when the ring begins with a stretch without loss, not before."""
    tuner, x, found = Tuner(), 12345, []
    for i in range(3000):
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
        if x >> 16 & 15:  # 6 % are lost
            tuner.sample(i % 13 < 10, i)
            found.append(tuner.find())
    assert found.count((10, 3)) > 20 and found.count(None) > 1000
    assert set(found) == {None, (10, 3)}


def test_searching_step_by_step_gives_the_same_as_at_once():
    """find() keeps its samples sorted from call to call; a new tuner sorts them once."""
    x = 99
    for start in (0, 1 << 31, SEQS - 200, (1 << 28) - 100):
        tuner, seen, seqid = Tuner(), [], start
        for i in range(700):
            x = (x * 1103515245 + 12345) & 0x3FFFFFFF
            seqid += 1 if x >> 20 & 31 else x >> 8 & 7
            if i % 250 == 249:
                seqid += 1 << 27  # far away: the keys get another base
            late = seqid - (x >> 12 & 3)
            seen.append((late % 4 < 3, late % SEQS))
            tuner.sample(*seen[-1])
            assert tuner._order is None or len(tuner._order) == tuner._count
            if i % 9 == 0 or i % 50 < 3:
                fresh = Tuner()
                for is_data, one in seen[-SAMPLES:]:
                    fresh.sample(is_data, one)
                assert tuner.find() == fresh.find(), i


def test_how_long_until_all_samples_fit():
    tuner = Tuner()
    assert tuner.n_until_fit(2, 3, paws(3)) == 0
    sender(tuner, 2, 1, 30)
    assert tuner.n_until_fit(2, 3, paws(3)) == 0
    tuner.sample(False, 30)
    assert tuner.n_until_fit(2, 3, paws(3)) == SAMPLES
    sender(tuner, 2, 1, 100, 31)
    assert tuner.n_until_fit(2, 3, paws(3)) == SAMPLES - 100
    sender(tuner, 2, 1, SAMPLES - 101, 131)
    assert tuner.n_until_fit(2, 3, paws(3)) == 1
    tuner.sample(True, SAMPLES + 30)
    assert tuner.n_until_fit(2, 3, paws(3)) == 0
    tuner.sample(False, 0xFFFFFFFF)  # not a seqid of any group
    assert tuner.n_until_fit(2, 3, paws(3)) == 0
