"""Our bare ARQ over the simulated links: every run must be kcp-go's, byte for byte and ms for ms.

The pass marks that follow from kcp-go's own figures are asserted as well, on means over the seeds.
What each runtime runs: `seeds` in scenarios.json; KCP_SIM_FULL=1 for all, KCP_SIM_SEED=7 for one.
"""
# upy: heapsize=16m timeout=240

# arq_peer is first, for the stack of 32-bit MicroPython: deeper down in nested imports it would
# be too small for what it imports in its turn.
from sim import arq_peer, cases, reference, workers  # noqa: F401


def check(prefix):
    """Run the cases; {case id: [results]}, each the same as kcp-go's."""
    jobs = [(case, seed, {}) for case in cases.cases(prefix) for seed in cases.seeds(case)]
    assert jobs, "no seed of %s is run here: leave_out_empty should have removed the test" % prefix
    found = {}
    for (case, seed, _), result in zip(jobs, workers.run_all("arq", jobs)):
        found.setdefault(case["id"], []).append(result)
        wires = reference.of(case)["wire"]
        if seed < len(wires) and reference.wire_id(result) != wires[seed]:
            raise AssertionError("%s seed %d: not what kcp-go sends" % (case["id"], seed))
    return found


def mean_of(case_id, results):
    """The mean figure: of the round trips in an echo load, else of the times to the last byte, in
    ms."""
    n_trips = reference.n_trips(cases.cases(case_id)[0])
    return reference.mean(reference.figure(result) / n_trips for result in results)


def assert_marks(found, marks):
    """The means must be below the marks (ms); only where all seeds were run."""
    for case_id, mark_ms in marks.items():
        results = found.get(case_id, ())
        if len(results) >= 20:
            got_ms = mean_of(case_id, results)
            assert got_ms <= mark_ms, (case_id, got_ms, mark_ms)


def test_links_draw_what_the_go_twin_draws():
    found = check("L")
    if "L-all" in found:
        for result in found["L-all"]:
            counters = result["links"]
            assert all(counters.values()), counters


def test_t01_clean():
    check("T01")


def test_t03_overrun():
    check("T03")


def test_t04_longrtt():
    found = check("T04")
    for result in found.get("T04-1k", ()):
        assert result["done_ms"] <= 800


def test_t05_transferloss():
    check("T05")


def test_t06_heavyloss():
    found = check("T06")
    assert_marks(found, {"T06-echo10": 273, "T06-echo20": 356, "T06-echo30": 485})
    assert_marks(found, {"T06-bulk10": 2400, "T06-bulk20": 3500, "T06-bulk30": 5300})


def test_t09_blackhole():
    check("T09")


def test_t11_reorder_and_duplicates():
    for results in check("T11").values():
        for result in results:
            assert result["stats"]["RepeatSegs"] > 0
            assert result["links"]["replayed"] and result["links"]["duplicated"]


def test_t14_wraps():
    # Where the numbers start must change nothing but the numbers.
    found = check("T14")
    plain = found.get("T14-zero")
    for case_id, results in found.items():
        if plain and case_id.endswith("-mess"):
            for result, expected in zip(results, plain):
                assert result["done_ms"] == expected["done_ms"], (case_id, result["seed"])
                assert result["stats"] == expected["stats"], (case_id, result["seed"])


def test_t15_ikcp_table():
    check("T15")


def test_t16_window():
    for results in check("T16").values():
        for result in results:
            assert result["cmds"][83] > 0, "no WASK"
            assert result["cmds"][84] > 0, "no WINS"
            assert result["done_ms"] > 31000


cases.leave_out_empty(globals(), "arq")
