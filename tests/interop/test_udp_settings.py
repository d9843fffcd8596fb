"""What kcp-go and we may be set to, differently at both ends, over real UDP."""

import concurrent.futures
import subprocess

import binaries
import pytest
import udp

N_BYTES = 300_000
BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)

# What is unusual about our end, and about kcp-go's.
SETTINGS = {
    "fast3": ({"mode": "fast3"}, {"mode": "fast3"}),
    "normal": ({"mode": "normal"}, {"mode": "normal"}),
    "congestion-control": (
        {"mode": "manual", "nodelay": 0, "interval": 20, "resend": 0, "nc": 0},
        {"mode": "manual", "nodelay": 0, "interval": 20, "resend": 0, "nc": 0},
    ),
    "acknodelay": ({"acknodelay": True}, {"acknodelay": True}),
    "write-delay": ({"write_delay": True}, {"write_delay": True}),
    "our-windows-small": ({"sndwnd": 4, "rcvwnd": 4, "mode": "fast3"}, {"mode": "fast3"}),
    "its-windows-small": ({"mode": "fast3"}, {"sndwnd": 4, "rcvwnd": 4, "mode": "fast3"}),
    "our-mtu-smaller": ({"mtu": 300}, {"mtu": 1500}),
    "its-mtu-smaller": ({"mtu": 1500}, {"mtu": 300}),
    "message-to-stream": ({"stream": False}, {"stream": True}),
    "stream-to-message": ({"stream": True}, {"stream": False}),
}


@BOTH
@pytest.mark.parametrize("name", SETTINGS)
def test_our_client(runtime, name):
    ours, its = SETTINGS[name]
    with udp.go_server(**its) as port:
        assert udp.our_client(runtime, port, N_BYTES, 1, **ours)["ok"]


@BOTH
@pytest.mark.parametrize("name", SETTINGS)
def test_our_server(runtime, name):
    ours, its = SETTINGS[name]
    with udp.our_server(runtime, **ours) as port:
        assert udp.go_client(port, N_BYTES, 1, **its)["ok"]


@BOTH
def test_our_clock_runs_over_its_end(runtime):
    """kcp-go only ever echoes our ts, so it may count modulo 2**30."""
    with udp.go_server() as port, udp.link(port, 1350, 0.05) as way:
        outcome = udp.our_client(runtime, way, 1_000_000, 1, program="wrapping_client.py")
    assert outcome["ok"] and outcome["stats"]["RetransSegs"] < 200


@BOTH
def test_many_kcp_go_clients_at_once(runtime):
    with udp.our_server(runtime) as port, concurrent.futures.ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(udp.go_client, port, 50_000, seed) for seed in range(16)]
        assert all(job.result()["ok"] for job in jobs)


@BOTH
def test_a_client_without_the_crypt_layer_gets_no_answer(runtime):
    with udp.our_server(runtime, crypt="none") as port:
        command = udp.go_command(
            "echo-client", f"127.0.0.1:{port}", crypt="null", timeout=0.5, bytes=5000
        )
        lost = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert lost.returncode == 1
        assert '"bytes":0' in lost.stdout
        assert udp.go_client(port, N_BYTES, 1, crypt="none")["ok"]


def test_both_our_runtimes_talk_to_each_other():
    for here, there in (udp.RUNTIMES, udp.RUNTIMES[::-1]):
        our = udp.our_server(there, crypt="none")
        with our as port, udp.link(port, 1350, 0.05, our_server=True) as way:
            assert udp.our_client(here, way, N_BYTES, 1, crypt="none")["ok"]


def test_the_go_peer_is_the_one_that_go_mod_names():
    done = subprocess.run(
        [binaries.needed("KCP_GO"), "version", "-m", binaries.kcppeer()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "github.com/xtaci/kcp-go/v5\tv5.6.72" in done.stdout
