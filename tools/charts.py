#!/usr/bin/env python3
"""Draws the charts of README's tuning chapter into docs/charts, and prints their figures.

    make charts

Each is one `kcp sim` command, in simulated time, so every machine draws the same.
"""

import os
import shlex
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "lib"), os.path.join(ROOT, "ports", "cpython")]

from kcp_cli.main import main as kcp  # noqa: E402 (not installed)

#: As README has them.
COMMANDS = (
    "kcp sim quic --sndwnd 128 --rcvwnd 128 --vary pacing=on,off -o docs/charts/pacing.svg",
    "kcp sim satellite --vary sndwnd=64,256,1024 -o docs/charts/window.svg",
    (
        "kcp sim far --delay 30 --loss 10 --echo 1000 --vary mode=normal,fast,fast3 "
        "-o docs/charts/mode.svg"
    ),
    (
        "kcp sim far --loss 10 --echo 1000 --mode fast3 --vary fec=off,10/3,auto "
        "-o docs/charts/fec.svg"
    ),
)


def main():
    os.chdir(ROOT)
    os.makedirs("docs/charts", exist_ok=True)
    for command in COMMANDS:
        print(f"$ {command}", flush=True)
        if kcp(shlex.split(command)[1:]):
            sys.exit(1)
        print()


if __name__ == "__main__":
    main()
