"""`kcp echo` and `kcp cat` as processes, and the deadline that ends a silent session."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys

import pytest
from cli_support import Kcp, environment, kcp, one_sentence, relay

from kcp_cli.errors import NoAnswer
from kcp_cli.runner import Deadline


def some_bytes(n):
    return random.Random(2).randbytes(n)


def echo_server(*more):
    return Kcp("echo", "--listen", "127.0.0.1:0", *more)


def test_cat_through_echo():
    data = some_bytes(200_000)
    with echo_server() as echo:
        code, out, notes = kcp("cat", echo.address, "-q", "0.5", stdin=data)
    assert code == 0
    assert out == data
    assert "200,000 bytes sent, 200,000 received" in notes[-1]


def test_cat_through_echo_over_a_link_that_loses():
    data = some_bytes(100_000)
    with (
        echo_server("--mode", "fast3") as echo,
        relay.Relay(("127.0.0.1", echo.port), loss=0.1, delay_ms=10, seed=5) as r,
    ):
        address = f"127.0.0.1:{r.port}"
        code, out, _notes = kcp("cat", address, "-q", "2", "--mode", "fast3", stdin=data)
    assert (code, out) == (0, data)


def test_cat_to_cat_both_ways():
    with Kcp("cat", "-l", "127.0.0.1:0", "-q", "0.5", "--json") as server:
        with Kcp("cat", server.address, "-q", "0.5", "--json") as client:
            server.type(b"from the server")
            code, out, notes = client.finish(b"from the client\n")
            assert (code, out) == (0, b"from the server")
            result = json.loads(notes[-1])
            assert (result["bytes_sent"], result["bytes_received"]) == (16, 15)
        code, out, notes = server.finish()
    assert (code, out) == (0, b"from the client\n")
    assert json.loads(notes[-1])["bytes_received"] == 16


def test_cat_waits_for_a_slow_stdin():
    with echo_server() as echo, Kcp("cat", echo.address, "-q", "0.3") as client:
        for word in (b"one ", b"two ", b"three"):
            client.type(word)
            assert client.process.stdout.read(len(word)) == word
        assert client.finish()[0] == 0


def test_cat_reads_a_regular_file(tmp_path):
    (tmp_path / "in").write_bytes(some_bytes(10_000))
    with echo_server() as echo, open(tmp_path / "in", "rb") as file:
        command = [sys.executable, "-m", "kcp", "cat", echo.address, "-q", "0.5", "--quiet"]
        done = subprocess.run(
            command, stdin=file, capture_output=True, env=environment(), timeout=30, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == some_bytes(10_000)


def test_cat_serves_one_session_only():
    with Kcp("cat", "-l", "127.0.0.1:0", "-q", "0.5") as server:
        with Kcp("cat", server.address, "-q", "5") as first:
            first.type(b"first")
            assert server.process.stdout.read(5) == b"first"
            assert kcp("cat", server.address, "-q", "0.2", stdin=b"")[1] == b""
            server.process.stdin.close()
            first.process.kill()
        assert server.process.stdout.read() == b""


def test_cat_ends_when_nobody_reads_its_output():
    with Kcp("cat", "-l", "127.0.0.1:0") as server, Kcp("cat", server.address) as client:
        server.process.stdout.close()
        client.type(b"x" * 1000)
        assert server.process.wait(20) == 0
        assert not any("Traceback" in note for note in server.notes if note)


def test_cat_to_a_dead_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        code, _out, notes = kcp("cat", f"127.0.0.1:{sock.getsockname()[1]}", "--timeout", "0.5")
    assert code == 3
    assert one_sentence(notes)
    assert "Nothing answered" in notes[0]


def test_cat_when_the_other_end_dies():
    with echo_server() as echo, Kcp("cat", echo.address, "--timeout", "0.5") as client:
        client.type(b"x")
        assert client.process.stdout.read(1) == b"x"
        echo.process.kill()
        client.type(b"y")
        assert client.process.wait(20) == 3
        _code, _out, notes = client.finish()
    assert one_sentence(notes)
    assert "stopped answering" in notes[0]


def test_cat_is_interrupted_while_its_stdin_is_silent():
    with echo_server() as echo, Kcp("cat", echo.address) as client:
        client.type(b"x")
        assert client.process.stdout.read(1) == b"x"
        client.process.send_signal(signal.SIGINT)
        assert client.process.wait(20) == 130


def test_echo_totals_and_interruption():
    with echo_server("--json") as echo:
        assert kcp("cat", echo.address, "-q", "0.3", stdin=b"12345")[1] == b"12345"
        echo.process.send_signal(signal.SIGINT)
        code, out, notes = echo.finish()
    assert code == 130
    result = json.loads(out)
    assert (result["verb"], result["sessions"], result["bytes"]) == ("echo", 1, 5)
    assert any("session begins" in note for note in notes)
    assert "Traceback" not in "".join(notes)


@pytest.mark.parametrize("flag", [("--once",), ("--max-sessions", "1")])
def test_echo_ends_after_its_last_session(flag):
    with echo_server(*flag, "--idle", "0.5", "--json") as echo:
        assert kcp("cat", echo.address, "-q", "0.2", stdin=b"123")[1] == b"123"
        code, result = echo.result()
    assert (code, result["ok"], result["bytes"]) == (0, True, 3)


def test_echo_serves_many_at_once():
    with echo_server() as echo:
        clients = [Kcp("cat", echo.address, "-q", "0.5", "--quiet") for _ in range(4)]
        for n, client in enumerate(clients):
            client.process.stdin.write(b"%d" % n * 50_000)
            client.process.stdin.close()
        for n, client in enumerate(clients):
            with client:
                assert client.process.stdout.read() == b"%d" % n * 50_000


def test_key_from_the_environment_reaches_the_library():
    """Two crypts use no key: that must not disturb them, and be said."""
    with Kcp("echo", "-l", "127.0.0.1:0", "--crypt", "none", KCP_KEY="secret") as echo:
        flags = ("--crypt", "none", "-q", "0.3")
        code, out, notes = kcp("cat", echo.address, *flags, stdin=b"x", KCP_KEY="secret")
    assert (code, out) == (0, b"x")
    assert "nothing is encrypted" in notes[0]
    assert "secret" not in "".join(notes)


@pytest.mark.parametrize("crypt", ["aes-128", "twofish"])
def test_the_same_key_on_both_sides_is_needed(crypt):
    flags = ("--crypt", crypt)
    with Kcp("echo", "-l", "127.0.0.1:0", *flags, KCP_KEY="secret") as echo:
        same = kcp("cat", echo.address, *flags, "-q", "0.3", stdin=b"x", KCP_KEY="secret")
        other = kcp("cat", echo.address, *flags, "--timeout", "0.5", "--key", "other", stdin=b"x")
    assert same[:2] == (0, b"x")
    assert other[0] != 0 and "--key and --crypt" in "".join(other[2])


def test_deadline_ends_what_does_not_move():
    async def wait():
        with Deadline(0.05, "Too late."):
            await asyncio.sleep(5)

    with pytest.raises(NoAnswer, match="Too late"):
        asyncio.run(wait())


def test_deadline_is_put_off_by_touch_and_by_being_alive():
    async def wait():
        with Deadline(0.2, "") as deadline:
            for _ in range(6):
                await asyncio.sleep(0.05)
                deadline.touch()
        alive = [1]
        asyncio.get_running_loop().call_later(0.3, alive.clear)
        with Deadline(0.05, "", lambda: bool(alive)):
            await asyncio.sleep(0.2)
        with pytest.raises(NoAnswer), Deadline(0.05, "", lambda: bool(alive)):
            await asyncio.sleep(5)
        await asyncio.sleep(0.1)  # no cancellation is left over
        return "done"

    assert asyncio.run(wait()) == "done"


def test_deadline_leaves_other_cancellations_alone():
    async def wait():
        with Deadline(5, ""):
            await asyncio.sleep(5)

    async def main():
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_stdin_that_is_closed_is_an_end(tmp_path):
    with echo_server() as echo:
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m kcp cat {echo.address} -q 0.2 <&-'],
            capture_output=True,
            env=dict(environment(), PATH=os.environ["PATH"]),
            timeout=30,
            check=False,
        )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
