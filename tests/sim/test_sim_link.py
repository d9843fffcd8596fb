"""The simulator itself: its numbers, its arithmetic and its rates, on every runtime.

That the Go twin draws the same is checked by the cases L-* (test_scenarios_arq.py).
"""
# upy: heapsize=8m

from kcp_sim.link import Link
from kcp_sim.net import Net, segment_cmds
from kcp_sim.rng import Rng

DATA = bytes(range(100))


def link(**options):
    return Link(options, 1, 0)


def n_arrived(one, n_datagrams, data=DATA):
    return sum(len(one.send(ms, data)) for ms in range(n_datagrams))


def near(count, expected, tolerance):
    return abs(count - expected) <= tolerance


def raises(function):
    try:
        function()
    except ValueError:
        return True
    return False


def test_generator_gives_the_known_numbers():
    first = Rng(1)
    assert [first.next() for _ in range(4)] == [3305917367, 3274390730, 855112947, 1616294567]
    assert Rng(1, 1).next() != Rng(1).next()
    assert Rng(2).next() != Rng(1).next()
    assert Rng((1 << 28) - 1, 15).next() < 1 << 32


def test_generator_is_even():
    rng = Rng(3)
    counts = [0] * 10
    for _ in range(2000):
        counts[rng.below(10)] += 1
    assert min(counts) > 150 and max(counts) < 250, counts


def test_plain_link_delays():
    assert link(delay_ms=15).send(100, DATA) == [(115, DATA)]
    assert raises(lambda: link(delay=15))


def test_rate_queues_and_drops_the_tail():
    # 100 + 25 bytes are 1000 bits; at 400 kbit/s 2.5 ms each
    slow = link(rate_kbps=400, queue=3, overhead=25, delay_ms=10)
    leaves = [[ms for ms, _ in slow.send(0, DATA)] for _ in range(6)]
    assert leaves == [[13], [15], [18], [20], [], []]  # one on the line, three waiting
    assert slow.counters["queue_drops"] == 2
    # after 5 ms two have gone and the third is on the line, so two places are free
    leaves = [[ms for ms, _ in slow.send(5, DATA)] for _ in range(3)]
    assert leaves == [[23], [25], []]
    assert slow.send(1000, DATA) == [(1013, DATA)]


def test_a_rate_that_changes_holds_for_what_comes_later():
    # 1000 bits: 10 ms at 100 kbit/s, 1 ms at 1000
    line = link(rate_kbps=100, rates=[[5, 1000], [30, 50]], queue=9)
    bits = bytes(125)
    assert [line.send(ms, bits)[0][0] for ms in (0, 1, 5, 6, 30)] == [10, 20, 21, 22, 50]
    assert line.wait_ticks == 0
    assert line.send(31, bits) == [(70, bits)] and line.wait_ticks == 19


