"""The examples, unmodified under both runtimes, against the command line's servers."""

import hashlib
import json
import os
import random
import subprocess
import sys

import pytest
from cli_support import LIMIT_S, ROOT, Kcp

LIB = os.path.join(ROOT, "lib")


@pytest.fixture(params=["CPython", "MicroPython"])
def runtime(request):
    """The interpreter's path."""
    if request.param == "CPython":
        return sys.executable
    if not os.environ.get("KCP_MICROPYTHON"):
        assert os.environ.get("CI") != "true", "KCP_MICROPYTHON is not set"
        pytest.skip("KCP_MICROPYTHON is not set; `make env` prints it")
    return os.environ["KCP_MICROPYTHON"]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(random.Random(4).randbytes(100_000))
    return path


def run(runtime, example, *arguments):
    """Run an example; returns (exit code, lines of stdout, stderr)."""
    env = dict(os.environ, PYTHONPATH=LIB, MICROPYPATH=".frozen:" + LIB)
    command = [runtime, os.path.join(ROOT, "examples", example), *map(str, arguments)]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def check(lines, path):
    assert lines[-2] == "progress 100000 100000"
    result = json.loads(lines[-1])
    assert result["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(result) == ["bytes", "retransmitted", "rtt_ms", "seconds", "sha256"]


def test_upload(runtime, path, tmp_path):
    stored = tmp_path / "stored"
    with Kcp("recv", "-l", "127.0.0.1:0", "-o", stored) as recv:
        code, lines, errors = run(runtime, "upload.py", path, "127.0.0.1", recv.port)
        assert (code, errors) == (0, "")
        assert recv.finish()[0] == 0
    check(lines, path)
    assert stored.read_bytes() == path.read_bytes()


def test_upload_that_is_refused(runtime, path):
    with Kcp("recv", "-l", "127.0.0.1:0", "-o", path) as recv:  # without --force
        code, _lines, errors = run(runtime, "upload.py", path, "127.0.0.1", recv.port)
        assert recv.finish()[0] == 1
    assert code == 1
    assert "exists already" in errors


def test_echo_file(runtime, path):
    with Kcp("echo", "-l", "127.0.0.1:0") as echo:
        code, lines, errors = run(runtime, "echo_file.py", path, "127.0.0.1", echo.port)
    assert (code, errors) == (0, "")
    check(lines, path)
