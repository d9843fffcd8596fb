#!/usr/bin/env python3
"""Measures what each switch of native/core/kcp_config.h costs, in bytes of code and tables.

    tools/native/sizes.py             print the table
    tools/native/sizes.py --write     put the figures into kcp_config.h
    tools/native/sizes.py --check     exit code 1 if a figure there is more than a fifth off

A cost is the size of all objects (gcc -Os) less that without the switch.
"""

import os
import re
import subprocess
import sys

import compile as native

CONFIG = os.path.join(native.CORE, "kcp_config.h")
SWITCH = re.compile(r"#define (KCP_(?!CRC_SLICES)\w+) \(1\)( //.*)?\n")
TOLERANCE = 0.2
SMALL_BYTES = 100
NEEDED_BY = {"KCP_AES": "KCP_AES_GCM", "KCP_RS": "KCP_FEC"}


_known = {}  # preprocessed source: bytes


def total(off):
    """Bytes of text and data of the core without the switches `off`."""
    flags = ["-std=c99", "-I" + native.CORE, *(f"-D{name}=0" for name in off)]
    texts = [native.run(["gcc", *flags, "-E", "-P", path]) for path in native.core_sources()]
    new = [path for path, text in zip(native.core_sources(), texts) if text not in _known]
    objects = native.objects("sizes", new, ["-Os", *native.WARNINGS, *flags])
    made = dict(zip(new, objects))
    for path, text in zip(native.core_sources(), texts):
        if path in made:
            _known[text] = measured(made[path])
    return sum(_known[text] for text in texts)


def measured(path):
    """Bytes of an object; it must have no writable data."""
    done = subprocess.run(["size", path], capture_output=True, text=True, check=True)
    text, data, bss = [int(word) for word in done.stdout.splitlines()[1].split()[:3]]
    if data or bss:
        sys.exit(f"the core has writable static data: {path}\n{done.stdout}")
    return text


def switches():
    """[(name, figure in the comment or None)] in the order of the header."""
    with open(CONFIG, encoding="utf-8") as file:
        found = SWITCH.findall(file.read())
    return [
        (name, int(re.search(r"-?\d+", said)[0]) if said[3:4] else None) for name, said in found
    ]


def write(costs):
    """Put the figures behind the switches."""
    with open(CONFIG, encoding="utf-8") as file:
        text = file.read()

    def line(match):
        return f"#define {match[1]} (1) // {costs[match[1]]} bytes\n"

    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(SWITCH.sub(line, text))


def main():
    everything = total([])
    costs, wrong = {}, []
    for name, said in switches():
        costs[name] = everything - total([name])
        if name in NEEDED_BY:  # which cannot stay without it, but has a cost of its own
            costs[name] -= everything - total([NEEDED_BY[name]])
        print(f"{name:24} {costs[name]:6} bytes")
        if said is None or abs(said - costs[name]) > max(SMALL_BYTES, TOLERANCE * costs[name]):
            wrong.append(f"{name}: the header says {said}")
    print(f"{'everything':24} {everything:6} bytes")
    print(f"{'all switched off':24} {total([name for name, _ in switches()]):6} bytes")
    if sys.argv[1:] == ["--write"]:
        write(costs)
    elif sys.argv[1:] == ["--check"] and wrong:
        sys.exit("\n".join([*wrong, "run tools/native/sizes.py --write"]))


if __name__ == "__main__":
    main()
