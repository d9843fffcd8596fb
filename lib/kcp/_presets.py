"""Settings that fit a kind of link: `Config(preset="lora")`. What is given besides goes first."""

from ._compat import DEFAULT_WND, MICROPYTHON

#: Each value is where it is for the reason behind it. Windows of links that carry IP are what a
#: host needs; on MicroPython they are no larger than what the machine can afford.
PRESETS = {
    "lan": {
        "mode": "fast3",  # nothing is far away: answer a loss at once, bandwidth is there
        "mtu": 1400,  # Ethernet's 1500 less IP, UDP and a VLAN or tunnel head
        "sndwnd": 256,  # 350 KB: 1 Gbit/s at 2 ms
        "rcvwnd": 512,
        "dead_ms": 15000,  # a silent peer is off, not far
    },
    "wifi": {
        "mode": "fast2",  # 20 ms: the radio's own repetitions take so long
        "mtu": 1400,
        "sndwnd": 256,  # 100 Mbit/s at 20 ms
        "rcvwnd": 512,
        "dead_ms": 30000,  # roaming between access points takes some seconds
    },
    "lte": {
        "mode": "fast2",
        "mtu": 1350,  # the operator's tunnel (GTP) takes 36 to 100 bytes
        "sndwnd": 512,  # 100 Mbit/s at 50 ms
        "rcvwnd": 512,
        "dead_ms": 60000,  # a tunnel, a lift
    },
    "satellite": {
        "mode": "fast",
        "mtu": 1350,
        "sndwnd": 1024,  # 10 Mbit/s at 1 s, the round trip of a geostationary one with queues
        "rcvwnd": 1024,
        "fec": (10, 3),  # a retransmission costs 600 ms
        "dead_ms": 120000,  # rain
        "linger_ms": 30000,  # some round trips
    },
    "espnow": {
        "mode": "fast2",  # a round trip takes 5 to 20 ms
        "mtu": 250,  # ESP-NOW's limit
        "sndwnd": 8,  # 2 KB: as many frames as the driver queues
        "rcvwnd": 8,  # its receive buffer holds two frames unless rxbuf is set
        "dead_ms": 15000,
        "max_fec_bytes": 4096,
    },
    "lora": {
        "mode": "manual",
        "nodelay": 0,  # the time-out doubles: a full channel gets no fuller
        "interval": 500,  # a frame of 200 bytes is 0.3 s (SF7) to 2 s (SF10) in the air
        "resend": 0,  # nothing overtakes on one channel: only a time-out shows a loss
        "mtu": 200,  # below the 222 bytes that most regions allow at SF7, and the FIFO's 255
        "sndwnd": 4,  # what is in flight delays the acknowledgement: half duplex
        "rcvwnd": 4,
        "dead_ms": 300000,  # a duty cycle of 1 % silences a sender for minutes
        "linger_ms": 60000,
        "max_fec_bytes": 2048,
    },
    "serial": {
        "mode": "manual",
        "nodelay": 0,
        "interval": 50,  # two frames of 250 bytes at 115,200 baud
        "resend": 2,
        "mtu": 250,  # 22 ms at 115,200 baud; what a flipped bit costs
        "sndwnd": 8,  # 2 KB: 170 ms of the line
        "rcvwnd": 8,
        "dead_ms": 15000,
        "max_fec_bytes": 4096,
    },
}


def expanded(options: dict) -> dict:
    """Return the options with those of options["preset"] under them. ValueError on no preset."""
    name = options["preset"]
    if name is None:
        return options
    found = PRESETS.get(name)
    if found is None:
        names = ", ".join(sorted(PRESETS))
        raise ValueError("unknown preset %r; there are: %s" % (name, names))
    merged = dict(found)
    if MICROPYTHON:
        merged["sndwnd"] = min(merged["sndwnd"], DEFAULT_WND[0])
        merged["rcvwnd"] = min(merged["rcvwnd"], DEFAULT_WND[1])
    if "datashard" in options or "parityshard" in options:
        merged.pop("fec", None)
    merged.update(options)
    return merged
