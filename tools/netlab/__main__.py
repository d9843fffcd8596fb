#!/usr/bin/env python3
"""Runs your own programs over a modelled link: rate, queue, delay, loss, outages, NAT.

    python tools/netlab --link rate_kbps=10000,queue=25,delay_ms=15,loss_pct=2 \\
        --far "./server -listen {far}:4000" --port 4000 -- ./client {far}:{port}

The far program runs at one end of the link, the near one, behind --, at the other; when that ends
the far one is asked to end (SIGTERM), and what the link did is told. {near}, {far} and {port} are
put in for the two addresses and the port that leads to the far program.

With root, or where the system allows user namespaces, the ends are network namespaces of their own
(10.77.0.1 and 10.77.0.2), joined by TUN: UDP and TCP both go over the link, and --port is needed
by nobody. Without, it is a relay over loopback for UDP alone, from {port} to --port.

The exit code is that of the near program; 2: a mistake in the arguments; 124: --limit is over.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "lib")]

from netlab import options, show, spaces  # noqa: E402 (they are no package that is installed)
from netlab.lab import Lab  # noqa: E402

_OVER = 124  # as timeout(1)


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="netlab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--link", default="quic", metavar="NAME,OPTION=N,...",
                        help="the link: options of lib/kcp_sim/link.py, over those of a named "
                        "link of its scenarios.json (default: quic: 10 Mbit/s, 15 ms, a queue "
                        "of 25)")  # fmt: skip
    parser.add_argument("--back", metavar="...", help="the way back, if it differs")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other losses")
    parser.add_argument("--rebind", default="", metavar="S,S,...", help="seconds after which the "
                        "NAT before the near end gives its conversations new ports")  # fmt: skip
    parser.add_argument("--rebind-address", default="", metavar="S,...", help="... and a new "
                        "address")  # fmt: skip
    parser.add_argument("--far", metavar="COMMAND", help="the program at the far end, for sh")
    parser.add_argument("--ready", metavar="TEXT", help="start the near program when the far one "
                        "has said this (default: after --wait)")  # fmt: skip
    parser.add_argument("--wait", type=float, default=0.5, metavar="S", help="seconds from the "
                        "start of the far program to that of the near one")  # fmt: skip
    parser.add_argument("--port", type=int, default=0, help="at which the far program listens")
    parser.add_argument("--mode", choices=("auto", "tun", "udp"), default="auto")
    parser.add_argument("--limit", type=float, metavar="S", help="end it after so many seconds")
    parser.add_argument("--json", metavar="FILE", help="write what was counted to FILE too")
    parser.add_argument("near", nargs="+", metavar="COMMAND", help="the program at the near end")
    return parser, parser.parse_args(argv)


def open_lab(arguments):
    link = options.read_link(arguments.link)
    back = None if arguments.back is None else options.read_link(arguments.back)
    rebinds = options.read_rebinds(arguments.rebind, arguments.rebind_address)
    return Lab(link, back, seed=arguments.seed, rebinds=rebinds, mode=arguments.mode,
               port=arguments.port)  # fmt: skip


def filled(text, lab, port):
    """The text with the addresses and the port put in."""
    for name, value in (("{near}", lab.near), ("{far}", lab.far), ("{port}", str(port))):
        text = text.replace(name, value)
    return text


class Far:
    """The far program; what it prints is passed on."""

    def __init__(self, lab, command, ready):
        self._ready = ready
        self._is_ready = threading.Event()
        self.program = lab.start(
            "far",
            ["sh", "-c", command],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # so that what the shell starts is ended with it
        )
        self._reader = threading.Thread(target=self._pass_on, daemon=True)
        self._reader.start()

    def _pass_on(self):
        for line in self.program.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if self._ready and self._ready in line:
                self._is_ready.set()
        self._is_ready.set()

    def wait(self, wait_s, limit_s):
        """Until it is ready: ValueError if it has ended instead."""
        if not self._ready:
            time.sleep(wait_s)
        elif not self._is_ready.wait(limit_s):
            raise ValueError(f"the far program has not said {self._ready!r}")
        if self.program.poll() is not None:
            raise ValueError(f"the far program has ended (exit code {self.program.returncode})")

    def finish(self):
        """When it has been ended: what it says at last is passed on, too."""
        self._reader.join()
        self.program.stdout.close()


def run(lab, arguments):
    """Run both programs; the exit code of the near one."""
    far = None
    if arguments.far:
        far = Far(lab, filled(arguments.far, lab, arguments.port), arguments.ready)
        far.wait(arguments.wait, arguments.limit)
    lab.begin()
    command = [filled(word, lab, lab.near_port) for word in arguments.near]
    try:
        code = lab.start("near", command).wait(arguments.limit)
    except subprocess.TimeoutExpired:
        code = _OVER
    counters = lab.counters()
    lab.close()
    if far:
        far.finish()
    return code, counters


def main(argv=None):
    parser, arguments = parse(argv)
    try:
        with open_lab(arguments) as lab:
            if lab.refusal:
                print(f"netlab: UDP alone, over loopback: {lab.refusal}", file=sys.stderr)
            code, counters = run(lab, arguments)
    except (ValueError, spaces.NotAllowed, FileNotFoundError) as error:
        parser.exit(2, f"netlab: {error}\n")
    for line in show.lines(counters):
        print(f"netlab: {line}", file=sys.stderr)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(counters, file, indent=1)
    return code


if __name__ == "__main__":
    sys.exit(main())
