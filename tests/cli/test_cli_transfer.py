"""`kcp send` and `kcp recv` as two processes over real UDP sockets."""

import asyncio
import hashlib
import json
import os
import random
import signal
import socket
import time

import pytest
from cli_support import Kcp, kcp, one_sentence, relay

import kcp as library


def some_bytes(n, seed=1):
    return random.Random(seed).randbytes(n)


@pytest.fixture
def sent(tmp_path):
    """A file of 300 kB, in a folder of its own."""
    folder = tmp_path / "from"
    folder.mkdir()
    path = folder / "data.bin"
    path.write_bytes(some_bytes(300_000))
    return path


@pytest.fixture
def folder(tmp_path):
    """Where the receiver stores."""
    folder = tmp_path / "to"
    folder.mkdir()
    return folder


def receiver(folder, *more):
    return Kcp("recv", "--listen", "127.0.0.1:0", "--output", folder, "--json", *more)


@pytest.mark.parametrize("flags", [(), ("--crypt", "none", "--mode", "fast3", "--mtu", "512")])
def test_round_trip(sent, folder, flags):
    digest = hashlib.sha256(sent.read_bytes()).hexdigest()
    with receiver(folder, *flags) as recv:
        code, out, notes = kcp("send", sent, recv.address, "--json", *flags)
        assert (code, notes) == (0, [])
        code, got = recv.result()
    assert code == 0
    assert (folder / "data.bin").read_bytes() == sent.read_bytes()
    assert os.listdir(folder) == ["data.bin"]
    given = json.loads(out)
    for result in (given, got):
        assert result["ok"] is True
        assert (result["bytes"], result["sha256"], result["name"]) == (300_000, digest, "data.bin")
        assert result["seconds"] > 0
        assert result["mb_per_s"] > 0
    assert (given["verb"], got["verb"]) == ("send", "recv")
    assert given["counters"]["OutPkts"] > 300_000 // 1400
    assert given["counters"]["BytesSent"] > 300_000
    assert isinstance(given["rtt_ms"], int)
    assert given["retransmitted"] == given["counters"].get("RetransSegs", 0)


@pytest.mark.parametrize("size", [0, 1, 65536])
def test_sizes(tmp_path, folder, size):
    path = tmp_path / "file"
    path.write_bytes(some_bytes(size))
    with receiver(folder) as recv:
        assert kcp("send", path, recv.address)[0] == 0
        assert recv.finish()[0] == 0
    assert (folder / "file").read_bytes() == path.read_bytes()


def test_over_a_relay_that_loses_and_delays(sent, folder):
    with receiver(folder) as recv:
        link = {"loss": 0.1, "delay_ms": 10, "jitter_ms": 5, "seed": 3}
        with relay.Relay(("127.0.0.1", recv.port), **link) as r:
            code, out, _notes = kcp("send", sent, f"127.0.0.1:{r.port}", "--json")
            assert (code, recv.finish()[0]) == (0, 0)
        assert r.counters()["up"]["lost"] > 0
    assert (folder / "data.bin").read_bytes() == sent.read_bytes()
    given = json.loads(out)
    assert given["retransmitted"] > 0
    assert given["rtt_ms"] >= 20


def test_encrypted_with_fec_over_a_link_that_loses(sent, folder):
    flags = ("--crypt", "aes-128", "--key", "a secret", "--datashard", "10", "--parityshard", "3")
    with receiver(folder, *flags) as recv, relay.Relay(("127.0.0.1", recv.port), loss=0.1) as r:
        to = f"127.0.0.1:{r.port}"
        short = ("--crypt", "aes-128", "--key", "a secret", "--ds", "5", "--ps", "2")
        code, out, _notes = kcp("send", sent, to, "--json", *short)
        assert code == 0
        code, got = recv.result()
    assert code == 0
    assert (folder / "data.bin").read_bytes() == sent.read_bytes()
    assert got["counters"]["FECParityShards"] > 0
    assert json.loads(out)["counters"].get("InCsumErrors", 0) == 0


def test_output_for_a_person(sent, folder):
    with Kcp("recv", "-l", "127.0.0.1:0", "-o", folder) as recv:
        code, out, notes = kcp("send", sent, recv.address)
        got = recv.finish()
    assert (code, notes) == (0, [])
    digest = hashlib.sha256(sent.read_bytes()).hexdigest().encode()
    for text in (out, got[1]):
        assert b"300,000 bytes" in text
        assert digest + b" verified" in text
        assert b"\x1b" not in text


def test_quiet(sent, folder):
    with receiver(folder) as recv:
        assert kcp("send", sent, recv.address, "--quiet") == (0, b"", [])


def test_ipv6(sent, folder):
    with Kcp("recv", "-l", "[::1]:0", "-o", folder) as recv:
        assert kcp("send", sent, f"[::1]:{recv.port}")[0] == 0
        assert recv.finish()[0] == 0


