#!/usr/bin/env python3
"""Installs compiled parts of the library on a board at the other end of a cable, by mpremote.

    tools/mip_install.py [--connect DEVICE] [--target FOLDER] [--builds FOLDER] PACKAGE...

Asks the board what it runs (sys.implementation._mpy), and gives the packages (client, serial,
native...) of the fitting folder of `make dist` to `mpremote mip install`. With --print-folder it
only says which folder that is.
"""

import argparse
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, "lib"), os.path.join(TOP, "tools")]
import kcp_mip  # noqa: E402  (found by the line above)
import mip_packages  # noqa: E402

QUESTION = "import sys; print(getattr(sys.implementation, '_mpy', 0))"


def run(device, *words, capture=False):
    """Run mpremote; what it printed. `resume` leaves what is mounted in memory where it is."""
    start = ["connect", device] if device else []
    command = [sys.executable, "-m", "mpremote", *start, "resume", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE if capture else None, check=False)
    if done.returncode:
        sys.exit(f"mpremote has failed: {(done.stdout or b'').decode(errors='replace').strip()}")
    return done.stdout.decode() if capture else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    parser.add_argument("--connect", metavar="DEVICE", help="as mpremote's: /dev/ttyACM0...")
    parser.add_argument("--target", default="/lib")
    parser.add_argument("--builds", default=os.path.join(TOP, "build", "builds"))
    parser.add_argument("--print-folder", action="store_true")
    arguments = parser.parse_args()
    name = kcp_mip.folder(int(run(arguments.connect, "exec", QUESTION, capture=True)))
    if arguments.print_folder:
        print(name)
        return
    folder = os.path.join(arguments.builds, mip_packages.version(), name)
    paths = [os.path.join(folder, package + ".json") for package in arguments.packages]
    for path in paths:
        if not os.path.exists(path):
            sys.exit(f"there is no {path}; `make dist` makes those that there are")
    run(arguments.connect, "mip", "install", "--target", arguments.target, *paths)


if __name__ == "__main__":
    main()
