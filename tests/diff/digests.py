"""Prints a line per scenario: "@", number, digest, and counts of what happened, as name=count.

KCP_SCENARIOS="FIRST,END,STEP" says which scenarios; with ",trace" behind it every entry of the
digest is printed, too. The first line tells the twin. tests/run_twins.py runs this, and compares.
"""

import os

from diff.drawn import COUNTED

import kcp
import kcp.session


def test_digests():
    # Not before the library is loaded: small stacks hold few imports within each other.
    from diff.conversation import Conversation

    words = os.getenv("KCP_SCENARIOS").split(",")
    trace = print if len(words) > 3 else None
    print("@ twin", kcp.backend(), "C" if kcp.session.IN_C else "Python")
    for number in range(int(words[0]), int(words[1]), int(words[2])):
        one = Conversation(number, trace)
        digest = one.run()
        counts = {"datagrams": one.n_datagrams, "bytes": one.n_bytes}
        counts["delivered"] = one.stats.BytesReceived
        for name in COUNTED:
            counts[name] = getattr(one.stats, name)
        for how, n in one.ends.items():
            counts["ended:%s" % how] = n
        words = ["%s=%d" % (name, n) for name, n in sorted(counts.items()) if n]
        print("@", number, digest, *words)
