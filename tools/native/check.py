#!/usr/bin/env python3
"""Tests the C core: unit tests under sanitizers, stack, sizes, fuzzers; and CPython's extension.

    tools/native/check.py [--fuzz-runs N] [--seed N]

Every combination of switches below is compiled without a warning and runs the whole of the tests;
what a combination leaves out, the tests leave out.
"""

import argparse
import glob
import os
import subprocess
import sys
import time

import compile as native
import fuzz_targets
import tables

TESTS = os.path.join(native.ROOT, "tests", "native")
VECTORS = os.path.join(native.ROOT, "tests", "vectors")
SMALL = ("CHACHA20_POLY1305", "SALSA20", "XOR", "SM4", "TWOFISH", "BLOWFISH", "CAST5", "3DES")
REST = ("TEA", "XTEA", "AES", "AES_GCM", "RS", "FEC", "ARQ", "SESSION")
COMBINATIONS = {
    "everything": [],
    "portable": ["AES_HARDWARE=0", "VECTORS=0", "CRC_SLICES=4"],
    "AES alone": [f"{name}=0" for name in (*SMALL, "TEA", "XTEA", "AES_GCM")],
    "no AES": ["AES=0", "CRC_SLICES=8"],
    "nothing": [f"{name}=0" for name in (*SMALL, *REST)],
}


def say(text):
    """A line of progress, in order with what the tests print."""
    print(text, flush=True)


def unit_tests(name, switches):
    """Build the tests with these switches and run them."""
    flags = [*fuzz_targets.FLAGS, "-pedantic"]
    flags += [f"-DKCP_{switch}" for switch in switches]
    folder = "unit-" + name.replace(" ", "-")
    sources = native.core_sources() + glob.glob(os.path.join(TESTS, "*.c"))
    program = os.path.join(native.BUILD, folder, "core_tests")
    native.run(
        ["gcc", *fuzz_targets.SANITIZERS, *native.objects(folder, sources, flags), "-o", program]
    )
    say(f"{name}: " + native.run([program, VECTORS]).strip().replace("\n", "; "))


def outside_names():
    """What the core wants from outside is what any C compiler takes for granted."""
    flags = ["-Os", "-fno-pie", *native.WARNINGS]
    objects = native.objects("outside", native.core_sources(), flags)
    defined, wanted = set(), set()
    for line in native.run(["nm", "-P", *objects]).splitlines():
        words = line.split()
        if len(words) > 1:
            (wanted if words[1] == "U" else defined).add(words[0])
    if not wanted - defined <= {"memcpy", "memmove", "memset"}:
        sys.exit(f"the core calls {sorted(wanted - defined)}")
    say(f"from outside: {' '.join(sorted(wanted - defined))}")


def tables_are_up_to_date():
    """The tables in the repository are what the plain twins make."""
    for name, text in tables.parts().items():
        with open(os.path.join(native.CORE, name), encoding="utf-8") as file:
            if file.read() != text:
                sys.exit(f"{name} is not what tools/native/tables.py makes; run it with --write")
    say("tables: as the plain twins have them")


def tool(name, *arguments):
    """Run a script beside this one."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    if subprocess.run([sys.executable, path, *arguments], check=False).returncode:
        sys.exit(f"{name} failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fuzz-runs", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    begin = time.monotonic()
    tables_are_up_to_date()
    outside_names()
    for name, switches in COMBINATIONS.items():
        unit_tests(name, switches)
    for name in fuzz_targets.TARGETS:
        say(fuzz_targets.run(name, arguments.fuzz_runs, arguments.seed))
    tool("stack.py")
    tool("sizes.py", "--check")
    tool("extension.py")
    say(f"native: all good, {time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
