"""User programs print the same on CPython and on MicroPython, and talk to each other."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
ROOT = os.path.dirname(os.path.dirname(HERE))
TIMEOUT_S = 90


def micropython():
    """The command of the MicroPython interpreter; without it no test, and in CI a failure."""
    path = os.environ.get("KCP_MICROPYTHON")
    if not path:
        message = "KCP_MICROPYTHON is not set; `make env` says where MicroPython is"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return [path, "-X", "heapsize=8m"]


def command(runtime):
    return [sys.executable, "-W", "error"] if runtime == "cpython" else micropython()


def start(runtime, path, *arguments):
    lib = os.path.join(ROOT, "lib")
    return subprocess.Popen(
        [*command(runtime), path, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=lib, MICROPYPATH=".frozen:" + lib),
    )


def output(process):
    """What the program printed, once it has ended well and quietly."""
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        pytest.fail("no end after {} s\n{}{}".format(TIMEOUT_S, stdout, stderr))
    assert (process.returncode, stderr) == (0, ""), stdout
    return stdout


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        return str(sock.getsockname()[1])


@pytest.mark.parametrize("name", ["blocking", "bulk", "clients", "errors", "lines"])
def test_a_program_prints_the_same_on_both(name):
    path = os.path.join(PROGRAMS, name + ".py")
    printed = [output(start(runtime, path, free_port())) for runtime in ("cpython", "micropython")]
    assert printed[0] == printed[1]
    assert printed[0].splitlines()[-1].startswith("done")


def test_the_example_in_the_readme():
    path = os.path.join(ROOT, "examples", "echo.py")
    for runtime in ("cpython", "micropython"):
        assert output(start(runtime, path)) == "b'hello\\n'\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("client", ["cpython", "micropython"])
@pytest.mark.parametrize("server", ["cpython", "micropython"])
def test_any_runtime_talks_to_any(server, client, host):
    exchange(server, "exchange.py", client, "exchange.py", host)


@pytest.mark.parametrize("client", ["cpython", "micropython"])
@pytest.mark.parametrize("server", ["cpython", "micropython"])
def test_the_blocking_api_talks_to_itself_and_to_asyncio(server, client):
    exchange(server, "blocking_exchange.py", client, "blocking_exchange.py", "127.0.0.1")
    exchange(server, "blocking_exchange.py", client, "exchange.py", "127.0.0.1")
    exchange(server, "exchange.py", client, "blocking_exchange.py", "127.0.0.1")


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_ctrl_c_while_the_blocking_api_waits(runtime):
    path = os.path.join(PROGRAMS, "blocking_interrupt.py")
    process = start(runtime, path, free_port())
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("waiting"):
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
    assert output(process) == ""
    names = ("accept", "recv", "sendall")
    expected = [word for name in names for word in ("waiting in " + name, "interrupted")]
    expected += ["a part was queued: True", "True b'and on it goes'"]
    expected += ["waiting in service", "interrupted", "b'back'", "done"]
    assert lines == expected


def exchange(server, server_program, client, client_program, host):
    port = free_port(host)
    serving = start(server, os.path.join(PROGRAMS, server_program), port, "server", host)
    assert serving.stdout.readline() == "serving\n"
    asking = start(client, os.path.join(PROGRAMS, client_program), port, "client", host)
    assert output(asking) == "client: b'you said: how are you?\\n'\nclient: True\n"
    assert output(serving) == "server: b'how are you?\\n' True\n"
