"""The parts of tools/netlab on their own: packets, NAT, lanes, options, who is refused."""

import struct

import netlab_support  # noqa: F401 (puts tools/ on the path)
from netlab import ends, options, packet, rows, show, spaces, tables
from netlab.lab import Lab
from netlab.lane import Lane, Spread

NEAR, FAR = bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2])
OTHER = bytes([10, 77, 0, 101])


def checksum(data):
    """The Internet checksum, from scratch."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def make(protocol, source, target, ports, data=b"hello", options=b"", with_sum=True):
    """An IPv4 packet with right checksums."""
    rest = b"\x50\x00\x10\x00" + bytes(4) if protocol == 6 else b""
    head = struct.pack(">HH", *ports)
    head += bytes(8) + rest if protocol == 6 else struct.pack(">HH", 8 + len(data), 0)
    at = 16 if protocol == 6 else 6
    body = bytearray(head + data)
    if with_sum:
        pseudo = source + target + struct.pack(">HH", protocol, len(body))
        struct.pack_into(">H", body, at, checksum(pseudo + bytes(body)) or 0xFFFF)
    ip = struct.pack(
        ">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), 1, 0x4000,
        64, protocol, 0, source, target,
    )  # fmt: skip
    ip += options
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + bytes(body)


def right(data):
    """True if the checksums of a packet are."""
    head = (data[0] & 15) * 4
    body = data[head:]
    pseudo = data[12:20] + struct.pack(">HH", data[9], len(body))
    return checksum(data[:head]) == 0 and checksum(pseudo + body) == 0


def test_a_flow_is_its_protocol_and_the_far_port():
    there, back = make(17, NEAR, FAR, (5, 4000)), make(17, FAR, NEAR, (4000, 5))
    assert packet.flow_of(there, True) == packet.flow_of(back, False) == ("udp", 4000)
    assert packet.flow_of(make(6, NEAR, FAR, (5, 80), options=bytes(8)), True) == ("tcp", 80)
    fragment = there[:6] + b"\x00\x10" + there[8:]
    assert packet.flow_of(fragment, True) == ("udp", 0)
    assert packet.flow_of(make(17, NEAR, FAR, (1, 2))[:20], True) == ("udp", 0)


def test_the_nat_changes_nothing_until_it_forgets():
    nat = packet.Nat((NEAR, OTHER))
    there, back = make(17, NEAR, FAR, (5, 4000)), make(17, FAR, NEAR, (4000, 5))
    assert nat.outward(there) is there and nat.inward(back) is back
    nat.rebind("port")
    assert nat.inward(back) is None and nat.stale == 1


def test_the_nat_translates_with_right_checksums():
    for protocol in (6, 17):
        for n_data in (0, 1, 1000):
            nat = packet.Nat((NEAR, OTHER))
            nat.rebind("address")
            there = make(protocol, NEAR, FAR, (5, 4000), bytes(range(256)) * 4, options=bytes(4))
            there = make(protocol, NEAR, FAR, (5, 4000), bytes(n_data))
            out = nat.outward(there)
            assert out[12:16] == OTHER and out[20:22] != there[20:22] and right(out)
            port = struct.unpack(">H", out[20:22])[0]
            assert nat.outward(there) == out  # a conversation keeps its port
            back = nat.inward(make(protocol, FAR, OTHER, (4000, port), b"answer"))
            assert back == make(protocol, FAR, NEAR, (4000, 5), b"answer") and right(back)
    without = make(17, NEAR, FAR, (5, 4000), with_sum=False)
    assert nat.outward(without)[26:28] == b"\0\0"


def test_the_nat_is_bounded():
    nat = packet.Nat((NEAR,))
    nat.rebind("port")
    first = nat.outward(make(17, NEAR, FAR, (1, 4000)))
    for port in range(2, 6000):
        nat.outward(make(17, NEAR, FAR, (port, 4000)))
    assert len(nat._out) == len(nat._back) == 4096
    port = struct.unpack(">H", first[20:22])[0]
    assert nat.inward(make(17, FAR, NEAR, (4000, port))) is None


def test_damage_to_data_passes_and_damage_to_heads_does_not():
    whole = make(17, NEAR, FAR, (5, 4000), b"hello")
    damaged = whole[:-1] + b"!"
    assert packet.let_through(damaged, whole) == whole[:26] + b"\0\0" + b"hell!"
    bad_head = b"\x46" + whole[1:]
    assert packet.let_through(bad_head, whole) == bad_head
    tcp = make(6, NEAR, FAR, (5, 4000), b"hello")
    assert packet.let_through(tcp[:-1] + b"!", tcp) == tcp[:-1] + b"!"


def test_a_lane_counts_by_flow():
    lane = Lane({"rate_kbps": 1000, "queue": 2, "delay_ms": 10}, 1, 0)
    one, other = lane.flow(("udp", 1)), lane.flow(("udp", 2))
    due = [lane.send(500, bytes(125), flow) for flow in (one, one, other, other)]
    # 1 ms each at 1 Mbit/s: one on the line, two waiting, and no room
    assert [[us for us, _ in copies] for copies in due] == [[11500], [12500], [13500], []]
    assert (one.sent, one.queue_drops, other.queue_drops) == (2, 0, 1)
    assert (one.waits.max_us, other.waits.max_us) == (1000, 2000)
    assert lane.hand_over(211_500, 11_500, bytes(125), one)
    assert one.bytes_between(0, 200) == 0 and one.bytes_between(200, 300) == 125
    assert lane.late.as_dict()["max_ms"] == 200
    for port in range(100):
        lane.flow(("udp", port))
    assert len(lane.flows) == 65 and lane.flow(("tcp", 9)) is lane.flows[("others", 0)]


def test_parts_of_a_spread():
    spread = Spread()
    for us in range(0, 100_000, 1000):
        spread.add(us)
    spread.add(10**9)
    assert 49 <= spread.part_ms(0.5) <= 51 and 97 <= spread.part_ms(0.98) <= 99.2
    assert spread.as_dict()["max_ms"] == 1e6


def test_links_are_read():
    link = options.read_link("quic,loss_pct=3,blackhole=5000-7000/9000-9100,rates=500-2000")
    assert link["rate_kbps"] == 10000 and link["loss_pct"] == 3 and "overhead" not in link
    assert link["blackhole"] == [[5000, 7000], [9000, 9100]] and link["rates"] == [[500, 2000]]
    assert options.read_link("ge=1/2/3/4") == {"ge": [1, 2, 3, 4]}
    assert options.read_rebinds("2,0.5", "1") == [(500, "port"), (1000, "address"), (2000, "port")]


def test_who_may_have_no_namespaces_gets_udp_and_the_reason(monkeypatch):
    def refuse(*_words):
        raise PermissionError(1, "Operation not permitted", "unshare")

    monkeypatch.setattr(spaces, "_call", refuse)
    with Lab({}, port=9) as lab:
        assert lab.mode == "udp" and lab.near_port not in (0, 9)
        assert "need root, or user namespaces" in lab.refusal
    monkeypatch.setattr(spaces, "_open_pair", lambda: open("/none/dev/net/tun"))
    try:
        Lab({}, mode="tun")
    except spaces.NotAllowed:
        return
    raise AssertionError("no namespaces, and it was not told")


def result(end, **more):
    """What one measurement comes to, as far as a table needs it."""
    found = {"row": "T01", "title": "some", "ends": [end], "ok": True, "seconds": 2.0}
    found.update(mbit=8.0, queue_ms=1.0, queue_p99_ms=2.0, drops_pct=0.0, wire_factor=1.1)
    found.update(more)
    return found


def test_tables_have_medians_ratios_and_failures():
    results = [result("kcp-go", mbit=mbit) for mbit in (4.0, 1.0, 5.0)]
    results += [result("ours"), result("ours", ok=False, mbit=None, error="x" * 99)]
    results += [result("ours", row="T19", is_fate=True, ok=False, error="reset")]
    shared = {"mbit": [6.0, 2.0], "share": 0.75, "flows": [result("ours"), result("kcp-go")]}
    results += [dict(shared, row="share", title="two", ends=["ours", "TCP cubic"])]
    about = {"kernel": "6", "cpus": 2, "mode": "tun", "tcp": ["cubic"], "python": "3"}
    text = "\n".join(tables.lines({"about": about, "results": results}))
    assert "| kcp-go | 4.00 | 1.00 | - |" in text
    assert "| ours | 8.00 | 2.00 | - | 1.0 | 2.0 | 0.0 | 1.10 | 1 of 2: " + "x" * 57 in text
    assert "| ours | 0 of 1 | 2.0 | 1 of 1: reset |" in text
    assert "| ours | TCP cubic | 6.00 | 2.00 | 0.75 |" in text
    widths = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert sorted(set(widths)) == [5, 10]
    assert "| T01 | some | 1.00 | - |" in text  # of ours one has failed


def test_every_row_can_be_measured():
    known = ends.all_ends()
    assert "ours" in known and len({row.id for row in rows.ROWS}) == len(rows.ROWS)
    for row in rows.ROWS:
        Lane(row.link, 1, 0)
        for name in row.ends or ():
            assert name in known or name.startswith(("TCP", "kcp-go"))


def test_what_is_told():
    with Lab({"delay_ms": 1}, mode="udp", port=9) as lab:
        lab.begin()
        text = "\n".join(show.lines(lab.counters()))
    assert "up:   0 packets" in text and "at most 0.0 ms" in text
