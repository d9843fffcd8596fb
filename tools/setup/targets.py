"""What `make test-targets` needs besides the rest: it asks before it fetches gigabytes."""

import os
import sys

import common
import cross_unix
import toolchains

KITS = ("mips", "mipsel", "qemu-user")


def ensure(tree, cross):
    """The variables with the command line of each target's MicroPython.

    tree, cross: MicroPython's source and its mpy-cross.
    """
    _ask()
    return {
        "KCP_UPY_MIPS": cross_unix.ensure("mips", tree, cross),
        "KCP_UPY_MIPSEL": cross_unix.ensure("mipsel", tree, cross),
    }


def _ask():
    """Return if what is missing may be fetched."""
    missing, n_fetched, n_kept = toolchains.missing(KITS)
    if not missing or common.in_ci() or os.environ.get("YES") == "1":
        return
    common.say(
        f"cross compilers and emulators are missing ({', '.join(missing)}): {n_fetched} MB to "
        f"fetch from the machine's Debian mirror, {n_kept} MB in {common.cache_dir()}; "
        "nothing is installed"
    )
    if not sys.stdin.isatty():
        raise common.SetupError("Nobody can be asked here; set YES=1 to fetch them.")
    if input("Fetch them? [y/N] ").strip().lower() not in ("y", "yes"):
        raise common.SetupError("Nothing was fetched.")
