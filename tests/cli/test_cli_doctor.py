"""`kcp doctor` against our server, with one thing wrong after the other.

What is measured is compared with what must be so (sizes, ratios, names), never with a time.
tests/interop/test_doctor_peers.py does the same with the real kcp-go.
"""

import asyncio
import errno

import pytest
from cli_support import Kcp, NarrowRelay, doctor, free_port, kcp, relay, silent_port

from kcp import Config
from kcp_cli import address, echo_fec, probes
from kcp_cli import doctor as module


def echo(*flags, **env):
    return Kcp("echo", "-l", "127.0.0.1:0", "--json", *flags, **env)


def test_a_peer_that_is_well():
    with echo() as server:
        code, found = doctor(server.port)
        server.process.terminate()
        assert server.result()[1]["bytes"] == 0  # nothing was handed to the program
    assert (code, found["ok"], found["outcome"]) == (0, True, "answers")
    assert found["crypt"] == "null"
    assert found["answered"] == found["probes"]
    assert found["loss_pct"] == 0
    assert found["largest_bytes"] == 1500
    assert (found["fec"], found["sends_fec"]) == (None, False)
    assert found["window"] == 512
    assert 0 < found["rtt_ms"] <= found["rtt_median_ms"] <= found["rtt_max_ms"]
    assert found["suggested"].startswith("--preset ")


def test_words_for_a_person():
    with echo("--rcvwnd", "100") as server:
        code, out, notes = kcp("doctor", server.address)
    assert code == 0
    text = out.decode()
    for words in ("answers to crypt null", "round trip", "0 of 30 probes unanswered",
                  "all sizes get there", "none with the peer's", "takes 100 packets"):  # fmt: skip
        assert words in text
    assert len(notes) == 1
    assert "measuring" in notes[0]


def test_ipv6():
    with Kcp("echo", "-l", "[::1]:0") as server:
        code, _out, _notes = kcp("doctor", f"[::1]:{server.port}")
    assert code == 0


def test_a_port_where_nothing_listens():
    port = free_port()
    code, found = doctor(port)
    assert (code, found["outcome"]) == (4, "refused")
    code, out, _notes = kcp("doctor", f"127.0.0.1:{port}")
    assert code == 4
    assert b"nothing listens" in out


def test_silence():
    with silent_port() as port:
        code, found = doctor(port, "--timeout", "0.3")
        assert (code, found["outcome"]) == (3, "silence")
        assert found["tried"] == ["null"]
        assert "encrypts" in found["causes"][0]
        code, out, _notes = kcp("doctor", f"127.0.0.1:{port}", "--timeout", "0.3")
    assert code == 3
    assert b"look alike" in out
    assert b"firewall" not in out  # on this machine there is none between


def test_silence_with_a_key_and_all_ciphers():
    with silent_port() as port:
        code, found = doctor(port, "--timeout", "0.3", "--crypt", "aes", "--key", "k", "--try")
    assert code == 3
    assert {"aes", "null", "none", "xor", "aes-128-gcm", "xtea"} <= set(found["tried"])
    assert len(found["tried"]) == 19 - 1  # aes and aes-256 are one
    assert "Another key" in found["causes"][0]


def test_causes_on_the_way_come_for_another_machine(monkeypatch):
    monkeypatch.setattr(module, "_is_this_machine", lambda _sock: False)
    causes = module._causes(None, ["aes"], "key", False)
    assert "--try" in causes[0]
    assert "key" in causes[1]
    assert "firewall" in causes[2]


def test_a_wrong_key_is_silence():
    flags = ("--crypt", "aes-128", "--key")
    with echo(*flags, "right") as server:
        code, found = doctor(server.port, *flags, "wrong", "--timeout", "0.3")
        assert (code, found["outcome"]) == (3, "silence")
        assert doctor(server.port, *flags, "right")[0] == 0


@pytest.mark.parametrize("crypt", ["null", "chacha20-poly1305"])
def test_another_cipher_is_found(crypt):
    key = () if crypt in ("null", "none") else ("--key", "secret")
    with echo("--crypt", crypt, *key) as server:
        given = ("--crypt", "aes-128", "--key", "secret", "--timeout", "0.5")
        code, found = doctor(server.port, *given, "--try")
    assert (code, found["outcome"], found["crypt"]) == (5, "other crypt", crypt)
    assert found["answered"] > 0


def test_the_fec_of_a_peer_that_echoes():
    with echo("--datashard", "5", "--parityshard", "2") as server:
        code, found = doctor(server.port, "--echo")
    assert code == 0
    assert (found["echoes"], found["sends_fec"], found["fec"]) == (True, True, [5, 2])


