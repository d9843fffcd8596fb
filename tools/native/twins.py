#!/usr/bin/env python3
"""Times the C module's ciphers and kernels against the other twins, on CPython and MicroPython.

    tools/native/twins.py            (KCP_EXTENSION, KCP_MICROPYTHON and KCP_NATMOD are needed)

A figure is the time of the other twin over that of the C module: 2 means that C is twice as fast.
They take turns, and the least of their times counts: what else the machine does only adds.
"""

import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "tools", "native", "twins_program.py")
TURNS = 5


def measure(command, twin, folder):
    """{name: microseconds} by one process."""
    path = [os.path.join(ROOT, "lib"), *([folder] if folder else [])]
    paths = {"PYTHONPATH": os.pathsep.join(path), "MICROPYPATH": ":".join([*path, ".frozen"])}
    environment = dict(os.environ, KCP_BACKEND=twin, **paths)
    done = subprocess.run(
        [*command, PROGRAM], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} with {twin}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def least(ends):
    """{end: {name: least microseconds}}, the ends taking turns."""
    found = {end: {} for end in ends}
    for _ in range(TURNS):
        for end, (command, twin, folder) in ends.items():
            for name, value in measure(command, twin, folder).items():
                found[end].setdefault(name, []).append(value)
    return {end: {name: min(values) for name, values in one.items()} for end, one in found.items()}


def main():
    host, device = [sys.executable], [os.environ["KCP_MICROPYTHON"], "-X", "heapsize=16m"]
    ends = {
        "cpython python": (host, "python", ""),
        "cpython native": (host, "native", os.environ["KCP_EXTENSION"]),
        "micropython python": (device, "python", ""),
        "micropython viper": (device, "viper", ""),
        "micropython native": (device, "native", os.environ["KCP_NATMOD"]),
    }
    found = least(ends)
    others = [("cpython", "python"), ("micropython", "python"), ("micropython", "viper")]
    print("|  | " + " | ".join(f"{runtime}: {twin} / C" for runtime, twin in others) + " |")
    print("| --- |" + " ---: |" * len(others))
    for name in found["cpython native"]:
        ratios = [
            found[f"{runtime} {twin}"][name] / found[f"{runtime} native"][name]
            for runtime, twin in others
        ]
        print(f"| {name} | " + " | ".join(f"{ratio:.3g}" for ratio in ratios) + " |")


if __name__ == "__main__":
    main()
