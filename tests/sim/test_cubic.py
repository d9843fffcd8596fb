"""The simulator's TCP flow: RFC 9438's window, and what a path with it looks like."""

from kcp_sim.crossing import Crossing, jain, run
from kcp_sim.cubic import Cubic

QUEUE25 = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}
TCP = {"kind": "cubic"}


def near(found, expected):
    return abs(found - expected) <= 0.001 * abs(expected)


def test_slow_start_doubles_and_a_loss_takes_three_tenths():
    window = Cubic()
    window.on_ack(10, 0, 100)
    assert window.cwnd == 20
    window.on_loss()
    assert near(window.cwnd, 14) and near(window.w_max, 20) and near(window.ssthresh, 14)
    window.on_loss()  # below w_max: fast convergence
    assert near(window.w_max, 14 * 0.85) and near(window.cwnd, 9.8)
    window.on_timeout()
    assert window.cwnd == 1


def test_the_window_comes_back_to_where_it_was_after_k_seconds():
    window = Cubic()
    window.on_ack(990, 0, 100)
    assert window.cwnd == 1000
    window.on_loss()
    window.on_ack(1, 5000, 100)  # the epoch begins
    k_s = (1000 * 0.3 / 0.4) ** (1 / 3)
    assert near(window.at(0), 700)
    assert near(window.at(k_s), 1000)
    assert near(window.at(2 * k_s), 1300)
    for ms in range(0, int(1000 * k_s), 10):  # 100 ACKs of one segment per 10 ms
        for _ in range(100):
            window.on_ack(1, 5000 + ms, 100)
    assert 985 <= window.cwnd <= 1005


def test_the_reno_region_rules_small_windows():
    window = Cubic()
    window.on_loss()
    window.on_ack(1, 0, 10)
    for ms in range(10, 510, 10):  # 50 round trips of 10 ms, in which Reno gains 0.53 each
        for _ in range(int(window.cwnd)):
            window.on_ack(1, ms, 10)
    assert 7 + 20 <= window.cwnd <= 7 + 50


def test_one_flow_fills_the_path_and_its_queue():
    found = run({"link": QUEUE25, "flows": [TCP], "run_ms": 10000, "from_ms": 1000}, 1)
    assert 9.4 <= found["mbits"][0] <= 9.66  # 1448 of 1500 bytes
    assert 10 <= found["wait_mean_ms"] <= 30
    bloated = dict(QUEUE25, queue=200)
    found = run({"link": bloated, "flows": [TCP], "run_ms": 20000, "from_ms": 5000}, 1)
    assert found["wait_mean_ms"] >= 100


def test_two_flows_share():
    case = {"link": QUEUE25, "flows": [TCP, TCP], "run_ms": 15000, "from_ms": 3000}
    found = run(case, 1)
    assert sum(found["mbits"]) >= 9.4 and found["jain"] >= 0.85, found
    assert jain((1, 1)) == 1 and jain((5, 0)) == 0.5


def test_it_goes_on_after_an_outage():
    link = dict(QUEUE25, blackhole=[[2000, 4000]])
    one = Crossing({"link": link, "flows": [TCP]}, 1)
    one.run(3900)
    n_bytes = one.flows[0].n_bytes
    one.run(9000)
    assert one.flows[0].ends[0].n_timeouts >= 2
    assert (one.flows[0].n_bytes - n_bytes) * 8 / 5000 / 1000 >= 5


def test_losses_are_repaired():
    case = {"link": dict(QUEUE25, loss_pct=2), "flows": [TCP], "run_ms": 10000}
    one = Crossing(case, 3)
    one.run(10000)
    sender, receiver = one.flows[0].ends
    assert -60 <= sender.n_acked - receiver.n_segs <= 200  # nothing is left behind
    assert one.path.links[0].counters["lost"] > 20