def test_every_interface_by_default(sent, folder):
    with Kcp("recv", "-l", ":0", "-o", folder, "--json") as recv:
        assert kcp("send", sent, recv.address)[0] == 0
        assert recv.result()[1]["peer"].startswith("127.0.0.1:")


def test_name_and_output_file(sent, folder):
    with receiver(folder, "--max-sessions", "2") as recv:
        assert kcp("send", sent, recv.address, "--name", "other")[0] == 0
        assert kcp("send", sent, recv.address)[0] == 0
        code, out, _notes = recv.finish()
    assert code == 0
    assert sorted(os.listdir(folder)) == ["data.bin", "other"]
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["other", "data.bin"]
    with receiver(folder / "named") as recv:
        assert kcp("send", sent, recv.address, "--name", "../evil")[0] == 0
    assert (folder / "named").read_bytes() == sent.read_bytes()


def test_several_at_once(tmp_path, folder):
    with receiver(folder, "--max-sessions", "3") as recv:
        senders = []
        for i in range(3):
            (tmp_path / f"{i}").write_bytes(some_bytes(200_000, i))
            senders.append(Kcp("send", tmp_path / f"{i}", recv.address))
        for sender in senders:
            with sender:
                assert sender.finish()[0] == 0
        assert recv.finish()[0] == 0
    for i in range(3):
        assert (folder / f"{i}").read_bytes() == some_bytes(200_000, i)


def test_existing_file_is_not_overwritten(sent, folder):
    (folder / "data.bin").write_bytes(b"precious")
    with receiver(folder) as recv:
        code, out, notes = kcp("send", sent, recv.address)
        assert (code, out) == (1, b"")
        assert one_sentence(notes)
        assert "data.bin exists already" in notes[0]
        code, got = recv.result()
    assert code == 1
    assert got["ok"] is False
    assert "exists already" in got["error"]
    assert os.listdir(folder) == ["data.bin"]
    assert (folder / "data.bin").read_bytes() == b"precious"


def test_existing_file_is_replaced_with_force(sent, folder):
    (folder / "data.bin").write_bytes(b"old")
    with receiver(folder, "--force") as recv:
        assert kcp("send", sent, recv.address)[0] == 0
        assert recv.finish()[0] == 0
    assert (folder / "data.bin").read_bytes() == sent.read_bytes()


def test_names_that_leave_the_folder_are_refused(sent, folder):
    names = ("../data.bin", "/tmp/data.bin", ".hidden", "a\\b")
    with receiver(folder, "--max-sessions", len(names)) as recv:
        for name in names:
            code, _out, notes = kcp("send", sent, recv.address, "--name", name)
            assert code == 1
            assert one_sentence(notes)
            assert "plain file name" in notes[0]
        assert recv.finish()[0] == 1
    assert os.listdir(folder) == []
    assert sorted(os.listdir(folder.parent)) == ["from", "to"]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_dead_port_is_no_answer(sent):
    code, out, notes = kcp("send", sent, f"127.0.0.1:{free_port()}", "--timeout", "1", "--json")
    assert code == 3
    assert one_sentence(notes)
    assert "Nothing answered" in notes[0]
    assert "--key and --crypt" in notes[0]
    assert json.loads(out)["ok"] is False


def test_silent_host_is_no_answer_in_time(sent):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        code, _out, notes = kcp("send", sent, f"127.0.0.1:{port}", "--timeout", "0.5")
    assert code == 3
    assert one_sentence(notes)


def test_other_crypt_is_no_answer(sent, folder):
    with receiver(folder, "--crypt", "none") as recv:
        code, _out, _notes = kcp("send", sent, recv.address, "--crypt", "null", "--timeout", "1")
    assert code == 3


def test_unknown_host(sent):
    code, _out, notes = kcp("send", sent, "no-such-host.invalid:1")
    assert code == 1
    assert one_sentence(notes)
    assert "host" in notes[0]


def test_port_in_use(folder):
    with receiver(folder) as recv:
        code, _out, notes = kcp("recv", "-l", recv.address, "-o", folder)
    assert code == 1
    assert one_sentence(notes)
    assert "in use" in notes[0]


def test_an_echo_server_is_no_receiver(sent):
    with Kcp("echo", "-l", "127.0.0.1:0") as echo:
        code, _out, notes = kcp("send", sent, echo.address)
    assert code == 1
    assert one_sentence(notes)
    assert "echo server" in notes[0]


def wait_for_the_middle(folder, send):
    """Until a part of the file is stored."""
    while not any((folder / name).stat().st_size > 100_000 for name in os.listdir(folder)):
        assert send.process.poll() is None
        time.sleep(0.01)


