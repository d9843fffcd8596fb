"""What a run came to, as lines to read."""

LATE_MS = 5  # when to doubt the figures: of 10 Mbit/s, four packets


def lines(counters):
    """Lines about the counters of a Lab."""
    for name in ("up", "down"):
        yield from _lane_lines(name, counters[name])
    if counters["rebinds"]:
        text = f"rebinds {counters['rebinds']}"
        if counters["mode"] == "tun":
            text += f", packets for forgotten ports {counters['stale']}"
        yield text
    yield from _late_lines(counters)


def _lane_lines(name, lane):
    link = lane["link"]
    n = max(1, link["sent"])
    parts = [f"{link['sent']} packets"]
    for counter in ("queue_drops", "lost", "blackholed", "corrupted", "duplicated", "replayed"):
        if link[counter]:
            parts.append(f"{counter} {link[counter]} ({100 * link[counter] / n:.1f} %)")
    yield f"{name + ':':6}{', '.join(parts)}"
    for flow, counts in lane["flows"].items():
        waits = counts["queueing"]
        yield (
            f"      {flow:12} sent {counts['sent_bytes']} bytes, arrived "
            f"{counts['arrived_bytes']}, in the queue mean {waits['mean_ms']:.1f} ms, "
            f"99 % within {waits['p99_ms']:.1f}, at most {waits['max_ms']:.1f}"
        )


def _late_lines(counters):
    late = [counters[name]["late"] for name in ("up", "down")]
    p99, worst = (max(one[key] for one in late) for key in ("p99_ms", "max_ms"))
    yield f"relay: handed over late by at most {worst:.1f} ms, 99 % within {p99:.1f} ms"
    if p99 > LATE_MS:
        yield f"relay: more than {LATE_MS} ms: this machine is too busy for figures to be trusted"
