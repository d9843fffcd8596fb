#!/usr/bin/env python3
"""Compiles the library to .mpy files, with the viper twin as machine code of each architecture.

    tools/mpy_build.py [--into FOLDER] [ARCH...]       after set-up (`make mpy` does both)

ARCH is what mpy-cross calls -march, by default all of ARCHES: xtensa is the ESP8266, xtensawin the
ESP32, ESP32-S2 and S3, rv32imc the ESP32-C3 and C6, armv6m the RP2040. "bytecode" leaves machine
code out, for what has no emitter. Into FOLDER/ARCH/kcp, by default FOLDER is build/mpy; prints how
many bytes each has. KCP_MPY_CROSS names the compiler.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIB = os.path.join(TOP, "lib")
ARCHES = (
    *("bytecode", "x64", "armv6m", "armv7m", "armv7emsp", "armv7emdp"),
    *("rv32imc", "xtensa", "xtensawin"),
)
HOST_ONLY = "_cpy.py"  # ends the names of what only CPython runs


def sources():
    """Paths below lib/ of what goes on a device."""
    found = []
    for folder, _, names in os.walk(os.path.join(LIB, "kcp")):
        for name in names:
            if name.endswith(".py") and not name.endswith(HOST_ONLY):
                found.append(os.path.relpath(os.path.join(folder, name), LIB))
    return sorted(found)


def has_viper(path):
    """True if a file is machine code in part."""
    with open(os.path.join(LIB, path), encoding="utf-8") as file:
        return any(line.startswith("@micropython.viper") for line in file)


def compile_one(arch, path, into):
    """Compile a file; its size in bytes. SystemExit with mpy-cross's words if it cannot be."""
    target = os.path.join(into, arch, path[:-3] + ".mpy")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    flags = [] if arch == "bytecode" else ["-march=" + arch]
    command = [os.environ["KCP_MPY_CROSS"], *flags, "-O1", "-s", path, "-o", target]
    done = subprocess.run([*command, os.path.join(LIB, path)], capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{path} cannot be compiled for {arch}: {done.stderr.decode().strip()}")
    return os.path.getsize(target)


def build(arch, into):
    """(files, bytes in all, bytes of those with machine code) of an architecture."""
    shutil.rmtree(os.path.join(into, arch), ignore_errors=True)
    wanted = [path for path in sources() if arch != "bytecode" or not has_viper(path)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        sizes = list(pool.map(lambda path: compile_one(arch, path, into), wanted))
    machine = sum(size for path, size in zip(wanted, sizes) if has_viper(path))
    return len(wanted), sum(sizes), machine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arches", nargs="*", metavar="ARCH", help=", ".join(ARCHES))
    parser.add_argument("--into", default=os.path.join(TOP, "build", "mpy"))
    arguments = parser.parse_args()
    print("| architecture | files | bytes | of them with machine code |")
    print("| --- | ---: | ---: | ---: |")
    for arch in arguments.arches or ARCHES:
        n_files, n_bytes, n_machine = build(arch, arguments.into)
        print(f"| {arch} | {n_files} | {n_bytes:,} | {n_machine:,} |", flush=True)


if __name__ == "__main__":
    main()
