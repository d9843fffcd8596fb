"""Congestion controllers on simulated paths, alone and beside TCP: what docs/congestion.md says.

Figures: `tools/cc_report.py`. The marks have a margin to them; loads are smaller on MicroPython.
"""
# upy: heapsize=16m timeout=240 arm=no

import sys

from kcp_sim import crossing

IS_CPYTHON = sys.implementation.name == "cpython"
QUEUE25 = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}
TCP = {"kind": "cubic"}
LARGE = 1024  # segments: no window fits any path
SECONDS = 8 if IS_CPYTHON else 4


def flow(wnd=LARGE, **options):
    return {"kind": "kcp", "config": dict(options, sndwnd=wnd, rcvwnd=LARGE)}


def run(link, flows, seconds=SECONDS, from_s=0, seed=0):
    case = {"link": link, "flows": flows, "run_ms": 1000 * seconds, "from_ms": 1000 * from_s}
    return crossing.run(case, seed)


def test_the_default_needs_no_window_to_be_tuned():
    for wnd in (48, LARGE):
        found = run(QUEUE25, [flow(wnd)])
        assert found["mbits"][0] >= 8.7, (wnd, found)
        assert found["dropped_pct"][0] <= 2 and found["wait_mean_ms"] <= 8, (wnd, found)


def test_a_large_queue_is_not_filled():
    found = run(dict(QUEUE25, queue=200), [flow()])
    assert found["mbits"][0] >= 8.5 and found["wait_p95_ms"] <= (40 if IS_CPYTHON else 90), found


def test_kcp_go_without_control_drowns_in_a_large_window():
    found = run(QUEUE25, [flow(pacing=False)], seconds=4)
    assert found["dropped_pct"][0] >= 50, found


def test_losses_of_the_path_do_not_starve_it():
    for loss_pct, least in ((2, 7.5), (5, 6.0), (10, 4.0)):
        link = dict(QUEUE25, loss_pct=loss_pct)
        found = run(link, [flow()])
        assert found["mbits"][0] >= least, (loss_pct, found)


def test_a_path_that_gets_slower_and_faster_is_followed():
    link = dict(QUEUE25, rates=[(3000, 2000), (6000, 10000)])
    one = crossing.Crossing({"link": link, "flows": [flow()]}, 0)
    one.run(4000)
    n_bytes = one.flows[0].n_bytes
    one.run(6000)
    assert (one.flows[0].n_bytes - n_bytes) * 8 / 2000 >= 1200  # of 1,880 kbit/s
    one.run(9000)
    n_bytes = one.flows[0].n_bytes
    one.run(10000)
    assert (one.flows[0].n_bytes - n_bytes) * 8 / 1000 >= 5000
    assert one.nets[0].n_dropped[0] <= 0.05 * one.nets[0].n_sent[0]


def test_it_goes_on_after_an_outage():
    link = dict(QUEUE25, blackhole=[[2000, 4000]])
    one = crossing.Crossing({"link": link, "flows": [flow()]}, 0)
    one.run(5000)
    n_bytes = one.flows[0].n_bytes
    one.run(7000)
    assert (one.flows[0].n_bytes - n_bytes) * 8 / 2000 >= 6000


if IS_CPYTHON:  # which of the two has more, shows only after some time

    def test_it_shares_with_tcp():
        for link in (QUEUE25, dict(QUEUE25, queue=200)):
            found = run(link, [flow(), TCP], seconds=20, from_s=4)
            assert found["jain"] >= 0.65, found
            assert sum(found["mbits"]) >= 8.5, found

    def test_kcp_gos_window_starves_beside_tcp():
        found = run(QUEUE25, [flow(nc=0, pacing=False), TCP], seconds=20, from_s=4)
        assert found["mbits"][0] <= 2, found

    def test_two_of_ours_share():
        found = run(QUEUE25, [flow(), flow()], seconds=20, from_s=4)
        assert found["jain"] >= 0.7 and sum(found["mbits"]) >= 8.5, found
