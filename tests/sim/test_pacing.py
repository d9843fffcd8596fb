"""Pacing, without any rate set by the user: the scenarios' pass marks, and never much worse than
sending a window at once.

Figures: `tools/pacing_report.py`. The loads are smaller on MicroPython, where a packet takes
longer; the marks are then those of a start from nothing, and lower.
"""
# upy: heapsize=16m timeout=240 arm=no

from sim import cases, workers

IS_CPYTHON = cases.target() == "cpython"
N_SEEDS = 3 if IS_CPYTHON else 1
SCALE = 1 if IS_CPYTHON else 8
QUEUE25 = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}


def run(link, n_bytes, wnd, pacing=True, load=None, n_seeds=N_SEEDS, **config):
    """Run a load from side 0 to side 1; the results."""
    options = {"crypt": "none", "sndwnd": wnd, "rcvwnd": wnd, "pacing": pacing}
    options.update(config)
    one = {
        "id": "pacing",
        "link": link,
        "load": load or {"kind": "bulk", "bytes": n_bytes // SCALE},
        "config": options,
        "limit_ms": 400000,
    }
    return workers.run_all("wire", [(one, seed, {}) for seed in range(n_seeds)])


def mbits(results, n_bytes):
    """Mean goodput in Mbit/s."""
    return sum(n_bytes // SCALE * 8 / r["done_ms"] / 1000 for r in results) / len(results)


def mean_ms(results):
    return sum(r["done_ms"] for r in results) / len(results)


def n_queue_drops(results):
    return sum(r["links"]["queue_drops"] for r in results)


def check(link, n_bytes, wnd, least, **config):
    """At least so many Mbit/s; the results."""
    results = run(link, n_bytes, wnd, **config)
    found = mbits(results, n_bytes)
    assert found >= (least if IS_CPYTHON else 0.8 * least), (found, least)
    return results


def test_t01_clean():
    for wnd, least in ((32, 8.2), (48, 8.7)):
        assert n_queue_drops(check(QUEUE25, 10485760, wnd, least)) == 0, wnd


def test_t02_fec():
    check(QUEUE25, 10485760, 48, 6.5, fec=(10, 3))


def test_t03_a_window_far_beyond_the_path():
    for wnd in (128, 512):
        results = check(QUEUE25, 10485760, wnd, 8.0)
        assert n_queue_drops(results) <= 0.01 * 10485760 / 1348 * len(results), wnd


def test_t04_a_long_way():
    link = {"delay_ms": 750, "rate_kbps": 10000, "queue": 25}
    assert mean_ms(run(link, 1048576, 256)) <= 6500
    assert mean_ms(run(link, 1024 * SCALE, 256)) <= 800


def test_t05_losses():
    link = dict(QUEUE25, loss_pct=2, loss_burst=3)
    assert mean_ms(run(link, 2097152, 48)) <= 3000
    assert mean_ms(run(link, 2097152, 48, fec=(10, 3))) <= 3000


def test_t06_heavy_losses():
    for pct, most_ms in ((10, 2400), (20, 3500), (30, 5300)):
        results = run({"delay_ms": 100, "loss_pct": pct}, 200000, 32, n_seeds=4 * N_SEEDS)
        assert mean_ms(results) <= most_ms, (pct, mean_ms(results))


def test_t17_a_device_with_a_small_queue():
    device = {"delay_ms": 5, "rate_kbps": 10000, "queue": 100, "rx_queue": 4, "rx_poll_ms": 2}
    for wnd, rate, most_ms in ((4, 0, 2100), (32, 250000, 2600)):
        results = run(device, 500000, wnd, rate_limit=rate)
        assert mean_ms(results) <= most_ms, (wnd, mean_ms(results))
        assert sum(r["links"]["rx_drops"] for r in results) == 0, wnd


def test_small_messages_do_not_wait():
    for size, period_ms in ((64, 20), (1000, 20), (4000, 100)):
        load = {"kind": "echo", "count": 100, "size": size, "period_ms": period_ms}
        paced = run(QUEUE25, 0, 128, True, load)
        plain = run(QUEUE25, 0, 128, False, load)
        for a, b in zip(paced, plain):
            assert a["rtt_sum_ms"] <= b["rtt_sum_ms"] * 1.01, (size, a["rtt_sum_ms"])
            assert a["rtt_max_ms"] <= b["rtt_max_ms"] + 5, size


def test_a_local_network():
    lan = {"delay_ms": 1, "rate_kbps": 100000, "queue": 200}
    results = check(lan, 10485760, 256, 85.0 if IS_CPYTHON else 50.0)
    n_sent = 10485760 // SCALE // 1348 * len(results)
    most = n_sent // (100 if IS_CPYTHON else 30)  # they are at the beginning
    assert n_queue_drops(results) <= most, (n_queue_drops(results), n_sent)


FAST = {"delay_ms": 5, "rate_kbps": 100000, "queue": 100}
#: Other paths: bytes, window, and how much of the time without pacing it may take. More than 1
#: where nothing on the way is ever full, or where the transfer is over before the rate is found.
OTHERS = (
    ("jitter", dict(QUEUE25, jitter_ms=15, queue=50, loss_pct=1), 1 << 20, 128, 1.0),
    ("bursts", dict(QUEUE25, ge=[100, 1000, 7000, 10]), 1 << 20, 64, 1.0),
    ("losses", dict(QUEUE25, loss_pct=5), 1 << 20, 128, 1.0),
    ("losses without a queue", {"delay_ms": 50, "loss_pct": 30}, 1 << 20, 128, 1.15),
    ("slow", {"delay_ms": 15, "rate_kbps": 1000, "queue": 25}, 1 << 20, 32, 1.05),
    ("fast", FAST, 1 << 23, 256, 1.0),
    ("fast and short", FAST, 1 << 20, 256, 2.2),
    (
        "disorder",
        {"delay_ms": 50, "jitter_ms": 40, "reorder_pct": 25, "dup_pct": 10},
        1 << 20,
        64,
        1.7,
    ),
)


if IS_CPYTHON:  # the smaller loads are over before a rate is found

    def test_jitter_is_no_queue_that_runs_over():
        bursts = {"delay_ms": 30, "jitter_ms": 20, "ge": [100, 1000, 7000, 10]}
        for ratio in ((0, 0), (10, 3), (20, 10)):
            for result in run(bursts, 2097152, 128, fec=ratio):
                assert result["done_ms"] <= 3500, (ratio, result["done_ms"])

    def test_other_paths_are_no_worse():
        for name, link, n_bytes, wnd, most in OTHERS:
            paced = mean_ms(run(link, n_bytes, wnd, True))
            plain = mean_ms(run(link, n_bytes, wnd, False))
            assert paced <= most * plain, (name, paced, plain)


def test_congestion_control_and_pacing_go_together():
    results = check(QUEUE25, 2097152, 128, 3.5 if IS_CPYTHON else 1.0, nc=0)
    assert n_queue_drops(results) == 0
