#!/usr/bin/env python3
"""Runs a shared test file on an emulated board; tests/run_upy.py takes it for an interpreter.

Usage: run_test.py KIND EMULATOR FIRMWARE [-X heapsize=N] RUNNER TESTS LIB FILE [WORD]
The heap is the firmware's, whatever -X says. KCP_MPY_CROSS names the compiler, KCP_NATMOD (if it
is set) the folder of a dynamic module _kcp.mpy for the board.
"""

import os
import sys
import tempfile

import machine
import rom

# What of the tree a test may import or read.
TEST_FOLDERS = ("", "unit", "sim", "diff", "device", "vectors")
PROGRAM = """
import sys, uctypes, vfs
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({address}, {size})), "/rom")
sys.path[:] = ["", ".frozen", "/rom"]
sys.argv[:] = {argv}
import upy_runner
"""
# MicroPython's os, and the environment that a board has not.
OS = """
from uos import *
_environment = {environment}
def getenv(name, default=None):
    return _environment.get(name, default)
"""


def write_image(path, compiler, folder):
    """Write an image of the library, the tests' helpers, the KCP_* variables and the C module."""
    lib = os.path.join(rom.TOP, "lib")
    folders = [
        (os.path.relpath(top, rom.TOP).replace(os.sep, "/"), top)
        for top, _, _ in os.walk(lib)
        if not top.endswith("__pycache__")
    ]
    tests = os.path.join(rom.TOP, "tests")
    folders += [(f"tests/{name}".rstrip("/"), os.path.join(tests, name)) for name in TEST_FOLDERS]
    wanted = {
        name: value
        for name, value in os.environ.items()
        if name in ("KCP_TEST_TARGET", "KCP_BACKEND", "KCP_SCENARIOS")
    }
    shim = os.path.join(folder, "os.py")
    with open(shim, "w") as file:
        file.write(OS.format(environment=wanted))
    runner = os.path.join(tests, "upy_runner.py")
    extra = [
        ("os.mpy", compiler.compile(shim, "os.py")),
        ("upy_runner.mpy", compiler.compile(runner, "tests/upy_runner.py")),
    ]
    extra += dynamic_module()
    return rom.write(path, folders, extra, compiler)


def dynamic_module():
    """The C core for the image: its name and bytes in a list, which is empty if none is set."""
    folder = os.environ.get("KCP_NATMOD")
    if not folder:
        return []
    with open(os.path.join(folder, "_kcp.mpy"), "rb") as file:
        return [("_kcp.mpy", file.read())]


def show(byte):
    if byte != b"\r":
        sys.stdout.buffer.write(byte)
        sys.stdout.flush()


def main():
    kind, emulator, firmware, *rest = sys.argv[1:]
    if rest[0] == "-X":
        rest = rest[2:]
    _, tests, _, path, *word = rest
    argv = ["", "/rom/tests", "/rom/lib", "/rom/tests/" + os.path.relpath(path, tests), *word]
    cache = os.path.join(os.path.dirname(os.path.dirname(firmware)), "mpy")
    compiler = rom.Compiler(os.environ["KCP_MPY_CROSS"], machine.KINDS[kind].march, cache)
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        size = write_image(image, compiler, folder)
        program = PROGRAM.format(address=machine.KINDS[kind].image_address, size=size, argv=argv)
        with machine.Board(kind, emulator, firmware, image) as board:
            _, problem = board.execute(program, show)
    if problem:
        sys.exit(problem.decode())


if __name__ == "__main__":
    main()
