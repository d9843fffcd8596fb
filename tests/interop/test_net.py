"""Real programs over a modelled link (tools/netlab): they arrive, whole, whatever the link does.

Nothing here is about time: figures come from tools/net_report.py.
"""

import ctypes
import json
import os
import sys

import binaries
import netlab_support as net
import pytest
import udp

N_BYTES = 200_000
OPTIONS = {"mode": "fast3", "mtu": 1400, "sndwnd": 64, "rcvwnd": 64}
MODES = ("tun", "udp")
PROBE = os.path.join(binaries.HERE, "programs", "nat_probe.py")
TCP = os.path.join(net.NETLAB, "programs", "tcp_end.py")
_PR_CAPBSET_DROP, _CAP_SYS_ADMIN = 24, 21


@pytest.fixture(params=MODES)
def mode(request):
    """Both kinds of relay; TUN as far as the system lets this user."""
    if request.param == "tun":
        net.need_namespaces()
    return request.param


@pytest.fixture
def port(mode):
    """At which the far program listens: any, in a namespace of its own."""
    return net.PORT if mode == "tun" else udp.free_port()


def check(counters, mode, flow):
    """The link has done what ROUGH says, both ways, and it was this flow's packets."""
    assert counters["mode"] == mode
    for lane in (counters["up"], counters["down"]):
        link = lane["link"]
        assert link["lost"] and link["duplicated"] and link["delivered"] > 100, link
        assert lane["flows"][flow]["sent"] > 100
    n = counters["up"]["link"]
    assert n["delivered"] <= n["sent"] + n["duplicated"] - n["lost"] - n["queue_drops"]


def test_kcp_gos_client_with_our_server(mode, port, tmp_path):
    near = udp.go_command("echo-client", "{far}:{port}", bytes=N_BYTES, crypt="none", **OPTIONS)
    far = net.our_server("cpython", port, crypt="none", **OPTIONS)
    report, counters = net.transfer(far, near, mode=mode, port=port, tmp_path=tmp_path)
    assert report["bytes"] == N_BYTES and report["snmp"]["RetransSegs"]
    check(counters, mode, f"udp:{port}")


@pytest.mark.parametrize("runtime", udp.RUNTIMES)
def test_our_client_with_kcp_gos_server(runtime, mode, port, tmp_path):
    far = udp.go_command("serve", listen=f"{{far}}:{port}", crypt="none", **OPTIONS)
    near = net.our_client(runtime, N_BYTES, crypt="none", **OPTIONS)
    report, counters = net.transfer(far, near, mode=mode, port=port, tmp_path=tmp_path)
    assert report["bytes"] == N_BYTES and report["stats"]["RetransSegs"]
    check(counters, mode, f"udp:{port}")


def test_damage_reaches_the_program(mode, port, tmp_path):
    # the kernel drops what has a wrong checksum; KCP's own is to be tested
    link = "delay_ms=4,corrupt_pct=10"
    far = udp.go_command("serve", listen=f"{{far}}:{port}", crypt="none", **OPTIONS)
    near = net.our_client("cpython", N_BYTES, crypt="none", **OPTIONS)
    report, counters = net.transfer(far, near, link=link, mode=mode, port=port, tmp_path=tmp_path)
    assert counters["down"]["link"]["corrupted"]
    assert report["stats"]["InCsumErrors"] > 0


def test_tcp_goes_over_the_same_link(tmp_path):
    net.need_namespaces()
    far = [sys.executable, TCP, "sink", "{far}", net.PORT, N_BYTES, '{"cc": "reno"}']
    near = [sys.executable, TCP, "send", "{far}", net.PORT, N_BYTES, '{"cc": "cubic"}']
    link = "rate_kbps=20000,queue=25,delay_ms=4,loss_pct=3"
    _, counters = net.transfer(far, near, link=link, tmp_path=tmp_path)
    assert counters["up"]["link"]["lost"]
    assert counters["up"]["flows"]["tcp:4000"]["arrived_bytes"] > N_BYTES


