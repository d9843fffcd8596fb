"""What the interop matrix is made of, and sets of rows that cover every pair of values.

A row is a dict with one value for each factor; it is run in four places: our client or our server,
on CPython or on MicroPython, with kcp-go at the other end. covering() gives the rows for a push:
any two values of two factors meet in at least one of them. product() gives all.
"""

import itertools
import random

CIPHERS = (
    "null", "none", "xor", "salsa20", "aes-128", "aes-192", "aes-256",
    "aes-128-gcm", "aes-192-gcm", "aes-256-gcm",
    "chacha20-poly1305",
    "sm4", "twofish", "blowfish", "cast5", "3des", "tea", "xtea",
)  # fmt: skip
KEYLESS = ("null", "none")

#: What we send with, and what kcp-go sends with: (data, parity) shards.
FECS = {
    "off": (None, None),
    "10/3": ((10, 3), (10, 3)),
    "5/2 to 10/3": ((5, 2), (10, 3)),
    "10/3 to 5/2": ((10, 3), (5, 2)),
    "ours 10/3": ((10, 3), None),
    "theirs 10/3": (None, (10, 3)),
}

FACTORS = {
    "crypt": CIPHERS,
    "fec": tuple(FECS),
    "mtu": (512, 1350, 1400),
    "stream": (True, False),
    "loss": (0, 0.05),
    "key": ("passphrase", "hex"),
}

RUNTIMES = ("cpython", "micropython")
ENDS = ("client", "server")
PLACES = tuple(itertools.product(RUNTIMES, ENDS))

_TRIES = 20  # candidates for each row of a covering set


def product():
    """Every combination of values, as a list of rows (without a key there is no choice of one)."""
    rows = [dict(zip(FACTORS, values)) for values in itertools.product(*FACTORS.values())]
    return [row for row in rows if row["crypt"] not in KEYLESS or row["key"] == "passphrase"]


def pairs_of(row):
    """The pairs of values that meet in a row: a set of ((factor, value), (factor, value))."""
    return set(itertools.combinations(row.items(), 2))


def all_pairs():
    """Every pair of values of two factors."""
    return set().union(
        *[pairs_of(dict(zip(FACTORS, v))) for v in itertools.product(*FACTORS.values())]
    )


def covering(seed):
    """Rows in which every pair of values meets; the same ones for the same seed.

    Greedy: of several candidates, each grown around a pair that is still missing, the one is taken
    in which most missing pairs meet.
    """
    rng = random.Random(seed)
    missing = sorted(all_pairs(), key=repr)
    rows = []
    while missing:
        candidates = [_grow(rng, missing) for _ in range(_TRIES)]
        best = max(candidates, key=lambda row: _n_new(row, missing))
        covered = pairs_of(best)
        missing = [pair for pair in missing if pair not in covered]
        rows.append(best)
    return rows


def _n_new(row, missing):
    return len(pairs_of(row).intersection(missing))


def _grow(rng, missing):
    """A row around a random missing pair, factor by factor with the value that covers most."""
    chosen = dict(missing[rng.randrange(len(missing))])
    free = [name for name in FACTORS if name not in chosen]
    rng.shuffle(free)
    for name in free:
        values = list(FACTORS[name])
        rng.shuffle(values)
        wanted = [pair for pair in missing if name in (pair[0][0], pair[1][0])]
        chosen[name] = max(values, key=lambda v: _n_met(chosen, (name, v), wanted))
    return {name: chosen[name] for name in FACTORS}


def _n_met(chosen, value, wanted):
    """How many wanted pairs hold `value` and a value that was chosen already."""
    return sum(
        (pair[0] == value and chosen.get(pair[1][0]) == pair[1][1])
        or (pair[1] == value and chosen.get(pair[0][0]) == pair[0][1])
        for pair in wanted
    )


def name_of(row):
    """A row as one word, for the name of a test."""
    mode = "stream" if row["stream"] else "message"
    fec = row["fec"].replace(" ", "-")
    words = (row["crypt"], fec, row["mtu"], mode, f"{row['loss']:.0%}", row["key"])
    return "-".join(str(word) for word in words)
