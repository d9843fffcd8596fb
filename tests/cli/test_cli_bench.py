"""`kcp bench`, `kcp stat` and --stats. What is measured is never compared with a time.

tests/interop/test_cli_peers.py measures kcp-go.
"""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from cli_support import Kcp, environment, free_port, kcp, one_sentence

import kcp as library
from kcp import stats
from kcp_cli import blocks, counters
from kcp_cli.errors import Failure


def server(*flags):
    return Kcp("bench", "--server", "127.0.0.1:0", "--json", *flags)


def bench(address, *flags):
    """The result of a client."""
    code, out, notes = kcp("bench", address, "--json", "--time", "0.3", *flags)
    assert (code, notes) == (0, [])
    return json.loads(out)


@pytest.mark.parametrize("way", ["up", "down", "both"])
def test_ways(way):
    with server("--max-sessions", "1") as there:
        found = bench(there.address, "--" + way)
        code, got = there.result()
    assert code == 0
    assert (found["ok"], found["way"], got["way"]) == (True, way, way)
    assert {"up", "down"} & set(found) == ({"up", "down"} if way == "both" else {way})
    if way != "down":
        assert found["up"]["bytes"] == got["received"] > 0
        assert found["up"]["mb_per_s"] > 0
    if way != "up":
        assert found["down"]["bytes"] == got["sent"] > 0
        assert found["counters"]["BytesReceived"] > found["down"]["bytes"]


def test_words_for_a_person_and_flags():
    flags = ("--crypt", "aes-128", "--key", "k", "--preset", "lan")
    with server(*flags) as there:
        code, out, notes = kcp("bench", there.address, "-t", "0.3", "--both", *flags)
    assert (code, notes) == (0, [])
    up, down, rtt = out.decode().splitlines()
    assert up.startswith("up ")
    assert down.startswith("down ")
    for line in (up, down):
        assert "MB/s" in line
        assert "Mbit/s" in line
    assert rtt.startswith("RTT ")


def test_clients_at_the_same_time():
    with server("--max-sessions", "2") as there:
        command = ("bench", there.address, "--json", "-t", "0.5")
        with Kcp(*command) as first, Kcp(*command, "--down") as second:
            assert first.result()[1]["up"]["bytes"] > 0
            assert second.result()[1]["down"]["bytes"] > 0
        assert there.finish()[0] == 0


@pytest.mark.parametrize("flags", [(), ("--period", "0", "--size", "2000")])
def test_echo(flags):
    with Kcp("echo", "-l", "127.0.0.1:0") as echo:
        found = bench(echo.address, "--echo", *flags)
    assert found["way"] == "echo"
    assert found["messages"] >= 2
    assert found["counters"]["BytesSent"] == found["messages"] * found["size"]
    times = [found[name] for name in ("min_ms", "median_ms", "p95_ms", "p99_ms", "max_ms")]
    assert times == sorted(times)
    assert times[0] > 0


def test_throughput_to_an_echo_server_says_what_to_do():
    with Kcp("echo", "-l", "127.0.0.1:0") as echo:
        code, _out, notes = kcp("bench", echo.address)
    assert code == 1
    assert one_sentence(notes)
    assert "--echo" in notes[0]


def test_echo_of_something_that_is_none():
    async def main():
        async def serve(reader, writer):
            await reader.read(100)
            writer.write(b"x" * 64)
            await asyncio.sleep(60)

        async with await library.start_server(serve, "127.0.0.1", 0) as there:
            port = there.sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            arguments = ("bench", f"127.0.0.1:{port}", "--echo", "--time", "5")
            return await loop.run_in_executor(None, lambda: kcp(*arguments))

    code, _out, notes = asyncio.run(main())
    assert code == 1
    assert "no echo server" in notes[0]


def test_nobody_there():
    code, _out, notes = kcp("bench", f"127.0.0.1:{free_port()}", "--timeout", "0.5")
    assert code == 3
    assert one_sentence(notes)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [((), "--server"), (("host",), "host:4000"), (("h:1", "--time", "0"), "--time")],
)
def test_usage_errors(arguments, hint):
    code, out, notes = kcp("bench", *arguments)
    assert (code, out) == (2, b"")
    assert hint in notes[0]


