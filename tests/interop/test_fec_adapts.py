"""`fec="auto"` towards kcp-go, over a link whose losses change: kcp-go repairs with whatever
parity comes, never takes anything for lost that was not, and makes no wrong packet.

An echo (programs/fec_phases.py, kcppeer fec-server and fec-client) through a relay that delays and
loses. What kcp-go is set to send with itself does not matter to what it makes of ours.
"""

import contextlib
import json

import pytest
import test_fec_ratios as fec
import udp

BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)
DELAY_MS = 80
FRAME = (10, 6)
#: (so many of our datagrams have passed, the losses from there on)
CHANGING = ((0, 0.0), (500, 0.08), (1800, 0.01), (2600, 0.15))
FROM_THE_START = ((0, 0.08),)
#: How kcp-go is set, and the losses.
CASES = {
    "off": (None, CHANGING),
    "10/3": ("10/3", CHANGING),
    "3/2": ("3/2", FROM_THE_START),
    "10/6": ("10/6", FROM_THE_START),
}


class ChangingLane(udp.Lane):
    """A direction of a relay with losses by how many datagrams have come."""

    def __init__(self, steps, seed):
        super().__init__(0.0, DELAY_MS, 0, seed)
        self.steps = list(steps)

    def due(self, n_bytes, now_s):
        while self.steps and self.counters["received"] >= self.steps[0][0]:
            self.loss = self.steps.pop(0)[1]
        return super().due(n_bytes, now_s)


@contextlib.contextmanager
def link(port, steps, counted, is_up):
    """A relay to this port that loses by `steps` in the direction in which our side sends."""
    with udp.Relay(("127.0.0.1", port), delay_ms=DELAY_MS) as relay:
        lane = ChangingLane(steps, 11)
        if is_up:
            relay.up = lane
        else:
            relay.down = lane
        yield relay.port
        counted.update(lane.counters)


def our_options(ours):
    options = dict(fec.OPTIONS, sndwnd=128, rcvwnd=256)
    if ours:
        options.update(fec="auto", datashard=FRAME[0], parityshard=FRAME[1])
    return options


def our_command(runtime, end, port, ours):
    words = (end, "127.0.0.1", port, udp.TIMEOUT_S, fec.PHASE_BYTES, json.dumps(our_options(ours)))
    return udp.our_command(runtime, "fec_phases.py", *words)


def our_client(runtime, its, steps, ours=True):
    """(our counters, the ratio that kcp-go found, its counters, the lane's) at the end."""
    said, lane = [], {}
    command = fec.go_command("fec-server", first=its, second=its)
    with udp.server(command, said=said) as port, link(port, steps, lane, True) as way:
        lines = fec.run_client(our_command(runtime, "client", way, ours))
    return fec.phases(lines)[1][1], *fec.phases(said)[1], lane


def our_server(runtime, its, steps):
    """The same with kcp-go as the client."""
    said, lane = [], {}
    command = our_command(runtime, "server", udp.free_port(), True)
    with udp.server(command, said=said) as port, link(port, steps, lane, False) as way:
        lines = fec.run_client(
            fec.go_command("fec-client", f"127.0.0.1:{way}", first=its, second=its)
        )
    return fec.phases(said)[1][1], *fec.phases(lines)[1], lane


def check(ours, found, its, lane):
    """kcp-go has repaired, and nothing but what was lost."""
    assert found == FRAME
    assert its["KCPInErrors"] == its["FECErrs"] == its["InErrs"] == its["InCsumErrors"] == 0
    assert 0 < its["FECRecovered"] <= lane["lost"]
    assert its["FECRecovered"] >= lane["lost"] // 8, (its["FECRecovered"], lane["lost"])
    print({n: ours[n] for n in ("RetransSegs", "LostSegs", "OutPkts")}, lane)


@BOTH
@pytest.mark.parametrize("name", CASES)
def test_our_client(runtime, name):
    check(*our_client(runtime, *CASES[name]))


@BOTH
@pytest.mark.parametrize("name", CASES)
def test_our_server(runtime, name):
    check(*our_server(runtime, *CASES[name]))


def test_less_is_sent_again_than_without():
    results = []
    for ours in (True, False):
        stats, _, its, lane = our_client("cpython", None, FROM_THE_START, ours)
        assert its["KCPInErrors"] == 0
        results.append((stats["RetransSegs"] / lane["lost"], stats["LostSegs"] / lane["lost"]))
        print(ours, stats["RetransSegs"], stats["LostSegs"], its["FECRecovered"], lane)
    (resent, timed_out), (plain_resent, plain_timed_out) = results
    assert resent < 0.75 * plain_resent, results
    assert timed_out < plain_timed_out, results
