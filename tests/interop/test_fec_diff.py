"""Our FEC decoder and auto-tuner decide as kcp-go's do: see programs/fec_diff.py."""

import json
import subprocess

import binaries
import pytest
import udp

#: How many generated sequences are compared.
COUNTS = {"cpython": 250, "micropython": 60}
SEED = 20261123
BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)


def compare(runtime, what, *flags, seed=SEED):
    """Run kcp-go's and ours on the same sequences; what our program counted."""
    count = COUNTS[runtime]
    command = udp.go_command("fecdiff", what, f"--seed={seed}", f"--count={count}", *flags)
    ours = udp.our_command(runtime, "fec_diff.py", "kept" if flags else what)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as go:
        done = subprocess.run(
            ours,
            stdin=go.stdout,
            capture_output=True,
            text=True,
            env=binaries.environment(),
            timeout=120,
            check=False,
        )
    assert go.returncode == 0
    assert done.returncode == 0, done.stdout + done.stderr
    totals = json.loads(done.stdout)
    print(runtime, what, *flags, totals)
    assert totals["sequences"] == count
    return totals


@BOTH
def test_the_tuner_gives_kcp_go_s_answers(runtime):
    totals = compare(runtime, "tune")
    assert totals["answers"] > 20 * totals["sequences"]
    assert totals["found"] > 5 * totals["sequences"]


@BOTH
def test_the_decoder_repairs_what_kcp_go_s_repairs(runtime):
    totals = compare(runtime, "decode")
    assert totals["repaired"] > 3 * totals["sequences"] and totals["changes"] > 30
    assert totals["again"] > 0 < totals["doubted"]  # the differences on purpose are met


@BOTH
def test_after_a_change_of_ratio_it_repairs_no_less(runtime):
    totals = compare(runtime, "decode", "--newest-kept", seed=SEED + 1)
    assert totals["more"] > 30
