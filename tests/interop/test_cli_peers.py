"""The command line with the real kcp-go at the other end."""

import json

import udp
from cli.cli_support import Kcp, kcp

FLAGS = ("--crypt", "aes-128", "--key", "a secret")


def test_bench_echo_of_kcp_go():
    options = {"crypt": "aes-128", "key": "a secret", "datashard": 5, "parityshard": 2}
    with udp.go_server(**options) as port:
        command = ("bench", f"127.0.0.1:{port}", "--echo", "--time", "0.5", "--json")
        code, out, notes = kcp(*command, "--ds", "5", "--ps", "2", "--preset", "lan", *FLAGS)
    assert (code, notes) == (0, [])
    found = json.loads(out)
    assert found["messages"] >= 2
    assert found["counters"]["FECParityShards"] > 0
    assert found["median_ms"] > 0


def test_kcp_go_with_our_echo_server():
    with Kcp("echo", "-l", "127.0.0.1:0", "--once", "--idle", "1", "--stats", *FLAGS) as echo:
        found = udp.go_client(echo.port, 100_000, 1, crypt="aes-128", key="a secret")
        code, _out, notes = echo.finish()
    assert found["bytes"] == 100_000
    assert code == 0
    assert any(line.startswith("BytesReceived ") and "100,000" in line for line in notes)
