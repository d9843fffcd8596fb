"""The examples, unmodified under both runtimes, against the command line's servers."""

import hashlib
import json
import os
import random
import socket
import subprocess
import sys

import pytest
from cli_support import LIMIT_S, ROOT, Kcp

from kcp import blocking

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


def command(runtime, example, *arguments):
    return [runtime, os.path.join(ROOT, "examples", example), *map(str, arguments)]


def environment(key):
    env = dict(os.environ, PYTHONPATH=LIB, MICROPYPATH=".frozen:" + LIB, PYTHONUNBUFFERED="1")
    env.pop("KCP_KEY", None)
    return dict(env, KCP_KEY=key) if key else env


def run(runtime, example, *arguments, key=None):
    """Run an example; returns (exit code, lines of stdout, stderr)."""
    done = subprocess.run(
        command(runtime, example, *arguments),
        env=environment(key),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def check(lines, path):
    assert lines[-2] == "progress 100000 100000"
    result = json.loads(lines[-1])
    assert result["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    expected = ["bytes", "recovered", "retransmitted", "rtt_ms", "seconds", "sha256"]
    assert sorted(result) == expected


# With a key the examples encrypt and use FEC; the other end has FEC or not, as it likes.
KEYS = pytest.mark.parametrize(
    ("key", "flags"), [(None, ()), ("a secret", ("--crypt", "aes-128", "--key", "a secret"))]
)


@KEYS
def test_upload(runtime, path, tmp_path, key, flags):
    stored = tmp_path / "stored"
    with Kcp("recv", "-l", "127.0.0.1:0", "-o", stored, *flags) as recv:
        code, lines, errors = run(runtime, "upload.py", path, "127.0.0.1", recv.port, key=key)
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


@KEYS
def test_echo_file(runtime, path, key, flags):
    with Kcp("echo", "-l", "127.0.0.1:0", *flags) as echo:
        code, lines, errors = run(runtime, "echo_file.py", path, "127.0.0.1", echo.port, key=key)
    assert (code, errors) == (0, "")
    check(lines, path)


def test_reconnecting(runtime):
    flags = ("--crypt", "aes-128", "--key", "a secret")
    with Kcp("echo", "-l", "127.0.0.1:0", *flags) as echo:
        place = ("127.0.0.1", echo.port, 7)
        code, lines, errors = run(runtime, "reconnecting.py", *place, key="a secret")
    assert (code, errors) == (0, "")
    assert lines[0] == "session 1" and lines[-1] == "acknowledged 7 left out 0", lines


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_echo_server_and_client(runtime):
    """The pair, the server on one runtime and the client on either."""
    port = free_port()
    server = subprocess.Popen(
        command(runtime, "echo_server.py", "127.0.0.1", port),
        env=environment("a secret"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout.readline() == f"listening on port {port}\n"
        for client in {sys.executable, os.environ.get("KCP_MICROPYTHON", runtime)}:
            code, lines, errors = run(client, "echo_client.py", "127.0.0.1", port, key="a secret")
            assert (code, errors) == (0, "")
            assert lines == [r"b'hello\n'", r"b'how are you?\n'", r"b'bye\n'"]
    finally:
        server.kill()
        server.communicate()


def test_echo_client_without_a_key(runtime):
    code, lines, errors = run(runtime, "echo_client.py", "127.0.0.1", 9)
    assert (code, lines) == (1, [])
    assert "KCP_KEY is not set" in errors


def test_blocking_echo(runtime):
    """The pair, the server on one runtime and the client on either."""
    port = free_port()
    server = subprocess.Popen(
        command(runtime, "blocking_echo.py", "serve", port),
        env=environment(None),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout.readline() == f"listening on port {port}\n"
        for client in {sys.executable, os.environ.get("KCP_MICROPYTHON", runtime)}:
            code, lines, errors = run(client, "blocking_echo.py", "ask", "127.0.0.1", port)
            assert (code, errors) == (0, "")
            assert lines == [r"b'hello\n'", r"b'how are you?\n'", r"b'bye\n'"]
    finally:
        server.kill()
        server.communicate()


def test_telemetry(runtime):
    with blocking.listen("127.0.0.1", 0, crypt="none") as server:
        server.settimeout(LIMIT_S)
        process = subprocess.Popen(
            command(runtime, "telemetry.py", "127.0.0.1", server.getsockname()[1]),
            env=environment(None),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            sock, _ = server.accept()
            sock.settimeout(LIMIT_S)
            with sock, sock.makefile("rb") as file:
                reports = [json.loads(file.readline())]
                sock.sendall(b'{"every_ms": 20}\n')
                while len(reports) < 30:
                    reports.append(json.loads(file.readline()))
                sock.sendall(b'{"stop": true}\n')
                out = process.communicate(timeout=LIMIT_S)[0]
        finally:
            process.kill()
            process.communicate()
    assert [report["n"] for report in reports] == list(range(30))
    assert all(0 <= report["value"] < 1 for report in reports)
    assert out.splitlines() == [
        'told: {"every_ms": 20}',
        'told: {"stop": true}',
        "stopped, 0 left out",
    ]
