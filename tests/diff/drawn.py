"""What the scenarios of the differential tests are: a number draws all of one.

number = seed * PER_SEED + row; a row is a link profile, a cipher, and FEC or none. Everything else
(settings of both ends, what the applications do and when, clocks) comes from a generator that the
number starts, so no two scenarios have the same.
"""

from kcp_sim.rng import Rng

PROFILES = ("clean", "lossy", "bursts", "doubles", "damage")
CRYPTS = ("null", "aes-128", "aes-128-gcm")
FECS = (None, (10, 3))
PER_SEED = len(PROFILES) * len(CRYPTS) * len(FECS)
SEEDS = 200

#: Counters that say which parts of the library a scenario has used.
COUNTED = (
    "RetransSegs",
    "FastRetransSegs",
    "EarlyRetransSegs",
    "LostSegs",
    "RepeatSegs",
    "FECRecovered",
    "OOBPackets",
    "InCsumErrors",
    "KCPInErrors",
    "MemoryDrops",
)

KEY = bytes(range(40, 56))
_HEADS = {"null": 0, "aes-128": 20, "aes-128-gcm": 28}
_FEC_HEAD = 8
_KCP_HEAD = 24
_M30 = 0x3FFFFFFF
_IP_UDP_BYTES = 28
_SCRIPT_MS = 500


def parts(number):
    """(seed, profile, cipher, FEC) of a scenario."""
    seed, row = divmod(number, PER_SEED)
    row, fec = divmod(row, len(FECS))
    profile, crypt = divmod(row, len(CRYPTS))
    return seed, PROFILES[profile], CRYPTS[crypt], FECS[fec]


def in_words(number):
    """What scenario it is, for messages."""
    seed, profile, crypt, fec = parts(number)
    fec = "FEC %d/%d" % fec if fec else "no FEC"
    return "seed %d, link %s, %s, %s" % (seed, profile, crypt, fec)


def one_of(rng, values):
    """Draw one of them."""
    return values[rng.below(len(values))]


def chance(rng, percent):
    """Draw True in so many cases of a hundred."""
    return rng.below(100) < percent


def link_of(rng, profile):
    """Draw the options of kcp_sim's Link for one direction."""
    link = {"delay_ms": 1 + rng.below(60)}
    if chance(rng, 30):
        link.update(rate_kbps=one_of(rng, (60, 300, 2000)), overhead=_IP_UDP_BYTES)
    if profile == "lossy":
        link.update(loss_pct=10)
    elif profile == "bursts":
        link.update(ge=[600, 3000, 8000, 100], reorder_pct=20, jitter_ms=rng.below(30))
    elif profile == "doubles":
        link.update(dup_pct=20, jitter_ms=5 + rng.below(60), replay_pct=5, replay_ms=800)
    elif profile == "damage":
        link.update(corrupt_pct=8, loss_pct=4)
    return link


