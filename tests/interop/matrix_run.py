"""Runs a row of the interop matrix (matrix_rows.py): an echo over real UDP, judged at both ends.

What must hold: every byte comes back (SHA-256) and nothing is refused as damaged at either end.
Over a link that loses, a side that sends without FEC must send something again; where it sends
with FEC the other side must repair: it has recovered something, and no more than was lost on the
way. (kcp-go's FECRecovered alone proves nothing: it also grows when late packets fill a group
again.)
"""

import json
import zlib

import matrix_rows
import udp

PASSPHRASE = "it's a secrét"
KEY_BYTES = {
    "xor": 7, "salsa20": 32, "aes-128": 16, "aes-192": 24, "aes-256": 32,
    "aes-128-gcm": 16, "aes-192-gcm": 24, "aes-256-gcm": 32,
    "chacha20-poly1305": 32,
    "sm4": 16, "twofish": 24, "blowfish": 9, "cast5": 16, "3des": 24, "tea": 16, "xtea": 16,
}  # fmt: skip
OVERHEAD_BYTES = 60  # of a datagram, at most: crypt, FEC and KCP heads and the tag

# How much is sent each way. Where FEC has to repair it must be enough packets that it can: in a
# group of ten with 5 % loss something can be repaired 4 times out of 10; and a decoder that has to
# find the ratio needs some hundred packets, as it takes 24 in a row without a gap.
FAST_BYTES = 1_000_000
REPAIR_PACKETS = 350
SEARCH_PACKETS = 1300

#: Ciphers that take milliseconds for a packet, as the runtime has nothing of them built in.
SLOW = {
    "micropython": (
        "salsa20", "aes-192", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm",
        "chacha20-poly1305", "sm4", "twofish", "blowfish", "cast5", "3des", "tea", "xtea",
    ),
    "cpython": ("twofish", "tea", "xtea"),
}  # fmt: skip
# They send less, through small windows: what waits in a queue for longer than a retransmission
# timeout comes twice, and both must be decrypted. So few packets are enough only if those are lost
# that must be; the relay's seed is chosen accordingly.
SLOW_BYTES = 64_000
SLOW_WND = 16
SLOW_GROUPS = 3  # groups of FEC packets by which something must have been repaired ...
SLOW_PACKETS = 40  # ... and without FEC, packets of which more than one is lost

ERRORS = ("InErrs", "InCsumErrors", "KCPInErrors")


def is_slow(runtime, row):
    """Does every packet take milliseconds?"""
    return row["crypt"] in SLOW[runtime]


def n_bytes(runtime, row):
    """How many bytes a row sends."""
    ours, theirs = matrix_rows.FECS[row["fec"]]
    if is_slow(runtime, row):
        # a busy machine sends some packets twice, and not those that the seed is for
        return SLOW_BYTES if ours == theirs or not row["loss"] else 3 * SLOW_BYTES
    if not row["loss"] or not (ours or theirs):
        return FAST_BYTES
    packets = REPAIR_PACKETS if ours == theirs else SEARCH_PACKETS
    return max(FAST_BYTES, packets * (row["mtu"] - OVERHEAD_BYTES))


def loses_well(seed, lane, fec, loss, must_search):
    """Do the relay's first losses in a lane ("up", "down") prove something?

    With FEC the decoder has to repair a packet; with must_search it has to find the ratio before,
    from two groups without a loss.
    """
    data, parity = fec or (SLOW_PACKETS, 0)
    drawn = udp.Lane(loss, 0, 0, f"{lane} {seed}")
    groups = [[drawn.due(0, 0) is None for _ in range(data + parity)] for _ in range(SLOW_GROUPS)]
    if not fec:
        return sum(groups[0]) > 1
    if must_search:
        if any(groups[0]) or any(groups[1]):
            return False
        groups = groups[2:]
    return any(any(group[:data]) and sum(group) <= parity for group in groups)


def seed_for(place, row):
    """The relay's seed. In a slow row it is one with which each lane loses_well."""
    runtime, end = place
    seed = zlib.crc32(repr((place, row)).encode()) & 0xFFFF
    if not row["loss"] or not is_slow(runtime, row):
        return seed
    ours, theirs = matrix_rows.FECS[row["fec"]]
    lanes = list(zip(("up", "down") if end == "client" else ("down", "up"), (ours, theirs)))
    while not all(loses_well(seed, *lane, row["loss"], ours != theirs) for lane in lanes):
        seed += 1
    return seed


