"""Transfers that are cut off and go on: which bytes are sent again, and what is never accepted."""

import asyncio
import hashlib
import json
import os
import random
import signal
import time

import pytest
from cli_support import LIMIT_S, Kcp, kcp

import kcp as library
from kcp_cli.incoming import Incoming

SIZE = 3_000_000
SLOW = ("--ratelimit", "1000000")  # so that there is a middle to be cut off in
LEAST = 200_000


@pytest.fixture
def sent(tmp_path):
    """A file, in a folder of its own."""
    folder = tmp_path / "from"
    folder.mkdir()
    path = folder / "data.bin"
    path.write_bytes(random.Random(7).randbytes(SIZE))
    return path


@pytest.fixture
def folder(tmp_path):
    """Where the receiver stores."""
    folder = tmp_path / "to"
    folder.mkdir()
    return folder


def receiver(folder, *more):
    return Kcp("recv", "--listen", "127.0.0.1:0", "--output", folder, "--json", *more)


def parts(folder):
    return [path for path in folder.iterdir() if path.suffix == ".part"]


def wait_for_the_middle(folder):
    """Until a good part of the file is stored; its path."""
    end_s = time.monotonic() + LIMIT_S
    while not any(path.stat().st_size > LEAST for path in parts(folder)):
        assert time.monotonic() < end_s, os.listdir(folder)
        time.sleep(0.01)
    return parts(folder)[0]


def cut_off(sent, folder, number=signal.SIGKILL):
    """A receiver that ends in the middle of a transfer; the size of what it leaves."""
    with receiver(folder) as recv, Kcp("send", sent, recv.address, *SLOW) as send:
        wait_for_the_middle(folder)
        recv.process.send_signal(number)
        recv.process.wait()
        send.process.kill()
        if number != signal.SIGKILL:
            recv.wait_for(r"bytes are kept")
    (part,) = parts(folder)
    return part.stat().st_size


def go_on(sent, folder, *flags):
    """Send again to a new receiver: the two results."""
    with receiver(folder) as recv:
        code, out, _notes = kcp("send", sent, recv.address, "--json", *flags)
        assert code == 0
        code, got = recv.result()
    assert code == 0
    assert os.listdir(folder) == [sent.name]
    assert (folder / sent.name).read_bytes() == sent.read_bytes()
    return json.loads(out), got


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_receiver_that_was_restarted_goes_on(sent, folder, number):
    n_kept = cut_off(sent, folder, number)
    assert LEAST < n_kept < SIZE
    given, got = go_on(sent, folder)
    digest = hashlib.sha256(sent.read_bytes()).hexdigest()
    for result in (given, got):
        assert result["resumed_at"] == n_kept
        assert (result["bytes"], result["sha256"]) == (SIZE, digest)
    assert SIZE - n_kept < given["counters"]["BytesSent"] < SIZE - n_kept + 1000


def test_a_sender_that_was_restarted_goes_on(sent, folder):
    with receiver(folder, "--max-sessions", "2", "--timeout", "1") as recv:
        with Kcp("send", sent, recv.address, *SLOW) as send:
            wait_for_the_middle(folder)
            send.process.kill()
        recv.wait_for("bytes are kept")
        code, out, _notes = kcp("send", sent, recv.address)
        assert code == 0
        assert b" on in " in out  # "3,000,000 bytes from byte 412,345 on in 0.12 s"
        recv.finish()
    assert (folder / "data.bin").read_bytes() == sent.read_bytes()


def test_all_was_there_but_the_last_line(sent, folder):
    cut_off(sent, folder)
    parts(folder)[0].write_bytes(sent.read_bytes())
    given, _got = go_on(sent, folder)
    assert given["resumed_at"] == SIZE
    assert given["counters"]["BytesSent"] < 1000


