"""Restarts, reused conversations and late packets, with kcp-go at either end or at both: the table
of docs/lifecycle.md. The same with our own peers, in virtual time: sim/test_lifecycle.py."""

import contextlib
import json
import subprocess
import time

import binaries
import pytest
import udp

ENDS = ("ours", "kcp-go")
CLIENT = pytest.mark.parametrize("client_end", ENDS)
SERVER = pytest.mark.parametrize("server_end", ENDS)
OPTIONS = {"mode": "fast3", "crypt": "aes-128"}
DEAD_MS = 1500


@contextlib.contextmanager
def server(end, port, said=None, runtime="cpython", **options):
    """An echo server at this port."""
    if end == "ours":
        settings = dict(OPTIONS, passphrase="life", **options)
        words = ("127.0.0.1", port, udp.TIMEOUT_S, json.dumps(settings))
        command = udp.our_command(runtime, "echo_server.py", *words)
    else:
        flags = dict(OPTIONS, key="life", timeout=udp.TIMEOUT_S, **options)
        command = udp.go_command("serve", f"--listen=127.0.0.1:{port}", **flags)
    with udp.server(command, said=said):
        yield


class Client:
    """A client process that does as it is told; leaving the block kills it."""

    def __init__(self, end, server_port, local_port, conv, **options):
        if end == "ours":
            settings = dict(OPTIONS, passphrase="life", conv=conv, dead_ms=DEAD_MS, **options)
            words = (server_port, local_port, json.dumps(settings))
            command = udp.our_command("cpython", "life_client.py", *words)
        else:
            flags = dict(OPTIONS, key="life", conv=conv, local=f"127.0.0.1:{local_port}")
            flags["wait"] = options.get("wait", 1)
            command = udp.go_command("life-client", f"127.0.0.1:{server_port}", **flags)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=binaries.environment(),
        )
        assert self._answer()["event"] == "ready"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        time.sleep(0.3)  # its last ACKs go out
        self._process.kill()
        self._process.communicate()

    def _answer(self):
        return json.loads(self._process.stdout.readline())

    def tell(self, word):
        """Give it a line; return its answer."""
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._answer()


def ports():
    return udp.free_port(), udp.free_port()


@CLIENT
@SERVER
def test_server_restart_under_a_living_client(client_end, server_end):
    port, local = ports()
    with Client(client_end, port, local, 7) as client:
        with server(server_end, port):
            assert client.tell(1000)["back"] == 1000
        said = []
        with server(server_end, port, said):
            answers = [client.tell(1000), client.tell(1000)]
        assert [answer["back"] for answer in answers] == [0, 0]
        errors = [answer.get("error", "") for answer in answers]
    if server_end == "ours":  # makes nothing of it, so a client that looks for that is told
        assert not said
        assert any("(dead_ms)" in error for error in errors) == (client_end == "ours"), errors
    else:  # acknowledges, and waits for the beginning of the stream for ever: ours sees through it
        snmp = json.loads(said[-1])["snmp"]
        assert snmp["PassiveOpens"] == 1 and snmp["BytesReceived"] == 0
        told = any("the peer has forgotten this session" in error for error in errors)
        assert told == (client_end == "ours") and not any("(dead_ms)" in e for e in errors), errors


@CLIENT
@SERVER
def test_client_restart_with_another_conversation(client_end, server_end):
    port, local = ports()
    with server(server_end, port):
        with Client(client_end, port, local, 7) as client:
            assert client.tell(1000)["back"] == 1000
        with Client(client_end, port, local, 8) as client:
            assert client.tell(1000)["back"] == 1000


@CLIENT
@SERVER
def test_client_restart_with_its_old_conversation(client_end, server_end):
    """What has the numbers of old data is taken for old data: acknowledged, and not delivered."""
    port, local = ports()
    with server(server_end, port):
        with Client(client_end, port, local, 7) as client:
            assert client.tell(1000)["back"] == 1000
        with Client(client_end, port, local, 7) as client:
            assert client.tell(1000)["back"] == 0


@CLIENT
def test_conversation_reuse_after_our_server_let_it_go(client_end):
    """The pair is one of a dead session then, but what begins at sn 0 gets in."""
    port, local = ports()
    said = []
    with server("ours", port, said, idle_ms=300):
        for _ in range(3):
            with Client(client_end, port, local, 7) as client:
                assert client.tell(1000)["back"] == 1000
            time.sleep(1)
    assert sum("(idle_ms)" in line for line in said) == 3, said


class Recorder(udp.Relay):
    """A relay that keeps what it takes to the server, and can send it once more."""

    def __init__(self, port):
        super().__init__(("127.0.0.1", port))
        self.seen = []
        self._towards_server = None

    def _enqueue(self, lane, sock, data, address):
        if lane is self.up:
            self.seen.append(bytes(data))
            self._towards_server = sock
        super()._enqueue(lane, sock, data, address)

    def repeat(self, packets):
        """Send packets from the address that the server knows."""
        for data in packets:
            self._towards_server.send(data)
            time.sleep(0.01)


@CLIENT
@SERVER
def test_late_packets_of_a_dead_conversation(client_end, server_end):
    """The packets of conversation 7 come once more while 8 is under way."""
    port, local = ports()
    said = []
    with server(server_end, port, said), Recorder(port) as relay:
        with Client(client_end, relay.port, local, 7) as client:
            assert client.tell(1000)["back"] == 1000
        late = list(relay.seen)
        assert len(late) >= 2  # data, and an ACK
        with Client(client_end, relay.port, local, 8) as client:
            assert client.tell(500)["back"] == 500
            relay.repeat(late)
            back = client.tell(500)["back"]
    if server_end == "ours":
        assert back == 500 and sum("another conversation" in line for line in said) == 1, said
    else:  # a late packet with sn 0 ends conversation 8, and opens 7 once more (an ACK of 8's may
        # undo that, and so on)
        assert back == 0 and json.loads(said[-1])["snmp"]["PassiveOpens"] >= 3, said


@CLIENT
@SERVER
def test_late_packets_after_the_server_has_forgotten_the_session(client_end, server_end):
    """The same when no session is there any more (kcp-go's server closes it after a silence)."""
    port, local = ports()
    said = []
    more = {"idle_ms": 300} if server_end == "ours" else {"idle": 0.3}
    with server(server_end, port, said, **more), Recorder(port) as relay:
        with Client(client_end, relay.port, local, 7) as client:
            assert client.tell(1000)["back"] == 1000
        time.sleep(1)
        relay.repeat(relay.seen)
        time.sleep(1)
    ended = [line for line in said if '"gone"' in line or '"session"' in line]
    assert len(ended) == 1 if server_end == "ours" else len(ended) >= 2, said


def test_kcp_go_answers_keep_alive():
    """At either end: silence of three times dead_ms and idle_ms ends nothing."""
    quiet = {"keepalive_ms": 200, "idle_ms": 1000}
    for client_end, server_end in (("ours", "kcp-go"), ("kcp-go", "ours")):
        port, local = ports()
        said = []
        of_client = quiet if client_end == "ours" else {}
        of_server = dict(quiet, dead_ms=1000) if server_end == "ours" else {}
        there, relay = server(server_end, port, said, **of_server), Recorder(port)
        with there, relay, Client(client_end, relay.port, local, 7, **of_client) as client:
            assert client.tell(1000)["back"] == 1000
            n_before = len(relay.seen)
            time.sleep(3 * DEAD_MS / 1000)
            assert len(relay.seen) - n_before >= 10  # questions or answers
            assert client.tell(1000)["back"] == 1000
        assert not any("(idle_ms)" in line for line in said), said
