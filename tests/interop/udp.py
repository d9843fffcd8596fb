"""Starts the two ends of a transfer over loopback: kcp-go's, and ours on either runtime."""

import contextlib
import json
import os
import socket
import subprocess
import sys

import binaries

sys.path.insert(0, os.path.join(os.path.dirname(binaries.TESTS), "tools"))
from relay import Lane, Relay  # noqa: F401 (the lane is for those who import this)

TIMEOUT_S = 60
RUNTIMES = ("cpython", "micropython")


def free_port():
    """A UDP port of 127.0.0.1 that nobody uses (MicroPython cannot tell which one it got)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def our_command(runtime, program, *words):
    """The command that runs one of our programs."""
    path = os.path.join(binaries.HERE, "programs", program)
    if runtime == "cpython":
        interpreter = [sys.executable, "-W", "error"]
    else:
        interpreter = [*binaries.micropython(), "-X", "heapsize=8m"]
    return [*interpreter, path, *[str(word) for word in words]]


def go_command(subcommand, *words, **options):
    """The command that runs kcp-go; options become --flags."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [binaries.kcppeer(), subcommand, *words, *flags]


def go_options(options):
    """Our options with kcp-go's spelling of a flag that is off."""
    return {n: str(v).lower() if isinstance(v, bool) else v for n, v in options.items()}


@contextlib.contextmanager
def server(command, show=True, said=None, pids=None):
    """Run a server; gives its port as soon as it listens.

    At the end what it said is printed if `show`, or its lines go into the list `said`. Its process
    id goes into the list `pids`.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=binaries.environment(),
    )
    try:
        line = process.stdout.readline()
        assert "listening" in line, line + process.stdout.read()
        if pids is not None:
            pids.append(process.pid)
        yield json.loads(line)["port"]
        assert process.poll() is None, "the server ended: " + process.stdout.read()
    finally:
        process.terminate()
        output = process.communicate(timeout=10)[0]
        if said is not None:
            said += output.splitlines()
        elif show:
            print("server said:", output)
    assert "Traceback" not in output, output


class Gauge(Relay):
    """A relay that knows the largest datagram of each direction."""

    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        self.largest = {self.up: 0, self.down: 0}

    def _enqueue(self, lane, sock, data, address):
        self.largest[lane] = max(self.largest[lane], len(data))
        super()._enqueue(lane, sock, data, address)


@contextlib.contextmanager
def link(port, mtu, loss=0.0, seed=1, our_server=False, counted=None):
    """The port at which the server is to be reached: its own, or that of a relay that loses.

    counted: a dict that gets the relay's counters at the end.

    The relay also sees to it that datagrams are filled up to the mtu, and no further. Not those
    of kcp-go's server: what it answers before the application has accepted the session, and so
    could set its mtu, has up to 1400 bytes.
    """
    if not loss:
        yield port
        return
    with Gauge(("127.0.0.1", port), loss=loss, seed=seed) as relay:
        yield relay.port
        counters = relay.counters()
        if counted is not None:
            counted.update(counters)
        assert counters["up"]["lost"] and counters["down"]["lost"], counters
        assert relay.largest[relay.up] == mtu
        assert relay.largest[relay.down] == mtu or not our_server


def client(command):
    """Run a client to its end; its last line of JSON as a dict."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=binaries.environment(),
        timeout=TIMEOUT_S + 10,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def go_server(said=None, **options):
    """kcp-go's echo server (a context manager: its port); said: see server()."""
    return server(go_command("serve", timeout=TIMEOUT_S, **go_options(options)), said=said)


def go_lines(port, messages, **options):
    """What a server answers kcp-go's lines of JSON with, in order; both as lists."""
    text = "".join(json.dumps(message) + "\n" for message in messages)
    command = go_command("pipe", f"127.0.0.1:{port}", timeout=TIMEOUT_S, after=5, **options)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write(text)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in messages]
        process.communicate(timeout=TIMEOUT_S)  # it goes on acknowledging for `after` seconds
        return answers
    finally:
        process.kill()
        process.communicate()


def our_server(runtime, n_bytes=0, said=None, pids=None, **options):
    """Our echo server (a context manager: its port); it tells its counters after n_bytes."""
    words = ("127.0.0.1", free_port(), TIMEOUT_S, json.dumps(options), n_bytes)
    return server(our_command(runtime, "echo_server.py", *words), said=said, pids=pids)


def go_client(port, n_bytes, seed, **options):
    """An echo through kcp-go's client: what it reported."""
    address = f"127.0.0.1:{port}"
    options = dict(go_options(options), bytes=n_bytes, seed=seed, timeout=TIMEOUT_S)
    return client(go_command("echo-client", address, **options))


def our_client(runtime, port, n_bytes, seed, program="echo_client.py", **options):
    """An echo through our client: what it reported."""
    words = ("127.0.0.1", port, n_bytes, seed, json.dumps(options))
    return client(our_command(runtime, program, *words))