@pytest.mark.parametrize("place", [0, LEAST // 2])
def test_a_file_that_has_changed_meanwhile_is_sent_from_the_beginning(sent, folder, place):
    cut_off(sent, folder)
    data = bytearray(sent.read_bytes())
    data[place] ^= 1
    sent.write_bytes(data)
    given, got = go_on(sent, folder)
    assert given["resumed_at"] == got["resumed_at"] == 0


def test_a_part_with_a_flipped_bit_is_not_gone_on_with(sent, folder):
    cut_off(sent, folder)
    (part,) = parts(folder)
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(data)
    given, _got = go_on(sent, folder)
    assert given["resumed_at"] == 0


def test_a_file_that_changes_while_it_is_sent_is_refused(sent, folder):
    with receiver(folder) as recv, Kcp("send", sent, recv.address, *SLOW) as send:
        wait_for_the_middle(folder)
        with open(sent, "r+b") as file:
            file.seek(SIZE - 1)
            file.write(b"x")
        code, _out, notes = send.finish()
        assert code == 1
        assert "changed while it was sent" in notes[-1]
        code, result = recv.result()
    assert code == 1
    assert "changed while it was sent" in result["error"]
    assert os.listdir(folder) == []


def test_two_senders_of_the_same_file_at_once(sent, folder):
    flags = ("--max-sessions", "2", "--force")
    with receiver(folder, *flags) as recv, Kcp("send", sent, recv.address, *SLOW) as first:
        wait_for_the_middle(folder)
        assert kcp("send", sent, recv.address)[0] == 0
        assert first.finish()[0] == 0
        assert recv.finish()[0] == 0
    assert os.listdir(folder) == ["data.bin"]
    assert (folder / "data.bin").read_bytes() == sent.read_bytes()


def test_a_link_with_the_name_of_a_part_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    path = str(tmp_path / "a")
    with Incoming(path, 100, keep=True) as incoming:
        incoming.file.write(b"1")
    (part,) = parts(tmp_path)
    part.unlink()
    part.symlink_to(precious)
    with Incoming(path, 100, keep=True) as incoming:
        assert incoming.part_bytes == 0
        incoming.file.write(b"2")
    part.unlink()
    os.link(precious, part)
    with Incoming(path, 100, keep=True) as incoming:
        incoming.file.write(b"3")
    assert precious.read_bytes() == b"precious"


async def speak(port, *steps):
    """A sender by hand: writes bytes, or awaits a line (None); returns the lines."""
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


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


def header(**fields):
    return line(kcp="file/1", name="a", size=6, **fields)


def leave_a_part(folder):
    with Incoming(str(folder / "a"), 6, keep=True) as incoming:
        incoming.file.write(b"abc")


def test_the_lines_of_a_resumed_transfer(folder):
    leave_a_part(folder)
    trailer = line(sha256=hashlib.sha256(b"abcdef").hexdigest())
    steps = (header(resume=True), None, line(**{"from": 3}), None, b"def" + trailer, None)
    with receiver(folder) as recv:
        lines = asyncio.run(speak(recv.port, *steps))
        assert recv.finish()[0] == 0
    assert lines[0] == {"part": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    assert lines[1:] == [
        {"go": True},
        {"ok": True, "bytes": 6, "sha256": json.loads(trailer)["sha256"]},
    ]
    assert (folder / "a").read_bytes() == b"abcdef"


def test_a_sender_that_knows_of_no_parts_gets_none(folder):
    """As `file/1` was before: examples/upload.py, for one."""
    leave_a_part(folder)
    trailer = line(sha256=hashlib.sha256(b"ABCDEF").hexdigest())
    with receiver(folder) as recv:
        lines = asyncio.run(speak(recv.port, header(), None, b"ABCDEF" + trailer, None))
        assert recv.finish()[0] == 0
    assert lines[0] == {"go": True}
    assert (folder / "a").read_bytes() == b"ABCDEF"


@pytest.mark.parametrize("place", [1, -1, 6, True, "3", None])
def test_a_sender_that_goes_on_elsewhere_is_turned_away(folder, place):
    leave_a_part(folder)
    with receiver(folder) as recv:
        steps = (header(resume=True), None, line(**{"from": place}), None)
        lines = asyncio.run(speak(recv.port, *steps))
        assert recv.finish()[0] == 1
    assert "does not speak this protocol" in lines[1]["error"]


def test_a_wrong_hash_spoils_the_part(folder):
    leave_a_part(folder)
    trailer = line(sha256="0" * 64)
    steps = (header(resume=True), None, line(**{"from": 3}), None, b"def" + trailer, None)
    with receiver(folder) as recv:
        lines = asyncio.run(speak(recv.port, *steps))
        assert recv.finish()[0] == 1
    assert "SHA-256 differs" in lines[-1]["error"]
    assert os.listdir(folder) == []