def test_a_nat_that_forgets(mode, port, tmp_path):
    far = [sys.executable, PROBE, "serve", "{far}", port]
    near = [sys.executable, PROBE, "ask", "{far}", "{port}", 4]
    more = ["--rebind", "0.3,0.6", "--rebind-address", "0.9"]
    link = "delay_ms=2,jitter_ms=2"
    _, lines, counters, _ = net.run(
        far, near, link=link, mode=mode, port=port, more=more, tmp_path=tmp_path
    )
    (asked,) = [line for line in lines if line["event"] == "asked"]
    hosts = [address.rpartition(":")[0] for address in asked["addresses"]]
    # answers kept coming, and the server saw one client from four places
    assert len(set(asked["addresses"])) == 4 and counters["rebinds"] == 3
    assert len(set(hosts[:3])) == 1 and hosts[3] != hosts[0]
    if mode == "tun":
        assert asked["addresses"][0] == asked["own"]


def test_kcp_go_loses_a_client_whose_nat_forgets(tmp_path):
    net.need_namespaces()
    options = dict(OPTIONS, bytes=5_000_000, timeout=3)
    near = udp.go_command("echo-client", "{far}:{port}", **options)
    far = udp.go_command("serve", listen="{far}:4000", **OPTIONS)
    code, _, counters, _ = net.run(far, near, more=["--rebind", "1"], tmp_path=tmp_path)
    assert code == 1 and counters["rebinds"] == 1


ROAMING = dict(OPTIONS, crypt="aes-128-gcm")
KEY = "measured"


@pytest.mark.parametrize("who", ["kcp-go", "cpython"])
def test_a_roaming_session_outlives_a_nat_that_forgets(who, mode, port, tmp_path):
    n_bytes = 3_000_000  # 1.2 s at 20 Mbit/s: it is not done when the NAT forgets
    far = net.our_server("cpython", port, passphrase=KEY, roaming=True, **ROAMING)
    if who == "kcp-go":
        near = udp.go_command("echo-client", "{far}:{port}", bytes=n_bytes, key=KEY, **ROAMING)
    else:
        near = net.our_client("cpython", n_bytes, passphrase=KEY, **ROAMING)
    more = ["--rebind", "0.5", "--rebind-address", "0.9"]
    link = "rate_kbps=20000,queue=100,delay_ms=4"
    _, counters = net.transfer(
        far, near, link=link, mode=mode, port=port, more=more, tmp_path=tmp_path
    )
    assert counters["rebinds"] == 2


def test_the_report_measures_and_prints(tmp_path):
    path = tmp_path / "net.json"
    command = [sys.executable, os.path.join(net.TOOLS, "net_report.py"), "--repeat", "1"]
    command += ["--only", "T04", "--end", "kcp-go", "--end", "ours", "--output", str(path)]
    done = net.subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(path.read_text())["results"]
    assert [one["ends"] for one in results] == [["kcp-go"], ["ours"]]
    for one in results:
        assert one["ok"] and one["echoed"] == 1, one
        assert one["mean_ms"] >= 1500  # twice 750 ms: nothing comes before its time
    assert "| kcp-go | 1 |" in done.stdout and "**T04**" in done.stdout


def test_root_in_a_user_namespace_will_do(tmp_path):
    net.need_namespaces()
    libc = ctypes.CDLL(None)

    def lose_root():
        libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_ADMIN, 0, 0, 0)

    far = [sys.executable, PROBE, "serve", "{far}", net.PORT]
    near = [sys.executable, PROBE, "ask", "{far}", net.PORT, 1]
    code, _, counters, notes = net.run(far, near, tmp_path=tmp_path, preexec_fn=lose_root)
    assert code == 0, notes
    if counters["mode"] == "udp":  # the system has user namespaces for nobody: then it says so
        assert "UDP alone" in notes


def test_the_exit_code_is_that_of_the_near_program(mode, port, tmp_path):
    far = [sys.executable, PROBE, "serve", "{far}", port]
    code, _, _, _ = net.run(far, ["sh", "-c", "exit 7"], mode=mode, port=port, tmp_path=tmp_path)
    assert code == 7


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--link", "quick"], "no link 'quick'"),
        (["--link", "quic,los_pct=1"], "no link parameter 'los_pct'"),
        (["--link", "ge=1-2"], "P/R/LOSS_BAD/LOSS_GOOD"),
        (["--rebind", "1s"], "give seconds"),
        (["--mode", "udp"], "port of the far program"),
        (["--far", "exit 3"], "has ended (exit code 3)"),
    ],
)
def test_misuse_is_told_in_a_sentence(arguments, words):
    command = [sys.executable, net.NETLAB, *arguments, "--", "true"]
    done = net.subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr
