"""Runs tools/netlab as a user does, and knows whether this process may have namespaces."""

import json
import os
import shlex
import subprocess
import sys

import binaries
import pytest
import udp

ROOT = os.path.dirname(binaries.TESTS)
TOOLS = os.path.join(ROOT, "tools")
NETLAB = os.path.join(TOOLS, "netlab")
PORT = 4000
LIMIT_S = 60
#: Everything that a link can do to a packet but to delay it for long.
ROUGH = "rate_kbps=20000,queue=100,delay_ms=4,jitter_ms=4,loss_pct=4,dup_pct=3,reorder_pct=10"

if TOOLS not in sys.path:
    sys.path.append(TOOLS)


def run(far, near, link=ROUGH, mode="auto", port=PORT, more=(), ready="listening", **options):
    """Run two command lines over a link; (exit code, JSON lines of both, counters, notes)."""
    path = options.pop("tmp_path") / "counters.json"
    command = [sys.executable, "-W", "error", NETLAB, "--link", link, "--mode", mode, *more]
    command += ["--port", str(port), "--limit", str(LIMIT_S), "--json", str(path)]
    command += ["--far", shlex.join(map(str, far)), "--ready", ready, "--", *map(str, near)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=2 * LIMIT_S,
        env=dict(binaries.environment(), PYTHONUNBUFFERED="1"),
        check=False,
        **options,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    counters = json.loads(path.read_text()) if path.exists() else None
    return done.returncode, lines, counters, done.stderr


def transfer(far, near, **options):
    """An echo that must come back right; (the client's report, the link's counters)."""
    code, lines, counters, notes = run(far, near, **options)
    assert code == 0, (lines, notes)
    (report,) = [line for line in lines if "ok" in line]
    assert report["ok"], (lines, notes)
    return report, counters


def may_have_namespaces():
    """Why this process may have no namespaces; "" if it may. Another process is to find out."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from netlab import spaces\n"
        "try: spaces.open_pair()\n"
        "except spaces.NotAllowed as why: print(why)\n"
    )
    command = [sys.executable, "-c", program, TOOLS, binaries.LIB]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return done.stdout.strip()


REFUSAL = may_have_namespaces()


def need_namespaces():
    """Skip if the system has none for this user; a failure in CI if that is root."""
    if REFUSAL:
        assert os.environ.get("CI") != "true" or os.geteuid(), REFUSAL
        pytest.skip("needs network namespaces: " + REFUSAL)


def our_server(runtime, port, **options):
    """Our echo server's command line."""
    words = ("{far}", port, LIMIT_S, json.dumps(options))
    return udp.our_command(runtime, "echo_server.py", *words)


def our_client(runtime, n_bytes, **options):
    """Our client's command line."""
    words = ("{far}", "{port}", n_bytes, 1, json.dumps(options))
    return udp.our_command(runtime, "echo_client.py", *words)