class Plan:
    """Everything about one scenario that is known before it runs."""

    def __init__(self, number):
        _, profile, crypt, fec = parts(number)
        rng = Rng(number, 14)
        self.links = (link_of(rng, profile), link_of(rng, profile))
        self.conv = rng.next()
        # Clocks that run over their end, and such that do not.
        self.clocks_ms = [one_of(rng, (0, _M30 - 300, rng.below(_M30))) for _ in (0, 1)]
        is_stream = chance(rng, 60)
        self.options = []
        for _ in (0, 1):
            options = _options(rng, crypt, fec, profile == "damage")
            options["stream"] = is_stream if chance(rng, 90) else not is_stream
            self.options.append(options)
        self.budgets_bytes = [one_of(rng, (0, 0, 0, 0, 0, 0, 0, 600)) for _ in (0, 1)]
        self.read_every_ms = [one_of(rng, (0, 0, 0, 17, 230)) for _ in (0, 1)]
        self.read_bytes = [one_of(rng, (7, 200, 5000)) for _ in (0, 1)]
        self.script = self._script(rng, profile, fec)
        #: whether what is read must be what was written
        self.is_safe = profile != "damage" or crypt != "null"
        for _, _, what, _ in self.script:
            self.is_safe = self.is_safe and what != "restart"

    def _script(self, rng, profile, fec):
        """A list of (ms, side, what, how much), in the order of time."""
        acts = []
        busy = rng.below(2)  # one side sends more than the other
        for side in (0, 1):
            for _ in range(1 + rng.below(5 if side == busy else 2)):
                acts.append((rng.below(_SCRIPT_MS), side, "write", _write_bytes(rng, self, side)))
            if fec and chance(rng, 60):
                acts.append((rng.below(_SCRIPT_MS), side, "oob", rng.below(60)))
            if chance(rng, 20):
                acts.append((rng.below(_SCRIPT_MS), side, "set", rng.below(len(CHANGES))))
            if chance(rng, 10):
                acts.append((rng.below(_SCRIPT_MS), side, "probe", 0))
            if chance(rng, 5):
                acts.append((rng.below(_SCRIPT_MS), side, "log", 0))
            if profile == "damage":
                acts.append((rng.below(_SCRIPT_MS), side, "junk", 1 + rng.below(70)))
            if chance(rng, 50):
                linger_ms = one_of(rng, (0, 60, 1000, 4000))
                acts.append((_SCRIPT_MS // 2 + rng.below(1500), side, "close", linger_ms))
        if chance(rng, 6):
            acts.append((100 + rng.below(_SCRIPT_MS), rng.below(2), "restart", 0))
        acts.sort()
        return acts


def _write_bytes(rng, plan, side):
    segment = plan.options[side]["mtu"] - _HEADS[plan.options[side]["crypt"]] - _KCP_HEAD
    segment = max(1, segment - (_FEC_HEAD if plan.options[side]["fec"] else 0))
    return 1 + rng.below(segment * one_of(rng, (1, 3, 8)))


#: What a session may be told under way.
CHANGES = (
    {"sndwnd": 3, "rcvwnd": 5},
    {"sndwnd": 50, "rcvwnd": 60},
    {"mtu": 90},
    {"mtu": 160},
    {"mode": "fast3"},
    {"mode": "normal", "resend": 3},
    {"cc": "kcp"},
    {"cc": "none"},
    {"cc": "rate"},
    {"pacing": False},
    {"pacing": True},
    {"stream": True},
    {"stream": False},
    {"acknodelay": True, "write_delay": True},
    {"write_delay": False},
    {"rate_limit": 4000},
    {"dup": 1},
    {"dead_ms": 700},
    {"keepalive_ms": 200},
    {"idle_ms": 900},
)


def _options(rng, crypt, fec, is_small):
    """Draw the options of Config for one side."""
    room = one_of(rng, (60, 120, 200) if crypt != "null" else (60, 120, 300, 1200))
    if is_small:
        room = 25 + rng.below(70)
    overhead = _HEADS[crypt] + (_FEC_HEAD if fec else 0)
    options = {
        "crypt": crypt,
        "mtu": max(50, room + overhead),
        "mode": one_of(rng, ("normal", "fast", "fast2", "fast3")),
        "sndwnd": one_of(rng, (2, 8, 32, 128)),
        "rcvwnd": one_of(rng, (2, 8, 32, 128)),
        "cc": one_of(rng, ("none", "kcp", "rate", "rate")),
        "pacing": chance(rng, 70),
        "acknodelay": chance(rng, 25),
        "write_delay": chance(rng, 20),
        "fec": fec,
        "fec_acks": chance(rng, 30),
        "max_fec_bytes": one_of(rng, (0, 1 << 20, 1 << 20, 1 << 20)),
        "dead_ms": one_of(rng, (600, 3000, 90000, 90000)),
        "keepalive_ms": one_of(rng, (0, 0, 0, 300)),
        "idle_ms": one_of(rng, (0, 0, 0, 1200)),
        "linger_ms": 3000,
    }
    if crypt != "null":
        options["key"] = KEY
    if fec and chance(rng, 15):
        options["datashard"], options["parityshard"] = fec
        options["fec"] = "auto"
    if chance(rng, 15):
        options.update(nodelay=1, interval=10 + rng.below(90), resend=rng.below(4))
    if chance(rng, 8):
        options["rate_limit"] = one_of(rng, (2000, 50000))
    if chance(rng, 8):
        options["dup"] = 1
    return options
