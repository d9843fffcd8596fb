"""Headers and static libraries that the MicroPython build needs, unpacked and never installed."""

import glob
import os
import subprocess

import common
import debian

PACKAGES = ["libmbedtls-dev", "libffi-dev"]


def ensure():
    """The folder that holds usr/include and usr/lib of the packages."""

    def build(folder, log):
        suite = debian.own_suite()  # what the machine's own C library can be linked with
        debian.Archive(log, suite).unpack(PACKAGES, os.path.join(folder, "root"))
        for path in glob.glob(os.path.join(folder, "root/usr/lib/**/*.so"), recursive=True):
            os.unlink(path)  # so that the linker takes the static library beside it
        return {"about": f"{' '.join(PACKAGES)} of {suite}"}

    key = common.digest(debian.own_suite(), *PACKAGES, os.uname().machine)
    return os.path.join(common.ensure("libraries", key, build)[0], "root")


def flags(root):
    """(compiler flags, linker flags) for the unpacked libraries."""
    triplet = subprocess.run(
        ["gcc", "-print-multiarch"], capture_output=True, text=True, check=False
    ).stdout.strip()
    include = os.path.join(root, "usr", "include")
    library = os.path.join(root, "usr", "lib")
    return (
        f"-I{include} -I{os.path.join(include, triplet)}",
        f"-L{os.path.join(library, triplet)} -L{library}",
    )


def machine_has_libffi():
    """True if the makefile of MicroPython will find a libffi that is installed."""
    try:
        probe = ["pkg-config", "--exists", "libffi"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
