"""Every row of the table of scenarios that no other test asserts keeps its mark (sim/table.py)."""
# upy: heapsize=32m timeout=240 arm=no

from sim import cases, table

COLUMN = 1 if cases.target() == "cpython" else 2


def test_the_marks_are_kept():
    for _, row, seeds in table.rows(COLUMN):
        if COLUMN == 1 or not row[5]:
            text, is_good = row[3].measure(seeds)
            assert is_good, (row[0], row[2], row[3].mark, text)


def test_every_row_is_asserted():
    here = __file__.replace("\\", "/").rpartition("/")[0]
    for row in table.ROWS:
        assert row[4][1] or row[5], row[:3]
        for name in row[5]:
            path, _, function = name.partition("::")
            with open(here + "/" + path) as file:
                assert "def " + function in file.read(), name


def test_every_scenario_has_a_row():
    for i in range(1, 21):
        assert [row for row in table.ROWS if row[0] == "T%02d" % i], i
