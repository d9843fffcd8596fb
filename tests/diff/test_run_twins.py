"""The differential tests notice a difference, and say where it is. (Their twins: run_twins.py.)"""

import os
import shutil
import sys

import run_twins
import run_upy
from diff import drawn

SOME = range(drawn.PER_SEED)


def changed_library(folder, path, old, new):
    """A copy of the library with one place changed."""
    lib = os.path.join(str(folder), "lib")
    shutil.copytree(run_upy.LIB, lib)
    path = os.path.join(lib, path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.count(old) == 1
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    return lib


def twin(name, lib=run_upy.LIB, command=(sys.executable,)):
    return run_twins.Twin(name, list(command), {"KCP_BACKEND": "python"}, lib=lib)


def test_equal_twins_agree_and_take_every_part():
    twins = [twin("one"), twin("other")]
    assert run_twins.run(twins, SOME, 2) is None
    total = run_twins.sums(twins[0])
    assert total["datagrams"] > 500 and total["delivered"] > 5000
    assert total == run_twins.sums(twins[1])


def test_one_changed_line_is_found_and_shown(tmp_path):
    lib = changed_library(
        tmp_path, "kcp/_arq_time.py", "self.rx_rttvar = rtt >> 1", "self.rx_rttvar = rtt >> 2"
    )
    text = run_twins.run([twin("right"), twin("wrong", lib)], SOME, 2)
    assert "right and wrong differ" in text and "seed 0, link " in text
    lines = text.splitlines()
    shown = {
        name: line.split(": ", 1)[1]
        for line in lines
        for name in [line.split(":")[0].strip()]
        if name in ("right", "wrong")
    }
    assert shown["right"] != shown["wrong"]
    number = int(lines[-1].split()[-1])
    assert lines[-1].startswith("to repeat it: ") and number in SOME
    again = run_twins.run([twin("right"), twin("wrong", lib)], range(number, number + 1), 2)
    assert again == text


def test_a_twin_that_ends_early_is_no_agreement():
    text = run_twins.run([twin("good"), twin("gone", command=("false",))], SOME, 2)
    assert text.startswith("gone, scenarios 0 to 29: ended without a result (exit code 1)")


def test_a_row_has_every_kind_of_link_cipher_and_fec_once():
    rows = {drawn.parts(number)[1:] for number in SOME}
    assert len(rows) == drawn.PER_SEED
    n_rows = len(drawn.PROFILES) * len(drawn.CRYPTS) * len(drawn.FECS)
    assert n_rows == drawn.PER_SEED and drawn.SEEDS >= 200
    for step in (run_twins.LINUX_STEP, run_twins.BOARD_STEP):
        numbers = run_twins.ALL[::step]
        assert len({drawn.parts(number)[1:] for number in numbers}) > drawn.PER_SEED * 0.9
