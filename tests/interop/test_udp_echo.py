"""One megabyte there and back over real UDP, between kcp-go and us, in every combination."""

import itertools

import pytest
import udp

N_BYTES = 1_000_000
MATRIX = list(
    itertools.product(udp.RUNTIMES, ("null", "none"), (512, 1350, 1400), (True, False), (0, 0.05))
)


def name_of(case):
    runtime, crypt, mtu, stream, loss = case
    mode = "stream" if stream else "message"
    return f"{runtime}-{crypt}-{mtu}-{mode}-{int(loss * 100)}%"


def options_of(case):
    _, crypt, mtu, stream, _ = case
    return {"crypt": crypt, "mtu": mtu, "stream": stream}


def check(outcome, loss, retransmitted, errors):
    assert outcome["ok"] and outcome["bytes"] == N_BYTES
    assert errors == 0
    assert bool(retransmitted) or not loss


@pytest.mark.parametrize("case", MATRIX, ids=name_of)
def test_our_client_and_kcp_go_server(case):
    (runtime, _, mtu, _, loss), options = case, options_of(case)
    seed = MATRIX.index(case)
    with udp.go_server(**options) as port, udp.link(port, mtu, loss, seed) as way:
        outcome = udp.our_client(runtime, way, N_BYTES, seed, **options)
    check(outcome, loss, outcome["retrans"], outcome["errors"])


@pytest.mark.parametrize("case", MATRIX, ids=name_of)
def test_kcp_go_client_and_our_server(case):
    (runtime, _, mtu, _, loss), options = case, options_of(case)
    seed = MATRIX.index(case)
    our = udp.our_server(runtime, **options)
    with our as port, udp.link(port, mtu, loss, seed, our_server=True) as way:
        outcome = udp.go_client(way, N_BYTES, seed, **options)
    snmp = outcome["snmp"]
    errors = snmp["KCPInErrors"] + snmp["InCsumErrors"] + snmp["InErrs"]
    check(outcome, loss, snmp["RetransSegs"], errors)