def test_strangers_are_turned_away():
    async def speak(port):
        reader, writer = await library.open_connection("127.0.0.1", port, probe_ms=5000)
        writer.write(b'{"kcp": "bench/1", "way": "up", "seconds": 1e9}\n')
        line = await asyncio.wait_for(reader.readline(), 10)
        await writer.aclose()
        return json.loads(line)

    with server() as there:
        assert "does not speak" in asyncio.run(speak(there.port))["error"]
        assert bench(there.address)["ok"] is True


def test_a_block_that_is_too_long_is_refused():
    class Reader:
        async def read(self, n):
            return b"\xff" * n

    with pytest.raises(Failure):
        asyncio.run(blocks.receive_blocks(Reader(), blocks.Count(), lambda: None))


# -- counters ------------------------------------------------------------------------------------


def test_every_counter_is_explained():
    for name, words in counters.explanations().items():
        assert len(words) > 10, name
    assert list(counters.explanations()) == list(stats.NAMES)


def test_stat_lists_them():
    code, out, _notes = kcp("stat")
    assert code == 0
    assert b"LostSegs" in out
    assert b"because the retransmission timer ran out" in out


def test_stats_of_a_transfer_come_at_its_end(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 5000)
    with Kcp("recv", "-l", "127.0.0.1:0", "-o", tmp_path / "got", "--stats") as recv:
        code, out, notes = kcp("send", tmp_path / "file", recv.address, "--stats")
        assert code == 0
        assert b"verified" in out
        received = recv.finish()[2]
    for lines, name in ((notes, "BytesSent"), (received, "BytesReceived")):
        (line,) = [line for line in lines if line.startswith(name + " ")]
        assert int(line.split()[-2].replace(",", "")) > 5000
        assert "application bytes" in line


def test_stats_on_a_terminal_are_drawn_while_it_runs():
    pty = pytest.importorskip("pty")
    with server() as there:
        main_end, terminal = pty.openpty()
        command = [sys.executable, "-m", "kcp", "bench", there.address, "-t", "1.5", "--stats"]
        env = environment(TERM="xterm", COLUMNS="120", LINES="50")
        with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=env) as process:
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
    assert process.returncode == 0
    text = shown.decode()
    assert "bytes unacknowledged" in text  # above the table, while it runs
    assert text.count("datagrams built for the wire") >= 2
    assert "MB/s, " in text


def log_of(path, *rows):
    names = ("InPkts", "OutPkts", "LostSegs")
    lines = [",".join(("Unix", *names))] + [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_stat_reads_what_kcptun_writes(tmp_path):
    log = log_of(tmp_path / "snmp.log", (1000, 5, 6, 0), (1010, 105, 1006, 0), ("broken", "line"))
    code, out, notes = kcp("stat", log)
    assert (code, notes) == (0, [])
    lines = out.decode().splitlines()
    assert "rates over 10 s before" in lines[0]
    assert [line.split()[-2:] for line in lines[2:]] == [["105", "10"], ["1,006", "100"]]
    assert "LostSegs" not in out.decode()  # it is 0


def test_stat_reads_what_the_library_writes(tmp_path):
    log = tmp_path / "kcp.csv"
    one = stats.Stats()
    one.InPkts = 1234
    log.write_text(stats.csv_header() + "\n" + one.csv_row(1000) + "\n")
    code, out, _notes = kcp("stat", log)
    assert code == 0
    assert b"1,234" in out


def test_stat_of_something_else(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\x00hello\n")
    code, _out, notes = kcp("stat", tmp_path / "x")
    assert code == 1
    assert one_sentence(notes)


def test_stat_follows(tmp_path):
    log = log_of(tmp_path / "snmp.log", (1000, 5, 6, 7))
    with Kcp("stat", "--follow", log) as stat:
        first = stat.process.stdout.readline()
        assert first
        with open(log, "a") as file:
            file.write("1001,99,6,7\n")
        line = b""
        while b"99" not in line:
            line = stat.process.stdout.readline()
            assert line
        stat.process.terminate()
