"""Out-of-band packets to and from kcp-go over real UDP, of every size, beside a stream."""

import contextlib
import json

import pytest
import udp

BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)
HEADS = {"null": 0, "aes-128-gcm": 28, "chacha20-poly1305": 28}  # the others: 20
MTU = 600
STREAM_BYTES = 30_000

#: From one size to the next: 0, 1, 2 ... the largest where MicroPython is fast enough.
STEPS = {
    "null": 1, "aes-128": 1, "xor": 7, "aes-256": 7, "salsa20": 29, "blowfish": 29, "sm4": 58,
    "aes-128-gcm": 29, "chacha20-poly1305": 29,
}  # fmt: skip
EVERY = pytest.mark.parametrize(("crypt", "step"), STEPS.items(), ids=STEPS)


def options(crypt, **more):
    """The options that both ends have in common; the passphrase under kcp-go's name."""
    return dict(mtu=MTU, crypt=crypt, **more)


def ours(crypt, **more):
    key = {} if crypt == "null" else {"passphrase": "secret"}
    return dict(options(crypt), datashard=3, parityshard=1, **key, **more)


def its(crypt, **more):
    return dict(options(crypt), datashard=5, parityshard=2, key="secret", **more)


@contextlib.contextmanager
def our_server(runtime, said=None, **settings):
    words = ("server", "127.0.0.1", udp.free_port(), udp.TIMEOUT_S, json.dumps(settings))
    with udp.server(udp.our_command(runtime, "oob.py", *words), said=said) as port:
        yield port


def our_client(runtime, port, step, n_bytes=STREAM_BYTES, seconds=50, **settings):
    words = ("client", "127.0.0.1", port, seconds, step, n_bytes, json.dumps(settings))
    return udp.client(udp.our_command(runtime, "oob.py", *words))


@contextlib.contextmanager
def go_server(said=None, **settings):
    with udp.server(udp.go_command("oob-server", timeout=60, **settings), said=said) as port:
        yield port


def go_client(port, step, n_bytes=STREAM_BYTES, seconds=50, **settings):
    settings.update(step=step, bytes=n_bytes, timeout=seconds)
    return udp.client(udp.go_command("oob-client", f"127.0.0.1:{port}", **settings))


def no_answer():
    return pytest.raises(AssertionError, match="sizes never came back")


def check(result, crypt, step):
    """Every size has come back unaltered, up to the largest that fits."""
    largest = MTU - HEADS.get(crypt, 20) - 8 - 4
    assert result["ok"] and result["bad"] == 0
    assert result["oob_max"] == largest
    assert result["sizes"] == len(set(range(0, largest, step)) | {largest})
    stats = result.get("stats") or result["snmp"]
    assert int(stats["OOBPackets"]) >= result["sizes"]
    assert int(stats["KCPInErrors"]) == int(stats["InErrs"]) == int(stats["InCsumErrors"]) == 0


@BOTH
@EVERY
def test_our_client(runtime, crypt, step):
    with go_server(**its(crypt)) as port:
        check(our_client(runtime, port, step, **ours(crypt)), crypt, step)


@BOTH
@EVERY
def test_our_server(runtime, crypt, step):
    with our_server(runtime, **ours(crypt)) as port:
        check(go_client(port, step, **its(crypt)), crypt, step)


@BOTH
def test_a_session_that_begins_with_one_and_never_sends_anything_else(runtime):
    with our_server(runtime, **ours("aes-128")) as port:
        result = go_client(port, 50, n_bytes=0, **its("aes-128"))
        check(result, "aes-128", 50)
        assert int(result["snmp"]["InSegs"]) == 0
    with go_server(**its("aes-128")) as port:
        result = our_client(runtime, port, 50, n_bytes=0, **ours("aes-128"))
        check(result, "aes-128", 50)
        assert result["stats"]["InSegs"] == 0


@BOTH
def test_a_receiver_without_a_handler_drops_them(runtime):
    """The echo servers of the other tests have none."""
    crypt, said = "aes-128", []
    with udp.go_server(said, **its(crypt)) as port, no_answer():
        our_client(runtime, port, 50, seconds=1, **ours(crypt))
    assert json.loads(said[-1])["snmp"]["OOBPackets"] > 10
    with udp.our_server(runtime, STREAM_BYTES, said, **ours(crypt)) as port, no_answer():
        go_client(port, 50, seconds=1, **its(crypt))
    echoed = [line for line in said if "echoed" in line]
    assert json.loads(echoed[0])["stats"]["OOBPackets"] > 0  # and the stream went on beside them
