"""What is measured: the N rows of the list of scenarios, and two flows that share a bottleneck."""

QUIC = {"delay_ms": 15, "rate_kbps": 10000, "queue": 25}
FAST3 = {"mode": "fast3", "window": 48, "fec": None, "crypt": "none", "patience_s": 60}
MB = 1_000_000
#: Ends that take part where they are asked for alone.
OPTIONAL = ("ours, roaming",)


def settings(**more):
    """Settings of the ends, over those of most rows."""
    return dict(FAST3, **more)


class Row:
    """One line of a table per end. id: as scenarios call it; ends: names of those that take part
    (None: all that can but OPTIONAL); is_udp_only: it is about something that TCP has not.
    """

    def __init__(self, name, title, link, config=FAST3, ends=None, is_udp_only=False):
        self.id, self.title, self.link, self.settings = name, title, link, config
        self.ends, self.is_udp_only = ends, is_udp_only


class Bulk(Row):
    """One way, in one flow. rebinds: of the NAT; restart_ms: when the server is killed, to be
    started anew half a second later.
    """

    def __init__(self, name, title, link, n_bytes, *words, rebinds=(), restart_ms=0, **more):
        super().__init__(name, title, link, *words, **more)
        self.n_bytes, self.rebinds, self.restart_ms = n_bytes, rebinds, restart_ms


class Ping(Row):
    """Messages there and back. counts: clients, messages of each, bytes of a message."""

    def __init__(self, name, title, link, counts, *words, **more):
        super().__init__(name, title, link, *words, **more)
        self.counts = counts


class Share(Row):
    """Two ends send through one bottleneck for so many seconds, the second a little later."""

    def __init__(self, name, title, link, pairs, seconds, *words):
        super().__init__(name, title, link, *words)
        self.pairs, self.seconds = pairs, seconds


_LOSSY = dict(QUIC, loss_pct=2, loss_burst=3)
_FAR = {"delay_ms": 100, "loss_pct": 20}
_BURSTS = dict(QUIC, ge=[100, 1000, 7000, 10])
_ROAMING = ("kcp-go", "ours", "ours, roaming", "TCP cubic")
_PAIRS = (
    ("TCP cubic", "TCP cubic"),
    ("ours", "TCP cubic"),
    ("kcp-go", "TCP cubic"),
    ("ours", "ours"),
    ("ours", "kcp-go"),
)

ROWS = (
    Bulk("T01", "10 MB, window 48", QUIC, 10 * MB),
    Bulk("T03", "4 MB, window 1024 (nobody has tuned it)", QUIC, 4 * MB, settings(window=1024)),
    Bulk("T02", "5 MB, FEC 10/3", QUIC, 5 * MB, settings(fec=[10, 3]), is_udp_only=True),
    Ping("T04", "1 KB there and back, 750 ms each way", dict(QUIC, delay_ms=750), (1, 1, 1024)),
    Bulk("T04-1M", "1 MB, 750 ms, window 256", dict(QUIC, delay_ms=750), MB, settings(window=256)),
    Bulk("T05", "2 MB, 2 % lost", _LOSSY, 2 * MB),
    Bulk("T05-fec", "2 MB, 2 % lost, FEC 10/3", _LOSSY, 2 * MB, settings(fec=[10, 3]),
         is_udp_only=True),
    Ping("T06", "64 bytes there and back, 100 ms, 20 % lost each way", _FAR, (10, 25, 64),
         settings(window=32)),
    Bulk("T06-200k", "200 KB, 100 ms, 20 % lost", _FAR, 200_000, settings(window=32)),
    Ping("T07", "50 clients, one more each 5 ms, 1 KB there and back, 30 % lost",
         dict(QUIC, loss_pct=30, loss_burst=3), (50, 1, 1024), settings(mode="fast2")),
    Bulk("T09", "10 MB, nothing passes from 5 s to 7 s", dict(QUIC, blackhole=[[5000, 7000]]),
         10 * MB),
    Bulk("T10", "4 MB, AES, new NAT port after 1 s, new address after 2 s", QUIC, 4 * MB,
         settings(patience_s=20, crypt="aes-128-gcm"), ends=_ROAMING,
         rebinds=((1000, "port"), (2000, "address"))),
    Bulk("T12", "2 MB, losses in bursts, FEC 10/3", _BURSTS, 2 * MB, settings(fec=[10, 3])),
    Bulk("T12-20", "2 MB, losses in bursts, FEC 20/10", _BURSTS, 2 * MB,
         settings(fec=[20, 10]), is_udp_only=True),
    Bulk("T19", "4 MB, server killed after 1 s and started anew", QUIC, 4 * MB,
         settings(patience_s=20), restart_ms=1000),
    Share("share", "two flows, window 1024", QUIC, _PAIRS, 20, settings(window=1024)),
    Share("share-100", "two flows, window 1024, a queue of 100", dict(QUIC, queue=100), _PAIRS, 20,
          settings(window=1024)),
)  # fmt: skip
