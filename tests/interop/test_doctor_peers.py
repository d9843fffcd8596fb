"""`kcp doctor` against the real kcp-go, with one thing wrong after the other.

The same with our own server, and the words: tests/cli/test_cli_doctor.py.
"""

import pytest
import udp
from cli.cli_support import NarrowRelay, doctor, relay

KEY = "a secret"


def test_a_peer_that_is_well():
    with udp.go_server() as port:
        code, found = doctor(port)
    assert (code, found["outcome"], found["crypt"]) == (0, "answers", "null")
    assert found["answered"] == found["probes"]
    assert found["largest_bytes"] == 1500
    assert found["sends_fec"] is False
    assert found["rtt_ms"] <= found["rtt_max_ms"]


def test_the_session_is_as_any_other_afterwards():
    """The probes use up nothing: the server echoes on."""
    with udp.go_server() as port:
        assert doctor(port)[0] == 0
        assert udp.go_client(port, 100_000, 1)["bytes"] == 100_000


def test_a_port_where_kcp_go_has_listened():
    with udp.go_server() as port:
        pass
    assert doctor(port)[1]["outcome"] == "refused"


def test_a_wrong_key():
    with udp.go_server(crypt="aes-128", key=KEY) as port:
        code, found = doctor(port, "--crypt", "aes-128", "--key", "wrong", "--timeout", "0.5")
        assert (code, found["outcome"]) == (3, "silence")
        assert doctor(port, "--crypt", "aes-128", "--key", KEY)[0] == 0


@pytest.mark.parametrize("crypt", ["null", "none", "aes", "aes-128-gcm"])
def test_another_cipher_is_found(crypt):
    with udp.go_server(crypt=crypt, key=KEY) as port:
        flags = ("--crypt", "salsa20", "--key", KEY, "--try", "--timeout", "0.5")
        code, found = doctor(port, *flags)
    name = {"aes": "aes-256"}.get(crypt, crypt)
    assert (code, found["outcome"], found["crypt"]) == (5, "other crypt", name)
    assert found["answered"] == found["probes"]


@pytest.mark.parametrize("ratio", [(10, 3), (2, 1), (20, 7)])
def test_the_peers_fec(ratio):
    with udp.go_server(datashard=ratio[0], parityshard=ratio[1]) as port:
        code, found = doctor(port)
    assert code == 0
    assert found["fec"] == list(ratio)


def test_a_narrow_path():
    with udp.go_server(mtu=600) as port, NarrowRelay(("127.0.0.1", port), 700) as narrow:
        code, found = doctor(narrow.port)
    assert code == 0
    assert found["largest_bytes"] == 700
    assert "--mtu 700" in found["suggested"]


def test_a_path_that_is_narrow_on_the_way_back():
    with udp.go_server(mtu=1400) as port, NarrowRelay(("127.0.0.1", port), 1000, ("down",)) as r:
        code, found = doctor(r.port)
    assert (code, found["long_answers_lost"]) == (0, True)


def test_a_link_that_loses():
    link = {"loss": 0.15, "delay_ms": 10, "seed": 5}
    server = udp.go_server(crypt="salsa20", key=KEY)
    with server as port, relay.Relay(("127.0.0.1", port), **link) as r:
        code, found = doctor(r.port, "--crypt", "salsa20", "--key", KEY, "--timeout", "8")
    assert code == 0
    assert found["loss_pct"] > 0
    assert found["rtt_ms"] >= 20
    assert found["largest_bytes"] == 1500
