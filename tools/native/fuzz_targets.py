"""Builds the fuzz targets of tests/native/fuzz over the instrumented core, and runs them.

libFuzzer takes the targets as they are; here tests/native/fuzz/driver.c drives them, as gcc is
there everywhere. AddressSanitizer and UBSan watch.
"""

import os

import compile as native

TARGETS = ("crypt", "rs", "fec", "session")
FOLDER = os.path.join(native.ROOT, "tests", "native", "fuzz")
SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FLAGS = [*SANITIZERS, *native.WARNINGS, "-D_POSIX_C_SOURCE=200809L"]


def build(name):
    """Compile a target; the path of the program."""
    folder = "fuzz-" + name
    core = native.objects(
        "fuzz-core", native.core_sources(), [*FLAGS, "-fsanitize-coverage=trace-pc"]
    )
    sources = [os.path.join(FOLDER, part) for part in (f"fuzz_{name}.c", "driver.c")]
    program = os.path.join(native.BUILD, folder, "fuzz_" + name)
    native.run(["gcc", *SANITIZERS, *core, *native.objects(folder, sources, FLAGS), "-o", program])
    return program


def run(name, how_long, seed):
    """Run a target as often as a number says, or for a time ("60s"); what it said."""
    said = native.run([build(name), str(how_long), str(seed)])
    return f"fuzz_{name}, seed {seed}: {said.strip()}"
