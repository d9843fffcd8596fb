"""Clients whose address changes, with kcp-go at one end: docs/lifecycle.md. Between our own peers:
sim/test_roaming.py and unit/test_rebind.py."""

import json
import socket
import time

import pytest
import udp
from test_lifecycle_peers import CLIENT, DEAD_MS, Client, Recorder, ports, server


class Nat(Recorder):
    """A relay that takes another port towards the server when it is told to."""

    def __init__(self, port):
        super().__init__(port)
        self._is_new = False
        self.n_ports = 0

    def remap(self):
        """Let what the client sends next come from another port."""
        self._is_new = True

    def _receive(self, sock, client):
        if self._is_new and sock is self._front:
            self._is_new = False
            for address in list(self._clients):
                self._forget(address)
        super()._receive(sock, client)

    def _remember(self, address):
        self.n_ports += 1
        return super()._remember(address)


def replay(packets, port):
    """Send packets from a third address; return how many bytes were sent and came back."""
    n_out = n_in = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.connect(("127.0.0.1", port))
        for packet in packets:
            n_out += thief.send(packet)
            time.sleep(0.01)
        thief.settimeout(0.5)
        try:
            while True:
                n_in += len(thief.recv(2000))
        except OSError:
            return n_out, n_in


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
@CLIENT
def test_a_nat_that_takes_another_port(client_end, runtime):
    """Our server keeps the session, kcp-go's client too: it answers the question as any peer does.
    Copies of all that it sent, from a third address, change nothing."""
    port, local = ports()
    said = []
    options = {"runtime": runtime, "roaming": True}
    there, nat = server("ours", port, said, **options), Nat(port)
    with there, nat, Client(client_end, nat.port, local, 7, wait=20) as client:
        for n in range(1, 4):
            assert client.tell(3000)["back"] == 3000, n
            n_out, n_in = replay(list(nat.seen), port)
            assert n_in <= n_out
            nat.remap()
        assert client.tell(3000)["back"] == 3000
        assert nat.n_ports == 4
    assert not any("another conversation" in line or '"gone"' in line for line in said), said


@CLIENT
def test_a_nat_that_takes_another_port_towards_kcp_go(client_end):
    port, local = ports()
    said = []
    there, nat = server("kcp-go", port, said), Nat(port)
    with there, nat, Client(client_end, nat.port, local, 7, wait=3) as client:
        assert client.tell(3000)["back"] == 3000
        nat.remap()
        answer = client.tell(1000)
    assert answer["back"] == 0 and json.loads(said[-1])["snmp"]["PassiveOpens"] == 2
    told = "forgotten this session" in answer.get("error", "")
    assert told == (client_end == "ours"), answer


def test_our_client_on_another_socket_towards_kcp_go():
    """kcp-go knows sessions by address: it opens another one, which acknowledges and never
    delivers. Our client notices, and can connect anew."""
    port = udp.free_port()
    said = []
    with server("kcp-go", port, said):
        with Client("ours", port, 0, 7, wait=20) as client:
            assert client.tell(3000)["back"] == 3000
            begin_s = time.monotonic()
            client.tell("rebind")
            answer = client.tell(1000)
            assert answer["back"] == 0 and "forgotten this session" in answer["error"], answer
            assert time.monotonic() - begin_s < 20, "long before its dead_ms would be over"
        with Client("ours", port, 0, 8) as client:
            assert client.tell(1000)["back"] == 1000
    assert json.loads(said[-1])["snmp"]["PassiveOpens"] == 3


def test_our_quiet_client_on_another_socket_towards_kcp_go():
    """One that sends nothing is told within keepalive_ms + dead_ms."""
    port = udp.free_port()
    options = {"keepalive_ms": 200, "wait": 20}
    with server("kcp-go", port), Client("ours", port, 0, 7, **options) as client:
        assert client.tell(1000)["back"] == 1000
        client.tell("rebind")
        time.sleep((DEAD_MS + 200) / 1000 + 1)
        assert "forgotten this session" in client.tell(1)["error"]
