"""What we count and what kcp-go counts of the same session, over real UDP without loss."""

import json

import pytest
import udp

from kcp import stats

N_BYTES = 400_000
HEAD_BYTES = 20  # nonce and checksum


@pytest.mark.parametrize("runtime", udp.RUNTIMES)
def test_the_same_session(runtime):
    options = {"crypt": "none", "datashard": 10, "parityshard": 3}
    said = []
    with udp.go_server(said, **options) as port:
        result = udp.our_client(runtime, port, N_BYTES, 1, **options)
    ours = result["stats"]
    events = [json.loads(line) for line in said if line.startswith("{")]
    theirs = next(event["snmp"] for event in events if event.get("event") == "end")
    names = stats.header()[: stats.N_KCP_GO]
    assert sorted(theirs) == sorted(names) and sorted(ours) == sorted(stats.NAMES)
    for name in ("BytesSent", "BytesReceived"):
        assert ours[name] == theirs[name] == N_BYTES
    assert ours["OutPkts"] == theirs["InPkts"] and ours["OutSegs"] == theirs["InSegs"]
    assert ours["OutBytes"] == theirs["InBytes"] + HEAD_BYTES * theirs["InPkts"]
    assert 0 < ours["InPkts"] <= theirs["OutPkts"]
    assert 0 < ours["InSegs"] <= theirs["OutSegs"]
    for one in (ours, theirs):
        assert one["FECParityShards"] > 3 and one["FECFullShards"] > 3
        assert one["FECShardMin"] > 3 and 1 <= one["FECShardSet"] <= 5
        for name in ("InErrs", "InCsumErrors", "KCPInErrors", "FECErrs", "FECRecovered"):
            assert one[name] == 0, name
    assert (ours["ActiveOpens"], theirs["PassiveOpens"], theirs["CurrEstab"]) == (1, 1, 1)
