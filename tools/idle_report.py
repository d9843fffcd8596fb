#!/usr/bin/env python3
"""What idle sessions cost a server: ours on CPython and MicroPython beside kcp-go's, as a table.

    make idle-report IDLE="--sessions 2000 --seconds 5"

Each server is a process of its own with one socket. The sessions are opened one after the other by
an exchange of one message and its echo, with crypt null, windows of 32 and mode fast3; the clients
then say nothing. Measured are the server's resident size before and after (Linux /proc), and the
processor time it takes while nothing happens.
"""

import argparse
import contextlib
import json
import os
import resource
import shlex
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIB = os.path.join(ROOT, "lib")
sys.path[:0] = [LIB]

import kcp  # noqa: E402 (found through the line above)

MESSAGE = b"a message, and then silence"
OPTIONS = {"sndwnd": 32, "rcvwnd": 32, "mode": "fast3"}
SETTLE_S = 2  # until the last acknowledgements are through
ANSWER_S = 5
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_TICKS_MASK = 0x3FFFFFFF


def now_ms():
    return int(time.monotonic() * 1000) & _TICKS_MASK


def servers(n_sessions):
    """[(name, command)] of what there is to be measured."""
    program = os.path.join(ROOT, "tests", "interop", "programs", "echo_server.py")
    options = json.dumps(dict(OPTIONS, max_sessions=n_sessions + 8))
    words = [program, "127.0.0.1", str(free_port()), "600", options]
    go = [
        os.path.join(os.environ["KCP_PEERS"], "kcppeer"),
        "serve",
        "--idle=600",
        "--read-bytes=4096",
    ]
    upy = [*shlex.split(os.environ["KCP_MICROPYTHON"]), "-X", "heapsize=128m"]
    return [
        ("kcp-go", [*go, *[f"--{name}={value}" for name, value in OPTIONS.items()]]),
        ("CPython", [sys.executable, *words]),
        ("MicroPython", [*upy, *words]),
    ]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def running(command):
    """Run a server; (process, port)."""
    path = os.pathsep.join([LIB, os.path.join(ROOT, "tests", "interop", "programs")])
    env = dict(os.environ, PYTHONPATH=path, MICROPYPATH=LIB + ":.frozen")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    try:
        yield process, json.loads(process.stdout.readline())["port"]
    finally:
        process.terminate()
        process.communicate(timeout=10)


def fill(buf):
    buf[:] = os.urandom(len(buf))


def open_session(port, conv):
    """Exchange a message with the server from a new socket; returns the socket."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", port))
    session = kcp.Session(conv, kcp.Config(acknodelay=True, **OPTIONS), fill, now_ms())
    buf = bytearray(session.buffer_bytes)
    got = bytearray()
    session.send(MESSAGE)
    end = time.monotonic() + ANSWER_S
    pull(session, sock, buf)
    while len(got) < len(MESSAGE) or session.unacked_bytes:
        if time.monotonic() > end:
            sys.exit("idle_report: a server did not answer")
        wait_ms = session.timeout(now_ms())
        sock.settimeout(max(wait_ms, 1) / 1000 if wait_ms >= 0 else ANSWER_S)
        with contextlib.suppress(TimeoutError):
            n = sock.recv_into(buf)
            session.input(buf, n, now_ms())
            n = session.recv_into(buf)
            got += buf[:n]
        pull(session, sock, buf)
    assert got == MESSAGE
    return sock


def pull(session, sock, buf):
    n = session.output(buf, now_ms())
    while n:
        sock.send(memoryview(buf)[:n])
        n = session.output(buf, now_ms())


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def measure(command, n_sessions, seconds):
    """(KB per session, ms of processor time per second of idleness) of a server."""
    with running(command) as (process, port):
        socks = [open_session(port, 1)]
        time.sleep(SETTLE_S)
        empty_bytes = resident_bytes(process.pid)
        socks += [open_session(port, conv) for conv in range(2, n_sessions + 1)]
        time.sleep(SETTLE_S)
        n_bytes = resident_bytes(process.pid) - empty_bytes
        before_s = processor_s(process.pid)
        time.sleep(seconds)
        used_s = processor_s(process.pid) - before_s
        for sock in socks:
            sock.close()
    return n_bytes / (n_sessions - 1) / 1000, 1000 * used_s / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"| server with {options.sessions} idle sessions | KB per session | CPU ms per s |")
    print("| --- | ---: | ---: |")
    for name, command in servers(options.sessions):
        kb, used_ms = measure(command, options.sessions, options.seconds)
        print(f"| {name} | {kb:.1f} | {used_ms:.1f} |", flush=True)


if __name__ == "__main__":
    main()
