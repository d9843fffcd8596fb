#!/usr/bin/env python3
"""Finds the most stack that the C core may need, over every path of calls, and checks the limit.

    tools/native/stack.py [--limit BYTES]

gcc says what each function takes and whom it calls (-fcallgraph-info=su). In kcp_cfb() a call by
pointer counts as the deepest block cipher. Elsewhere it is a function of the owner's, for memory
or random bytes, which come on top of what is printed. Recursion is an error, and a function whose
stack has no bound.
"""

import argparse
import os
import re
import sys

import compile as native

LIMIT_BYTES = 768
FLAGS = ["-Os", "-fcallgraph-info=su"]
CALLS_CIPHERS = "kcp_cfb"
#: Entry points by their names, the session's six verbs and the rest of it last.
GROUPS = {
    "ciphers and kernels": "crypt|rs|gf|crc32|xor",
    "FEC": "encoder|decoder|tuner|auto",
    "ARQ": "arq",
    "session": "session",
}
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
BYTES = re.compile(r"(\d+) bytes \(([\w,]+)")


def read(paths):
    """({function: bytes}, {function: whom it calls}) of gcc's files."""
    sizes, calls = {}, {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for name, label in NODE.findall(text):
            found = BYTES.search(label)
            if found:
                if found[2] not in ("static", "dynamic,bounded"):
                    sys.exit(f"{name} takes stack whose size is not known: {found[0]}")
                sizes[name] = int(found[1])
        for caller, called in EDGE.findall(text):
            calls.setdefault(caller, set()).add(called)
    return sizes, calls


def deepest(name, sizes, calls, above=()):
    """(bytes, path) of the deepest path of calls from a function."""
    if name in above:
        sys.exit(f"recursion: {' > '.join([*above, name])}")
    best = (0, ())
    for called in calls.get(name, ()):
        targets = [called]
        if called == "__indirect_call":
            is_block = re.compile(r"kcp_\w+_block$").match if name == CALLS_CIPHERS else None
            targets = [one for one in sizes if is_block and is_block(one)]
        for target in targets:
            best = max(best, deepest(target, sizes, calls, (*above, name)))
    return sizes.get(name, 0) + best[0], (name, *best[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=LIMIT_BYTES)
    limit = parser.parse_args().limit
    objects = native.objects("stack", native.core_sources(), FLAGS)
    sizes, calls = read([os.path.splitext(path)[0] + ".ci" for path in objects])
    most = 0
    for group, words in GROUPS.items():
        public = [name for name in sizes if re.match(rf"kcp_({words})", name)]
        n_bytes, path = max(deepest(name, sizes, calls) for name in public)
        names = [name.rpartition(":")[2] for name in path]
        print(f"{n_bytes:6} bytes of stack, {group}: {' > '.join(names)}")
        most = max(most, n_bytes)
    if most > limit:
        sys.exit(f"the limit is {limit} bytes")


if __name__ == "__main__":
    main()
