"""Options that change in mid-life, sockets of the caller's, conversations: against kcp-go."""

import json
import socket
import subprocess
import time

import binaries
import pytest
import udp

BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)
IP_RECVTOS = getattr(socket, "IP_RECVTOS", 13)  # Python 3.9 has no name for it
FRAMES = {
    "plain": {},
    "crc-fec": {"crypt": "none", "datashard": 4, "parityshard": 2},
}
FRAME = pytest.mark.parametrize("frame", FRAMES)


def our_scenario(runtime, port, scenario, host="127.0.0.1", **options):
    """Run one scenario of programs/options_client.py; what it printed."""
    words = (host, port, scenario, json.dumps(options))
    return udp.client(udp.our_command(runtime, "options_client.py", *words))


def events(lines, name):
    """The JSON lines of a kind that a server has printed."""
    return [json.loads(line) for line in lines if '"%s"' % name in line]


@BOTH
@FRAME
def test_settings_change_in_mid_transfer(runtime, frame):
    with udp.go_server(**FRAMES[frame]) as port, udp.Gauge(("127.0.0.1", port)) as way:
        assert our_scenario(runtime, way.port, "changes", **FRAMES[frame])["ok"]
        assert way.largest[way.up] == 1500


@BOTH
def test_a_rate_limit(runtime):
    with udp.go_server(**FRAMES["crc-fec"]) as port:
        found = our_scenario(runtime, port, "rate", **FRAMES["crc-fec"])
    # never above the burst of 64 datagrams and 200 kB/s, whatever the machine does meanwhile
    assert found["ok"] and found["out_bytes"] > 200_000
    assert found["out_bytes"] <= 96_000 + 200 * (found["took_ms"] + 20) + 1500, found


@BOTH
@FRAME
def test_copies_of_every_datagram(runtime, frame):
    said = []
    with udp.go_server(said=said, **FRAMES[frame]) as port:
        found = our_scenario(runtime, port, "dup", **FRAMES[frame])
    assert found["ok"]
    n_data = 200_000 // 1350
    its = events(said, "end")[0]["snmp"]
    assert its["RepeatSegs"] >= 2 * n_data and found["stats"]["RepeatSegs"] < n_data


@BOTH
def test_conversations_on_a_socket_of_the_callers(runtime):
    """kcp-go's listener sees the conversation change on an address that it knows."""
    said = []
    with udp.go_server(said=said, idle=1) as port:
        assert our_scenario(runtime, port, "own_socket")["ok"]
        # (its sessions are reported when they have been idle)
        time.sleep(1.5)
    sessions = events(said, "session")
    assert {one["conv"] for one in sessions} == {1, 0x80000000, 0xFFFFFFFF}
    assert len({one["peer"] for one in sessions}) == 1


@BOTH
def test_deadlines_and_a_vectored_write(runtime):
    with udp.go_server() as port:
        assert our_scenario(runtime, port, "deadlines")["ok"]


@BOTH
@FRAME
def test_kcp_go_changes_its_options_and_its_conversation(runtime, frame):
    """Our server: accept(), a socket that it owns, and kcp-go's NewConn3, SetMtu, SetDUP."""
    said = []
    words = ("127.0.0.1", udp.free_port(), 20, json.dumps(FRAMES[frame]))
    command = udp.our_command(runtime, "accept_server.py", *words)
    with udp.server(command, said=said) as port:
        go = udp.go_command(
            "vary-client",
            f"127.0.0.1:{port}",
            sessions=3,
            dup=1,
            rate_limit=2_000_000,
            mtus="1400,600,1500,200,1000",
            timeout=udp.TIMEOUT_S,
            **FRAMES[frame],
        )
        found = udp.client(go)
    assert found["ok"], found
    convs = [one["conv"] for one in events(said, "accepted")]
    assert convs == [0x55555555, 0xAAAAAAAA, 0xFFFFFFFF]


@BOTH
def test_the_servers_socket_outlives_it(runtime):
    words = ("127.0.0.1", udp.free_port(), 0.7, "{}")
    done = subprocess.run(
        udp.our_command(runtime, "accept_server.py", *words),
        capture_output=True,
        text=True,
        env=binaries.environment(),
        timeout=30,
        check=True,
    )
    assert events(done.stdout.splitlines(), "end") == [{"event": "end", "socket": True}]


@BOTH
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_dscp_is_on_the_wire(runtime, host):
    """What a receiver's system says of the datagrams: the TOS or traffic class in full."""
    is_6 = ":" in host
    level = socket.IPPROTO_IPV6 if is_6 else socket.IPPROTO_IP
    with socket.socket(socket.AF_INET6 if is_6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.setsockopt(level, socket.IPV6_RECVTCLASS if is_6 else IP_RECVTOS, 1)
        sock.settimeout(20)
        port = sock.getsockname()[1]
        assert our_scenario(runtime, port, "mark", host=host, dscp=46)["ok"]
        seen = []
        while len(seen) < 2:
            data, ancillary, _, _ = sock.recvmsg(2000, 100)
            tos = int.from_bytes(ancillary[0][2], "little")
            if data[24:] in (b"first", b"second"):
                seen.append((data[24:], tos))
    assert dict(seen) == {b"first": 46 << 2, b"second": 10 << 2}
