"""A network in virtual time: links that lose, delay and queue as told, the same for every run of a
seed, on both runtimes. The tests, the reports of tools/ and `kcp sim` run on it.

link.py   one direction of a path, every parameter defined     rng.py   its only source of chance
net.py    the path: two links and what is under way             load.py  what the two ends send
pair.py   one run, from event to event                          session_peer.py   an end: a Session

scenarios.json holds named links, and the cases that tests/sim runs on them. The twin of it all is
tests/interop/peers/sim, in Go.
"""

#: Path of scenarios.json.
SCENARIOS = __file__.replace("\\", "/").rpartition("/")[0] + "/scenarios.json"


def diff32(later, earlier):
    """later - earlier of two 32-bit numbers, as a signed number."""
    d = (later - earlier) & 0xFFFFFFFF
    return d - 0x100000000 if d & 0x80000000 else d
