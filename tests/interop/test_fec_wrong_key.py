"""With another key nothing of FEC gets through, to kcp-go or from it: it is counted, not answered.

Parity and out-of-band packets make no exception, and nothing is repaired from what was refused.
"""

import contextlib
import json

import pytest
import udp

BOTH = pytest.mark.parametrize("runtime", udp.RUNTIMES)
CRYPTS = pytest.mark.parametrize("crypt", ("xor", "salsa20", "aes-128", "aes-128-gcm"))
MTU = 400
STREAM_BYTES = 20_000
OPTIONS = {"mtu": MTU, "datashard": 3, "parityshard": 2, "mode": "fast3"}
NOTHING = ("InPkts", "OutPkts", "BytesSent", "BytesReceived", "PassiveOpens", "CurrEstab",
           "FECRecovered", "FECParityShards", "FECFullShards", "OOBPackets",
           "KCPInErrors")  # fmt: skip


@contextlib.contextmanager
def way_to(port):
    """A relay that loses nothing: nothing may come back through it."""
    with udp.Gauge(("127.0.0.1", port)) as relay:
        yield relay.port
        lanes = relay.counters()
    assert lanes["up"]["delivered"] > 50 and lanes["down"]["received"] == 0, lanes


def check(stats):
    assert stats["InCsumErrors"] > 50
    assert [name for name in NOTHING if stats[name]] == []


@BOTH
@CRYPTS
def test_our_client(runtime, crypt):
    said = []
    settings = dict(OPTIONS, crypt=crypt)
    words = json.dumps(dict(settings, passphrase="ours"))
    with udp.go_server(said, key="its", **settings) as port, way_to(port) as way:
        words = ("client", "127.0.0.1", way, 1, 20, STREAM_BYTES, words)
        with pytest.raises(AssertionError, match="sizes never came back"):
            udp.client(udp.our_command(runtime, "oob.py", *words))
    check(json.loads(said[-1])["snmp"])


@BOTH
@CRYPTS
def test_our_server(runtime, crypt):
    said = []
    settings = dict(OPTIONS, crypt=crypt)
    words = json.dumps(dict(settings, passphrase="ours"))
    words = ("server", "127.0.0.1", udp.free_port(), udp.TIMEOUT_S, words)
    server = udp.server(udp.our_command(runtime, "oob.py", *words), said=said)
    with server as port, way_to(port) as way:
        flags = dict(settings, key="its", step=20, bytes=STREAM_BYTES, timeout=1)
        with pytest.raises(AssertionError, match="sizes never came back"):
            udp.client(udp.go_command("oob-client", f"127.0.0.1:{way}", **flags))
    check(json.loads([line for line in said if '"listener"' in line][-1])["stats"])
