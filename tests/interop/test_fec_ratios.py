"""FEC with settings that do not agree, or change in mid-life, over a link that loses.

An echo between kcp-go and us in two phases (programs/fec_phases.py; kcppeer fec-server and
fec-client). Each side must find the other's ratio by itself in each phase and repair with it.
"""

import json
import subprocess

import binaries
import pytest
import udp

BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)
MTU = 500
LOSS = 0.03
PHASE_BYTES = 600_000  # some 1400 packets: a change is seen after 258, and then searched
# The window is what a server may still have to send when it changes: too little to be noticed.
OPTIONS = {"crypt": "none", "mtu": MTU, "mode": "fast3", "sndwnd": 128}

#: What we send with and what kcp-go sends with, in the first phase and in the second.
CASES = {
    "ours-10/3-its-5/2": ("10/3", "10/3", "5/2", "5/2"),
    "ours-off-its-10/3": (None, None, "10/3", "10/3"),
    "ours-10/3-its-off": ("10/3", "10/3", None, None),
    "both-1/1": ("1/1", "1/1", "1/1", "1/1"),
    "ours-3/2-its-20/10": ("3/2", "3/2", "20/10", "20/10"),
    "ours-20/10-its-3/2": ("20/10", "20/10", "3/2", "3/2"),
    "its-shrinks": ("5/2", "5/2", "10/3", "4/2"),
    "its-grows": ("5/2", "5/2", "3/2", "10/3"),
    "its-is-nearly-the-same": ("10/3", "10/3", "3/1", "4/3"),
}
# Ours does not change: kcp-go would make packets of what belongs to several groups, and its stream
# would be damaged (see lib/kcp/fec.py).
EVERY = pytest.mark.parametrize("name", CASES)


def shards(ratio):
    return tuple(int(n) for n in ratio.split("/")) if ratio else (0, 0)


def settings(first, second):
    """The options of an end: (those of both programs, the change or None)."""
    data, parity = shards(first)
    return dict(OPTIONS, datashard=data, parityshard=parity), second if second != first else None


def our_command(runtime, end, port, first, second):
    options, change = settings(first, second)
    if change:
        options["change"] = shards(change)
    words = (end, "127.0.0.1", port, udp.TIMEOUT_S, PHASE_BYTES, json.dumps(options))
    return udp.our_command(runtime, "fec_phases.py", *words)


def go_command(subcommand, *words, first, second):
    options, change = settings(first, second)
    if change:
        options["change"] = change
    options.update(phase_bytes=PHASE_BYTES, timeout=udp.TIMEOUT_S)
    return udp.go_command(subcommand, *words, **options)


def run_client(command):
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=binaries.environment(),
        timeout=udp.TIMEOUT_S + 10,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def phases(lines):
    """What an end said behind both phases: [(ratio found, counters), ...]."""
    said = [json.loads(line) for line in lines if '"phase"' in line]
    assert [one["number"] for one in said] == [1, 2], lines
    return [(tuple(one["ratio"]), one["snmp"]) for one in said]


def check(whose, ended, peer, lane):
    """An end has found its peer's ratios (`peer`: those) and repaired with them, no more than the
    lane to it has lost."""
    lost = lane["received"] - ended[1][1]["InPkts"]
    before = 0
    for (found, stats), ratio in zip(ended, peer):
        if ratio:
            assert found == shards(ratio), (whose, found, ratio)
        repaired = stats["FECRecovered"]
        assert stats["InErrs"] == stats["InCsumErrors"] == 0
        assert stats["KCPInErrors"] == stats["FECErrs"] == 0
        if ratio is None:
            assert repaired == 0, whose
        else:
            assert repaired > before, (whose, ratio, "nothing was repaired")
            before = repaired
    data, parity = shards(peer[0])
    if whose == "ours" or parity < data:  # else late parity counts as repair with kcp-go
        assert before <= lost, (whose, before, lost)


@BOTH
@EVERY
def test_our_client(runtime, name):
    ours, its, said, lanes = CASES[name][:2], CASES[name][2:], [], {}
    server = udp.server(go_command("fec-server", first=its[0], second=its[1]), said=said)
    with server as port, udp.link(port, MTU, LOSS, 7, counted=lanes) as way:
        lines = run_client(our_command(runtime, "client", way, *ours))
    our_phases, its_phases = phases(lines), phases(said)
    check("ours", our_phases, its, lanes["down"])
    check("kcp-go's", its_phases, ours, lanes["up"])


@BOTH
@EVERY
def test_our_server(runtime, name):
    ours, its, said, lanes = CASES[name][:2], CASES[name][2:], [], {}
    server = udp.server(our_command(runtime, "server", udp.free_port(), *ours), said=said)
    with server as port, udp.link(port, MTU, LOSS, 7, True, lanes) as way:
        address = f"127.0.0.1:{way}"
        lines = run_client(go_command("fec-client", address, first=its[0], second=its[1]))
    our_phases, its_phases = phases(said), phases(lines)
    check("ours", our_phases, its, lanes["up"])
    check("kcp-go's", its_phases, ours, lanes["down"])
