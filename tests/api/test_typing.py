"""`mypy --strict` over programs that use the public API; stubtest: the stubs say what is there."""

import os
import re
import subprocess
import sys

import pytest

import kcp
import kcp_asyncio
import kcp_trio
from kcp import blocking

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PORT = os.path.join(ROOT, "ports", "cpython")
SOURCES = os.pathsep.join([os.path.join(ROOT, "lib"), PORT])
GOOD = os.path.join("typed", "good.py")
BAD = os.path.join("typed", "bad.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where mypy keeps what it has learnt, so that the second run is short."""
    return tmp_path_factory.mktemp("mypy")


def run(folder, *words):
    """Run a tool of mypy; (exit code, output). It finds the sources as if they were installed."""
    words = [sys.executable, "-m", *words]
    settings = {**os.environ, "PYTHONPATH": SOURCES, "MYPY_CACHE_DIR": str(folder)}
    done = subprocess.run(
        words, cwd=HERE, env=settings, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_right_program_passes(folder):
    code, output = run(folder, "mypy", "--strict", "--config-file=", GOOD)
    assert code == 0, output


def test_the_right_program_uses_every_public_name():
    with open(os.path.join(HERE, GOOD), encoding="utf-8") as file:
        text = file.read()
    for module in (kcp, blocking, kcp_asyncio, kcp_trio):
        for name in module.__all__:
            assert re.search(r"\b%s\b" % name, text), f"{module.__name__}.{name}"


def test_every_mistake_is_found(folder):
    _, output = run(folder, "mypy", "--strict", "--config-file=", BAD)
    found = re.findall(r"bad\.py:(\d+): error: .*\[([a-z-]+)\]$", output, re.MULTILINE)
    with open(os.path.join(HERE, BAD), encoding="utf-8") as file:
        expected = {
            number: set(line.split("# E: ")[1].split())
            for number, line in enumerate(file, 1)
            if "# E: " in line
        }
    assert {int(number) for number, _ in found} == set(expected), output
    for number, kind in found:
        assert kind in expected[int(number)], output


@pytest.mark.parametrize("package", ["kcp_asyncio", "kcp_trio"])
def test_our_own_typed_packages_are_strict(folder, package):
    code, output = run(folder, "mypy", "--strict", "--config-file=", os.path.join(PORT, package))
    assert code == 0, output


def test_the_stubs_say_what_the_library_has(folder):
    _, output = run(folder, "mypy.stubtest", "--concise", "--mypy-config-file=", "kcp")
    # Modules without a stub are typed by their own annotations.
    lines = [line for line in output.splitlines() if not line.endswith("failed to find stubs")]
    assert lines == [], output
    assert "kcp.endpoint failed" in output  # (it did look)


def test_the_stubs_have_every_setting():
    with open(os.path.join(PORT, "kcp-stubs", "config.pyi"), encoding="utf-8") as file:
        options, config = file.read().split("class Config:")
    for name in vars(kcp.Config()):
        assert re.search(r"^    %s: " % name, config, re.MULTILINE), name
        if name != "given":
            assert re.search(r"^    %s: " % name, options, re.MULTILINE), name