def test_receiver_that_dies_in_the_middle(sent, folder):
    sent.write_bytes(some_bytes(20_000_000))
    with receiver(folder) as recv, Kcp("send", sent, recv.address, "--timeout", "1") as send:
        wait_for_the_middle(folder, send)
        recv.process.kill()
        code, _out, notes = send.finish()
    assert code == 3
    assert one_sentence(notes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_receiver_and_leave_nothing_behind(sent, folder, number):
    sent.write_bytes(some_bytes(50_000_000))
    recv = receiver(folder, "--no-resume")
    with recv, Kcp("send", sent, recv.address, "--timeout", "30") as send:
        wait_for_the_middle(folder, send)
        recv.process.send_signal(number)
        code, result = recv.result()
        assert code == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        assert result["ok"] is False
        assert os.listdir(folder) == []
        send.process.send_signal(number)
        assert send.finish()[0] == code


def test_waiting_receiver_is_interrupted(folder):
    with receiver(folder) as recv:
        assert recv.port
        recv.process.send_signal(signal.SIGINT)
        code, out, notes = recv.finish()
    assert code == 130
    assert len(out.splitlines()) == 1
    assert "Traceback" not in "".join(notes)


async def speak(port, *steps):
    """A peer that does not keep to the protocol: writes bytes, or awaits a line (None)."""
    reader, writer = await library.open_connection("127.0.0.1", port, probe_ms=5000)
    lines = []
    for step in steps:
        if step is None:
            lines.append(json.loads(await asyncio.wait_for(reader.readline(), 10)))
        else:
            writer.write(step)
            await writer.drain()
    writer.close()
    await writer.wait_closed()
    return lines


def header(**fields):
    return json.dumps({"kcp": "file/1", "name": "a", "size": 3, **fields}).encode() + b"\n"


def test_wrong_hash_is_refused(folder):
    trailer = json.dumps({"sha256": "0" * 64}).encode() + b"\n"
    with receiver(folder) as recv:
        lines = asyncio.run(speak(recv.port, header(), None, b"abc" + trailer, None))
        code, result = recv.result()
    assert lines[0] == {"go": True}
    assert "SHA-256 differs" in lines[1]["error"]
    assert code == 1
    assert result["ok"] is False
    assert os.listdir(folder) == []


GARBAGE = (b"hello\n", b"x" * 10000, b"[1]\n", b"{}\n{}\n", b"\xff\n", b"[" * 4000 + b"\n")


def test_strangers_are_turned_away_and_the_receiver_goes_on(sent, folder):
    async def strangers(port):
        return await asyncio.gather(*(speak(port, garbage, None) for garbage in GARBAGE))

    with receiver(folder) as recv:
        for lines in asyncio.run(strangers(recv.port)):
            assert "does not speak this protocol" in lines[0]["error"]
        assert kcp("send", sent, recv.address)[0] == 0
        assert recv.finish()[0] == 0


def test_silent_sender_is_given_up(folder):
    with receiver(folder, "--timeout", "0.5") as recv:
        lines = asyncio.run(speak(recv.port, header(size=10), None, b"abc", None))
        assert "silent" in lines[1]["error"]
        assert recv.finish()[0] == 3
    assert os.listdir(folder) == []


def test_file_larger_than_the_disk_is_refused(folder):
    with receiver(folder) as recv:
        lines = asyncio.run(speak(recv.port, header(size=1 << 52), None))
        assert "free" in lines[0]["error"]
        assert recv.finish()[0] == 1


def test_file_that_appears_meanwhile_is_not_overwritten(folder):
    digest = hashlib.sha256(b"abc").hexdigest()
    trailer = json.dumps({"sha256": digest}).encode() + b"\n"

    async def race(port):
        reader, writer = await library.open_connection("127.0.0.1", port)
        writer.write(header())
        await reader.readline()
        (folder / "a").write_bytes(b"precious")
        writer.write(b"abc" + trailer)
        answer = json.loads(await asyncio.wait_for(reader.readline(), 10))
        writer.close()
        await writer.wait_closed()
        return answer

    with receiver(folder) as recv:
        assert "exists already" in asyncio.run(race(recv.port))["error"]
        assert recv.finish()[0] == 1
    assert (folder / "a").read_bytes() == b"precious"
    assert os.listdir(folder) == ["a"]


def test_progress_only_on_a_terminal(sent, folder):
    """On a terminal a bar is drawn on stderr; into a pipe not a byte of it (see the others)."""
    pty = pytest.importorskip("pty")
    import subprocess
    import sys

    from cli_support import environment

    with receiver(folder) as recv:
        main_end, terminal = pty.openpty()
        command = [sys.executable, "-m", "kcp", "send", str(sent), recv.address]
        env = environment(TERM="xterm", COLUMNS="80")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal, env=env) as p:
            os.close(terminal)
            shown = b""
            while True:
                try:
                    data = os.read(main_end, 1000)
                except OSError:  # the other end is closed
                    break
                if not data:
                    break
                shown += data
        os.close(main_end)
    assert p.returncode == 0
    assert b"data.bin" in shown
    assert b"\x1b[" in shown