def test_a_peer_that_echoes_without_fec(monkeypatch):
    monkeypatch.setattr(echo_fec, "_MOST_S", 0.5)
    config = Config()
    with echo() as server:
        where = address.parse(server.address)
        assert asyncio.run(echo_fec.ratio_of(where, config, 5)) == (True, False, None)
    with Kcp("recv", "-l", "127.0.0.1:0") as recv:
        where = address.parse(recv.address)
        assert asyncio.run(echo_fec.ratio_of(where, config, 5))[1:] == (False, None)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"fec": [10, 3]}, "3 parity packets for every 10"),
        ({"sends_fec": True}, "too few packets"),
        ({}, "--echo shows it"),
        ({"echoes": True}, "the peer sends none"),
        ({"echoes": False}, "does not echo"),
    ],
)
def test_what_is_said_of_fec(known, words):
    assert words in module._fec({"fec": None, "sends_fec": False, "echoes": None, **known})


def test_a_narrow_path():
    flags = ("--crypt", "aes-128", "--key", "k", "--ds", "3", "--ps", "1")
    with echo("--mtu", "600", *flags) as server, NarrowRelay(("127.0.0.1", server.port), 700) as r:
        code, found = doctor(r.port, *flags)
    assert code == 0
    assert found["largest_bytes"] == 700
    assert found["long_answers_lost"] is False
    assert "--mtu 700" in found["suggested"]


def test_a_path_that_is_narrow_on_the_way_back():
    with echo() as server, NarrowRelay(("127.0.0.1", server.port), 1000, ("down",)) as r:
        code, found = doctor(r.port)
    assert code == 0
    assert found["largest_bytes"] == 1500
    assert found["long_answers_lost"] is True


def test_a_link_that_loses_and_delays():
    with echo() as server:
        link = {"loss": 0.15, "delay_ms": 15, "seed": 5}
        with relay.Relay(("127.0.0.1", server.port), **link) as r:
            code, found = doctor(r.port, "--timeout", "8")
    assert code == 0
    assert found["loss_pct"] > 0
    assert found["rtt_ms"] >= 30
    assert found["largest_bytes"] == 1500
    assert "--datashard" in found["suggested"]


@pytest.mark.parametrize(
    ("trips_ms", "loss_pct", "largest", "flags"),
    [
        ([0.3, 1], 0, 1500, "--preset lan"),
        ([0.3, 1], 5, 1500, "--preset wifi --datashard 10 --parityshard 3"),
        ([9, 14], 1, 1400, "--preset wifi"),
        ([60], 0, 1300, "--preset lte --mtu 1300"),
        ([600], 10, 1350, "--preset satellite"),
        ([], 100, 1500, ""),
        ([5], 0, None, ""),
    ],
)
def test_what_is_suggested(trips_ms, loss_pct, largest, flags):
    class Found:
        pass

    Found.trips_ms, Found.loss_pct, Found.largest_bytes = trips_ms, loss_pct, largest
    assert module._suggestion(Found) == flags


def test_a_key_alone_is_enough_to_find_the_cipher():
    with echo("--crypt", "tea", "--key", "secret") as server:
        arguments = ("doctor", server.address, "--key", "secret", "--try", "--timeout", "0.5")
        code, out, notes = kcp(*arguments)
    assert code == 5
    assert b"use --crypt tea" in out
    assert len(notes) == 1  # "measuring", and no word about a key without effect


class Narrow:
    """A socket whose system refuses what is too long, and tells of a router's refusal later."""

    def __init__(self, mtu):
        self.mtu = mtu
        self.pending = False
        self.sent = []

    def send(self, data):
        if self.pending or len(data) > self.mtu:
            self.pending = False
            raise OSError(errno.EMSGSIZE, "too long")
        self.sent.append(len(data))


def test_a_routers_refusal_is_not_taken_for_that_of_the_next_datagram():
    sock = Narrow(1200)
    wire = probes.Wire(sock, Config())
    assert wire.probe(1, size=1201) is False
    sock.pending = True
    assert wire.probe(2, size=1200) is True
    assert sock.sent == [1200]


def test_a_router_that_knows_no_way_is_heard(monkeypatch):
    class Unreachable(Narrow):
        def send(self, data):
            raise OSError(errno.EHOSTUNREACH, "no route")

        def fileno(self):
            return 0

        getpeername = getsockname = lambda _self: ("192.0.2.1", 4000)

    monkeypatch.setattr(probes.select, "select", lambda *_sets: ([], [], []))
    shown = {}
    monkeypatch.setattr(module, "_tell", lambda _r, _a, result, _text: shown.update(result))
    code = module._look(None, "192.0.2.1:4000", Unreachable(1500), Config(), {}, False, 0.01)
    assert (code, shown["outcome"]) == (3, "silence")
    assert "a router on the way" in shown["causes"][0]


def test_unknown_host():
    code, _out, notes = kcp("doctor", "no-such-host.invalid:1")
    assert code == 1
    assert "host" in notes[0]
