"""The tables that name kcp-go's names and tests beside ours are whole, and our tests exist.

docs/kcp-go-names.md has every public name of kcp-go, tests/README.md its tests.
"""

import os
import re

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = os.path.join(os.path.dirname(TESTS), "docs", "kcp-go-names.md")
ITS_TESTS = os.path.join(TESTS, "README.md")

OUR_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows(path):
    """The rows of a file's table as lists of cells."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def names_of(row):
    """The names in a row's first cell."""
    return re.findall(r"`([^`]+)`", row[0])


def all_names(path):
    found = [name for row in rows(path) for name in names_of(row)]
    assert len(found) == len(set(found))
    return set(found)


def listed(name):
    """The lines of a file in tests/vectors."""
    with open(os.path.join(TESTS, "vectors", name), encoding="ascii") as file:
        return set(file.read().split())


def check_that_tests_exist(text):
    """Check the tests that a text names; there must be one."""
    named = OUR_TEST.findall(text)
    assert named, text
    for path, name in named:
        with open(os.path.join(TESTS, path), encoding="utf-8") as file:
            assert re.search(rf"^(async )?def {name}\(", file.read(), re.MULTILINE), (path, name)


def row_id(row):
    return names_of(row)[0]


def test_every_name_has_its_row():
    found, public = all_names(NAMES), listed("kcp-go-names.txt")
    assert public - found == set()
    # errors are not exported, but callers meet them
    assert all(re.match(r"err[A-Z]|io\.Err", name) for name in found - public)


@pytest.mark.parametrize("row", rows(NAMES), ids=row_id)
def test_a_name_has_a_name_here_and_a_test_or_a_reason(row):
    assert len(row) == 3 and all(row), row
    if row[1].startswith("left out"):
        assert row[2] == "-" and len(row[1]) > len("left out: ") + 20
    else:
        assert OUR_TEST.fullmatch(row[2]), row[2]
        check_that_tests_exist(row[1] + row[2] if "::" in row[1] else row[2])


def test_every_test_has_its_row():
    assert all_names(ITS_TESTS) == listed("kcp-go-tests.txt")


@pytest.mark.parametrize("row", rows(ITS_TESTS), ids=row_id)
def test_a_test_of_kcp_go_has_one_here(row):
    assert len(row) == 2
    check_that_tests_exist(row[1])
