"""Links by name, for who wants to try settings on one: those that the presets are made for, and
those of the test scenarios.

A link is a dict of `link.Link`'s parameters, the same for both ways.
"""

import json

from . import SCENARIOS

_IP_UDP_BYTES = 28
_PLAIN_PEER = {"snd_wnd", "rcv_wnd", "mode", "mtu"}

#: What the presets of `kcp.Config` are made for: (in words, link). Typical figures, no extremes.
PRESET_LINKS = {
    "lan": (
        "100 Mbit/s, 1 ms each way",
        {"delay_ms": 1, "rate_kbps": 100000, "queue": 200, "overhead": _IP_UDP_BYTES},
    ),
    "wifi": (
        "40 Mbit/s, 5 ms each way, losses in bursts (1.5 %)",
        {
            "delay_ms": 5,
            "rate_kbps": 40000,
            "queue": 200,
            "overhead": _IP_UDP_BYTES,
            "ge": [100, 3000, 4500, 10],
        },
    ),
    "lte": (
        "20 Mbit/s, 30 ms each way, a deep queue (240 ms), few losses (0.2 %)",
        {
            "delay_ms": 30,
            "rate_kbps": 20000,
            "queue": 430,
            "overhead": _IP_UDP_BYTES,
            "ge": [20, 2500, 2500, 0],
        },
    ),
    "satellite": (
        "10 Mbit/s, 300 ms each way, 1 % lost",
        {
            "delay_ms": 300,
            "rate_kbps": 10000,
            "queue": 300,
            "overhead": _IP_UDP_BYTES,
            "loss_pct": 1,
        },
    ),
    "espnow": (
        "500 kbit/s, 3 ms each way, 3 % lost",
        {"delay_ms": 3, "rate_kbps": 500, "queue": 8, "overhead": 40, "loss_pct": 3},
    ),
    "lora": (
        "5 kbit/s, 20 ms each way, 3 % lost",
        {"delay_ms": 20, "rate_kbps": 5, "queue": 4, "overhead": 13, "loss_pct": 3},
    ),
    "serial": (
        "115,200 baud, 2 ms each way",
        {"delay_ms": 2, "rate_kbps": 92, "queue": 8, "overhead": 6},
    ),
}


def links() -> dict:
    """Every link as {name: (in words, parameters)}: the presets' first, then the scenarios'."""
    found = dict(PRESET_LINKS)
    with open(SCENARIOS) as file:
        for name, link in json.load(file)["links"].items():
            found[name] = (in_words(link), link)
    return found


def case(name: str):
    """Return (name of the link, load, options of kcp.Config) of a case of the test scenarios, such
    as "T05-w48"; None if there is none, or if it takes more than these."""
    with open(SCENARIOS) as file:
        cases = json.load(file)["cases"]
    for one in cases:
        plain = set(one["peer"]) <= _PLAIN_PEER and "peer1" not in one and "back" not in one
        if one["id"] == name and plain and one["load"]["kind"] != "link":
            peer = dict(one["peer"])
            options = dict(zip(("nodelay", "interval", "resend", "nc"), peer["mode"]))
            options.update(sndwnd=peer["snd_wnd"], rcvwnd=peer["rcv_wnd"], mtu=peer["mtu"])
            return one["link"], one["load"], options
    return None


def in_words(link: dict) -> str:
    """Return what a link does, in a few words."""
    words = []
    if link.get("rate_kbps"):
        words.append("%s, queue %s" % (_rate(link["rate_kbps"]), link.get("queue") or "endless"))
    words.append("%d ms each way" % link.get("delay_ms", 0))
    if link.get("jitter_ms"):
        words.append("jitter %d ms" % link["jitter_ms"])
    for key, what in (
        ("loss_pct", "lost"),
        ("reorder_pct", "out of order"),
        ("dup_pct", "twice"),
        ("replay_pct", "once more, later"),
        ("corrupt_pct", "damaged"),
    ):
        if link.get(key):
            words.append("%d %% %s" % (link[key], what))
    if link.get("ge"):
        words.append("losses in bursts")
    for from_ms, to_ms in link.get("blackhole", ()):
        words.append("nothing passes from %d to %d ms" % (from_ms, to_ms))
    if link.get("rx_queue"):
        words.append("a receiver that holds %d datagrams" % link["rx_queue"])
    return ", ".join(words)


def _rate(kbps):
    return "%d Mbit/s" % (kbps // 1000) if kbps % 1000 == 0 else "%d kbit/s" % kbps
