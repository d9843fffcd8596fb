"""kcp-go and we, in every pair of settings: see matrix_rows.py and matrix_run.py.

All of the product: tests/interop/matrix.py --all.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import binaries
import matrix_rows
import matrix_run
import pytest

SEED = 2026
AT_ONCE = (os.cpu_count() or 1) + 1  # much of a transfer is waiting
CASES = [
    (place, row)
    for i, place in enumerate(matrix_rows.PLACES)
    for row in matrix_rows.covering(SEED + i)
]


def name_of(case):
    place, row = case
    return "-".join((*place, matrix_rows.name_of(row)))


@pytest.fixture(scope="module")
def running(request):
    """The selected cases, running several at a time: {name: future}."""
    binaries.kcppeer()
    binaries.micropython()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {}
        for item in request.session.items:
            if item.originalname == "test_transfer" and item.module is request.module:
                case = item.callspec.params["case"]
                futures[name_of(case)] = pool.submit(matrix_run.run, *case)
        yield futures
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_transfer(case, running):
    running[name_of(case)].result()


@pytest.mark.parametrize("place", matrix_rows.PLACES, ids="-".join)
def test_every_pair_of_values_is_covered(place):
    met = set()
    for case_place, row in CASES:
        if case_place == place:
            assert list(row) == list(matrix_rows.FACTORS)
            met |= set(itertools.combinations(row.items(), 2))
    for (one, values), (other, others) in itertools.combinations(matrix_rows.FACTORS.items(), 2):
        for value, with_value in itertools.product(values, others):
            assert ((one, value), (other, with_value)) in met


def test_the_rows_are_the_same_for_the_same_seed():
    assert matrix_rows.covering(1) == matrix_rows.covering(1) != matrix_rows.covering(2)
    n_pairs = len(matrix_rows.CIPHERS) * len(matrix_rows.FECS)  # two factors alone want so many
    assert len(matrix_rows.covering(1)) <= 1.1 * n_pairs


def test_what_is_wrong_is_noticed():
    row = dict(matrix_rows.product()[0], fec="10/3", loss=0.05)
    outcome = matrix_run.Outcome(("cpython", "client"), row)
    good = dict.fromkeys(("InErrs", "InCsumErrors", "KCPInErrors"), 0)
    good.update(InPkts=90, FECRecovered=5, RetransSegs=1)
    outcome.links = {"up": {"received": 100}, "down": {"received": 100}}

    def complaints(ours, theirs):
        outcome.ours, outcome.theirs = dict(good, **ours), dict(good, **theirs)
        return outcome.complaints()

    assert complaints({}, {}) == []
    assert complaints({"KCPInErrors": 1}, {"InCsumErrors": 2}) == [
        "ours KCPInErrors is 1",
        "kcp-go's InCsumErrors is 2",
    ]
    assert complaints({"FECRecovered": 0}, {}) == ["we recovered 0 of 10 lost"]
    assert complaints({}, {"FECRecovered": 11}) == ["kcp-go recovered 11 of 10 lost"]
    outcome.row = dict(row, fec="ours 10/3")
    assert complaints({}, {}) == ["we recovered 5 without FEC"]
    outcome.row = dict(row, fec="theirs 10/3")
    assert complaints({"RetransSegs": 0}, {"FECRecovered": 0}) == [
        "we sent nothing again, without FEC"
    ]