def options(runtime, row):
    """The options of both ends: (ours, kcp-go's)."""
    common = {name: row[name] for name in ("crypt", "mtu", "stream")}
    if is_slow(runtime, row):
        common.update(sndwnd=SLOW_WND, rcvwnd=SLOW_WND)
    ours, theirs = dict(common), dict(common)
    if is_slow(runtime, row):
        ours["fec_acks"] = True  # the seed counts on every datagram's being in a group
    for end, fec in zip((ours, theirs), matrix_rows.FECS[row["fec"]]):
        if fec:
            end["datashard"], end["parityshard"] = fec
    if row["crypt"] in matrix_rows.KEYLESS:
        return ours, theirs
    if row["key"] == "passphrase":
        ours["passphrase"] = theirs["key"] = PASSPHRASE
    else:
        key = bytes(range(7, 7 + KEY_BYTES[row["crypt"]])).hex()
        ours["key"], theirs["key"] = key, "hex:" + key
    return ours, theirs


class Outcome:
    """What a row came to: `ours` and `theirs`, the counters of both ends, and `links`, the relay's
    (empty without one); `n_bytes` sent and echoed.
    """

    def __init__(self, place, row):
        self.runtime, self.end = place
        self.row = row
        self.n_bytes = n_bytes(self.runtime, row)
        self.links = {}
        self.seed = seed_for(place, row)

    def run(self):
        """Run the row; AssertionError if an end fails or the bytes differ."""
        run = self._our_client if self.end == "client" else self._our_server
        self.ours, self.theirs = run(*options(self.runtime, self.row))
        return self

    def _link(self, port):
        row = self.row
        ours = self.end == "server"
        return udp.link(port, row["mtu"], row["loss"], self.seed, ours, self.links)

    def _our_client(self, ours, theirs):
        said = []
        with udp.go_server(said, **theirs) as port, self._link(port) as way:
            result = udp.our_client(self.runtime, way, self.n_bytes, self.seed, **ours)
        self._check(result)
        return result["stats"], _event(said, "end")["snmp"]

    def _our_server(self, ours, theirs):
        said = []
        server = udp.our_server(self.runtime, self.n_bytes, said, **ours)
        with server as port, self._link(port) as way:
            result = udp.go_client(way, self.n_bytes, self.seed, **theirs)
        self._check(result)
        return _event(said, "echoed")["stats"], result["snmp"]

    def _check(self, result):
        assert result["ok"] and result["bytes"] == self.n_bytes, result

    def complaints(self):
        """What is wrong with it, as a list of sentences."""
        found = []
        for whose, stats in (("ours", self.ours), ("kcp-go's", self.theirs)):
            found += [f"{whose} {name} is {stats[name]}" for name in ERRORS if stats[name]]
        if self.row["loss"]:
            our_fec, their_fec = matrix_rows.FECS[self.row["fec"]]
            to_us, to_them = ("down", "up") if self.end == "client" else ("up", "down")
            found += self._repairs("we", self.ours, to_us, their_fec)
            found += self._repairs("kcp-go", self.theirs, to_them, our_fec)
            if not is_slow(self.runtime, self.row):  # there all that is lost may be ACKs
                found += self._resends("we", self.ours, our_fec)
                found += self._resends("kcp-go", self.theirs, their_fec)
        return found

    @staticmethod
    def _resends(who, stats, fec):
        if fec or stats["RetransSegs"]:
            return []
        return [f"{who} sent nothing again, without FEC"]

    def _repairs(self, who, stats, lane, fec):
        n_repaired = stats["FECRecovered"]
        if not fec:
            return [f"{who} recovered {n_repaired} without FEC"] if n_repaired else []
        n_lost = self.links[lane]["received"] - stats["InPkts"]
        if 0 < n_repaired <= n_lost:
            return []
        return [f"{who} recovered {n_repaired} of {n_lost} lost"]


def _event(lines, name):
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return next(event for event in events if event.get("event") == name)


def run(place, row):
    """Run a row in a place; AssertionError with all that is wrong."""
    outcome = Outcome(place, row).run()
    complaints = outcome.complaints()
    assert not complaints, "; ".join(complaints)
    return outcome