def test_finer_ticks_are_the_same_link():
    options = {"rate_kbps": 400, "queue": 3, "overhead": 25, "delay_ms": 10, "replay_ms": 40}
    options.update(loss_pct=10, dup_pct=10, replay_pct=10, blackhole=[[500, 520]])
    coarse, fine = Link(options, 5, 0), Link(options, 5, 0, ticks_per_ms=100)
    for ms in range(0, 1000, 2):
        # replays: their delay is drawn from as many places as there are ticks
        late = [at for at, _ in coarse.send(ms, DATA)][:1]
        exact = [at for at, _ in fine.send(ms * 100, DATA)][:1]
        assert [(at + 99) // 100 for at in exact] == late, (ms, late, exact)
        assert coarse.wait_ticks == fine.wait_ticks // 100
    assert coarse.counters == fine.counters and coarse.counters["queue_drops"]
    one = link(rate_kbps=10000, queue=25)
    assert one.send(7, bytes(1428))[0][0] == 9
    assert Link({"rate_kbps": 10000}, 1, 0, 1000).send(7000, bytes(1428))[0][0] == 8143


def test_loss_and_its_burst_limit():
    lossy = link(loss_pct=30)
    assert near(n_arrived(lossy, 2000), 1400, 80)
    assert lossy.counters["sent"] == 2000 and near(lossy.counters["lost"], 600, 80)
    short = link(loss_pct=90, loss_burst=3)
    in_row = worst = 0
    for ms in range(500):
        in_row = 0 if short.send(ms, DATA) else in_row + 1
        worst = max(worst, in_row)
    assert worst == 3


def test_gilbert_elliott_loses_in_bursts():
    # bad 1 % / (1 % + 10 %) of the time: 9.1 %, and there 70 % lost
    bursty = link(ge=[100, 1000, 7000, 10])
    lost = [not bursty.send(ms, DATA) for ms in range(4000)]
    n_lost = sum(lost)
    assert near(n_lost, 4000 * 0.0645, 100), n_lost
    n_pairs = sum(1 for a, b in zip(lost, lost[1:]) if a and b)
    assert n_pairs > n_lost * 0.4


def test_corruption_changes_one_byte_of_a_copy():
    noisy = link(corrupt_pct=50, corrupt_burst=2)
    n_changed = 0
    for ms in range(500):
        ((_, data),) = noisy.send(ms, DATA)
        changed = sum(1 for a, b in zip(data, DATA) if a != b)
        assert changed <= 1 and len(data) == 100
        n_changed += changed
    assert n_changed == noisy.counters["corrupted"]
    assert near(n_changed, 214, 50)  # 3 of 7: after two in a row the next passes
    assert bytes(range(100)) == DATA


def test_jitter_duplication_and_replay():
    rough = link(delay_ms=10, jitter_ms=20, dup_pct=20, replay_pct=10, replay_ms=1000)
    delays = []
    for ms in range(0, 100000, 100):
        copies = rough.send(ms, DATA)
        delays.append(copies[0][0] - ms)
        for arrival_ms, _ in copies[1:]:
            assert 1 <= arrival_ms - ms <= 1000
    assert min(delays) == 10 and max(delays) == 30
    assert near(rough.counters["duplicated"], 200, 50)
    assert near(rough.counters["replayed"], 100, 40)


def test_reordering_skips_the_delay():
    jumpy = link(delay_ms=50, reorder_pct=25)
    delays = [jumpy.send(ms, DATA)[0][0] - ms for ms in range(1000)]
    assert sorted(set(delays)) == [0, 50]
    assert near(delays.count(0), 250, 60)


def test_blackhole_goes_by_the_time_of_sending():
    holed = link(delay_ms=5, blackhole=[[10, 20], [30, 31]])
    gone = [ms for ms in range(40) if not holed.send(ms, DATA)]
    assert gone == list(range(10, 20)) + [30]
    assert holed.counters["blackholed"] == 11


def test_receiver_keeps_what_its_queue_holds():
    net = Net(({"delay_ms": 3, "rx_queue": 4, "rx_poll_ms": 10}, {}), 1)
    for _ in range(6):
        net.send(0, DATA)
    assert net.next_ms() == 10
    net.now_ms = 10
    n = 0
    while net.arrive():
        n += 1
    assert n == 4 and net.links[0].counters["rx_drops"] == 2


def test_arrivals_are_in_the_order_of_sending():
    net = Net(({"delay_ms": 5}, {"delay_ms": 5}), 1)
    net.send(0, b"a")
    net.send(1, b"b")
    net.send(0, b"c")
    assert net.arrive() is None
    net.now_ms = 5
    assert [net.arrive() for _ in range(4)] == [(0, b"a"), (1, b"b"), (0, b"c"), None]


def test_equal_seeds_give_equal_links():
    options = {"delay_ms": 1, "jitter_ms": 50, "loss_pct": 10, "dup_pct": 10}
    one, same, other = Link(options, 7, 0), Link(options, 7, 0), Link(options, 8, 0)
    runs = [[x.send(ms, DATA) for ms in range(200)] for x in (one, same, other)]
    assert runs[0] == runs[1] and runs[0] != runs[2]


def test_segments_are_counted():
    ack = bytes([1, 0, 0, 0, 82]) + bytes(19)
    push = bytes([1, 0, 0, 0, 81]) + bytes(15) + bytes([5, 0, 0, 0]) + b"hello"
    assert segment_cmds(ack + push, 0) == [82, 81]
    assert segment_cmds(bytes(20) + push, 20) == [81]
    assert segment_cmds(b"short", 0) == []
