"""The relay of tools/relay.py: what it loses, delays, counts and forgets."""

import json
import socket
import subprocess
import sys
import time

import pytest
from cli_support import RELAY, relay


class Echo:
    """A target that the test reads and answers by hand."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(5)
        self.address = self.sock.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.sock.close()

    def received(self, quiet_s=0.3):
        """Everything that arrives until it is quiet for so long: (data, address) pairs."""
        self.sock.settimeout(quiet_s)
        found = []
        try:
            while True:
                found.append(self.sock.recvfrom(2048))
        except socket.timeout:
            return found


@pytest.fixture
def target():
    with Echo() as echo:
        yield echo


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        yield sock


def test_both_directions(target, client):
    with relay.Relay(target.address) as r:
        client.sendto(b"there", (r.host, r.port))
        data, address = target.sock.recvfrom(100)
        target.sock.sendto(data + b" and back", address)
        assert client.recv(100) == b"there and back"
    counters = r.counters()
    assert counters["up"]["delivered"] == counters["down"]["delivered"] == 1
    assert counters["up"]["received_bytes"] == 5


def test_clients_do_not_see_each_other(target):
    with relay.Relay(target.address) as r:
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5)]
        for n, sock in enumerate(socks):
            sock.settimeout(5)
            sock.sendto(b"%d" % n, (r.host, r.port))
        for data, address in target.received():
            target.sock.sendto(b"for " + data, address)
        for n, sock in enumerate(socks):
            assert sock.recv(100) == b"for %d" % n
            sock.close()
        assert r.counters()["clients"] == 5


def survivors(target, client, n=400, **options):
    with relay.Relay(target.address, **options) as r:
        for i in range(n):
            client.sendto(b"%d" % i, (r.host, r.port))
            if i % 50 == 49:
                time.sleep(0.01)
        got = [int(data) for data, _address in target.received()]
    counters = r.counters()["up"]
    assert counters["received"] == n
    assert counters["lost"] == n - len(got)
    return got


def test_one_seed_one_pattern_of_losses(target, client):
    first = survivors(target, client, loss=0.1, seed=7)
    assert 20 <= 400 - len(first) <= 70
    assert survivors(target, client, loss=0.1, seed=7) == first
    assert survivors(target, client, loss=0.1, seed=8) != first
    with_jitter = survivors(target, client, loss=0.1, seed=7, jitter_ms=20)
    assert sorted(with_jitter) == first


def test_loss_of_one_direction_only(target, client):
    with relay.Relay(target.address, loss=0, loss_down=1) as r:
        client.sendto(b"x", (r.host, r.port))
        data, address = target.sock.recvfrom(100)
        target.sock.sendto(data, address)
        client.settimeout(0.2)
        with pytest.raises(socket.timeout):
            client.recv(100)
        assert r.counters()["down"]["lost"] == 1


def test_delay(target, client):
    with relay.Relay(target.address, delay_ms=60) as r:
        start = time.monotonic()
        client.sendto(b"x", (r.host, r.port))
        target.sock.recvfrom(100)
        assert 0.06 <= time.monotonic() - start < 0.2


def test_queue_is_bounded(target, client):
    with relay.Relay(target.address, delay_ms=300, queue_limit=10) as r:
        for _ in range(50):
            client.sendto(b"x", (r.host, r.port))
        assert len(target.received(quiet_s=1)) == 10
        assert r.counters()["up"]["queue_full"] == 40


def test_clients_are_bounded_and_the_longest_silent_is_forgotten(target):
    with relay.Relay(target.address, max_clients=2) as r:
        for n in range(4):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"%d" % n, (r.host, r.port))
                target.sock.recvfrom(100)
        counters = r.counters()
        assert (counters["clients"], counters["clients_forgotten"]) == (2, 2)


def test_nobody_listens_and_the_relay_goes_on(target, client):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        free_port = sock.getsockname()[1]
    with relay.Relay(("127.0.0.1", free_port)) as r:
        for _ in range(5):
            client.sendto(b"x", (r.host, r.port))
            time.sleep(0.02)
        counters = r.counters()["up"]
        assert counters["received"] == 5
        assert counters["send_errors"] >= 1


@pytest.mark.parametrize("bad", [{"loss": 10}, {"loss": -0.1}, {"delay_ms": -1}])
def test_misuse_raises_at_once(bad):
    with pytest.raises(ValueError):
        relay.Relay(("127.0.0.1", 9), **bad)


def test_stop_twice_and_stop_before_start():
    r = relay.Relay(("127.0.0.1", 9)).start()
    assert r.stop() == r.stop()
    r = relay.Relay(("127.0.0.1", 9))
    assert r.stop() == r.stop()


def test_program_prints_its_address_and_its_counters(target, client):
    command = [sys.executable, RELAY, "--target", f"127.0.0.1:{target.address[1]}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            host, port = json.loads(program.stdout.readline())["listen"].rsplit(":", 1)
            client.sendto(b"x", (host, int(port)))
            assert target.sock.recvfrom(10)[0] == b"x"
        finally:
            program.terminate()
        assert json.loads(program.stdout.readline())["up"]["delivered"] == 1
        assert program.wait(5) == 0


def test_program_says_what_is_wrong_with_an_address():
    command = [sys.executable, RELAY, "--target", "localhost"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert "HOST:PORT" in done.stderr
