"""The blocking API and kcp-go, both ways, with encryption and FEC over a link that loses."""

import json

import pytest
import udp

N_BYTES = 400_000
LOSS = 0.05
MTU = 1350
KEY = bytes(range(7, 23)).hex()
FEC = {"datashard": 10, "parityshard": 3}
OURS = {"crypt": "aes-128", "key": KEY, "mode": "fast3", "mtu": MTU, **FEC}
THEIRS = {**OURS, "key": "hex:" + KEY}
BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)


def check(ours, theirs, counted, lane):
    """Both ends' counters: nothing was damaged, and FEC has repaired what the link lost."""
    for stats in (ours, theirs):
        assert not any(stats[name] for name in ("InErrs", "InCsumErrors", "KCPInErrors"))
    n_lost = counted[lane]["received"] - ours["InPkts"]
    assert 0 < ours["FECRecovered"] <= n_lost
    assert theirs["FECRecovered"] > 0


def event(said, name):
    events = [json.loads(line) for line in said if line.startswith("{")]
    return next(event for event in events if event.get("event") == name)


@BOTH
def test_our_client(runtime):
    said, counted = [], {}
    with udp.go_server(said, **THEIRS) as port, udp.link(port, MTU, LOSS, counted=counted) as way:
        result = udp.our_client(runtime, way, N_BYTES, 1, program="blocking_client.py", **OURS)
    assert result["ok"] and result["bytes"] == N_BYTES
    check(result["stats"], event(said, "end")["snmp"], counted, "down")


@BOTH
def test_our_server(runtime):
    said, counted = [], {}
    words = ("127.0.0.1", udp.free_port(), udp.TIMEOUT_S, json.dumps(OURS), N_BYTES)
    command = udp.our_command(runtime, "blocking_server.py", *words)
    our = udp.server(command, said=said)
    with our as port, udp.link(port, MTU, LOSS, our_server=True, counted=counted) as way:
        result = udp.go_client(way, N_BYTES, 1, **THEIRS)
    assert result["ok"] and result["bytes"] == N_BYTES
    check(event(said, "echoed")["stats"], result["snmp"], counted, "up")
