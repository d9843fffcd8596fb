"""Adaptive FEC over the simulated links: it takes less time than no FEC where packets are lost,
and less room than FEC of a fixed ratio where they are not. Figures: `tools/fec_report.py`.
"""
# upy: heapsize=16m timeout=240 arm=no

from sim import cases, workers

IS_CPYTHON = cases.target() == "cpython"
N_SEEDS = 2 if IS_CPYTHON else 1


def echo(loss_pct, count, period_ms, fec, size=1000):
    """(mean round trip in ms, the greatest one, bytes sent per byte of the messages)."""
    one = {
        "id": "fec-auto",
        "link": {"delay_ms": 50, "loss_pct": loss_pct},
        "load": {"kind": "echo", "count": count, "size": size, "period_ms": period_ms},
        "config": {"crypt": "none", "sndwnd": 512, "rcvwnd": 512, "fec": fec},
        "limit_ms": 400000,
    }
    results = workers.run_all("wire", [(one, seed, {}) for seed in range(N_SEEDS)])
    for result in results:
        for stats in result["stats"]:
            assert stats["KCPInErrors"] == stats["FECErrs"] == 0
            assert stats["FECRecovered"] <= result["links"]["lost"]
    sent = sum(stats["OutBytes"] for result in results for stats in result["stats"])
    mean = sum(result["rtt_sum_ms"] for result in results) / (count * N_SEEDS)
    worst = max(result["rtt_max_ms"] for result in results)
    return mean, worst, sent / (2 * count * size * N_SEEDS)


def test_a_steady_stream():
    count = 1000 if IS_CPYTHON else 300
    for loss_pct in (5, 20):
        plain, auto = (echo(loss_pct, count, 4, fec) for fec in (None, "auto"))
        assert auto[0] < 0.75 * plain[0], (loss_pct, plain, auto)


def test_few_messages():
    """5 per second: a group never fills in time."""
    for loss_pct in (5, 20):
        plain, fixed, auto = (echo(loss_pct, 100, 200, fec) for fec in (None, (10, 3), "auto"))
        assert auto[0] - 100 < 0.6 * (plain[0] - 100), (loss_pct, plain, auto)
        assert auto[0] - 100 < 0.6 * (fixed[0] - 100), (loss_pct, fixed, auto)
        assert auto[2] < 2.6


def test_without_losses_nothing_is_paid():
    count = 3000 if IS_CPYTHON else 1000
    plain, fixed, auto = (echo(0, count, 2, fec) for fec in (None, (10, 3), "auto"))
    assert auto[0] <= fixed[0] + 1, (plain, fixed, auto)
    assert auto[2] < (1.15 if IS_CPYTHON else 1.25) * plain[2], (plain, auto)
    assert auto[2] < fixed[2]
    for fec in (None, "auto"):  # few messages
        assert echo(0, 300, 200, fec)[1] <= 100
    assert echo(0, 1000, 200, "auto")[2] < 1.5


def bulk(loss_pct, fec, n_bytes):
    """(mean ms, packets lost per run) of T02's and T05's transfer."""
    link = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25, "loss_pct": loss_pct, "loss_burst": 3}
    one = {
        "id": "fec-auto-bulk",
        "link": link,
        "load": {"kind": "bulk", "bytes": n_bytes},
        "config": {"crypt": "none", "sndwnd": 48, "rcvwnd": 48, "pacing": True, "fec": fec},
        "limit_ms": 400000,
    }
    results = workers.run_all("wire", [(one, seed, {}) for seed in range(N_SEEDS)])
    return sum(result["done_ms"] for result in results) / N_SEEDS


def test_t02_and_t05_hold():
    scale = 1 if IS_CPYTHON else 8
    for loss_pct, n_bytes, least_mbits in ((0, 10485760, 6.5), (2, 2097152, 5.6)):
        mbits = n_bytes // scale * 8 / bulk(loss_pct, "auto", n_bytes // scale) / 1000
        assert mbits >= (least_mbits if IS_CPYTHON else 0.7 * least_mbits), (loss_pct, mbits)
