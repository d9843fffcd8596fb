"""A 32-bit ARM MicroPython: Debian's armhf package, unpacked, run by qemu's user emulation."""

import glob
import os
import shlex
import shutil
import subprocess

import common
import debian

SUITES = ("trixie",)
UNPACKED = "qemu-user-arm"  # the name below our folder; no program on PATH is called so
PROBE = """
import sys, asyncio, socket, hashlib, cryptolib
hashlib.sha1
print(sys.maxsize, sys.version)
"""


def ensure():
    """The command line that starts it; '' where it cannot be had (in CI that is an error)."""
    try:
        key = common.digest_files(os.path.abspath(__file__))
        folder, facts = common.ensure("arm", common.digest(key, os.uname().machine), _build)
    except common.SetupError as error:
        if common.in_ci():
            raise
        common.say(f"no 32-bit ARM MicroPython, its tests will be skipped: {error}")
        return ""
    root = os.path.join(folder, "root")
    qemu = shutil.which(facts["qemu"]) or os.path.join(folder, facts["qemu"])
    return shlex.join([qemu, "-L", root, os.path.join(root, "usr", "bin", "micropython")])


def _build(folder, log):
    root = os.path.join(folder, "root")
    for suite in debian.suites(*SUITES):
        try:
            archive = debian.Archive(log, suite, architecture="armhf")
            archive.unpack(["micropython"], root, with_dependencies=True)
            break
        except common.SetupError:
            shutil.rmtree(root, ignore_errors=True)
    else:
        raise common.SetupError(
            "The package micropython for armhf could not be had from the machine's Debian mirror "
            f"(log: {log.path})."
        )
    lib = os.path.join(root, "lib")
    if not os.path.exists(lib):
        os.symlink("usr/lib", lib)
    qemu = _qemu(folder, log)
    program = shutil.which(qemu) or os.path.join(folder, qemu)
    version = _probe([program, "-L", root, f"{root}/usr/bin/micropython"])
    return {"qemu": qemu, "about": f"{version} of {suite}"}


def _qemu(folder, log):
    """'qemu-arm' if the machine has it, else the path, below folder, of one from a package."""
    for name in ("qemu-arm", "qemu-arm-static"):
        if shutil.which(name):
            return name
    # Until Debian 12 the statically linked one is a package of its own; later they all are.
    archive = debian.Archive(log, debian.own_suite())
    for package in ("qemu-user-static", "qemu-user"):
        scratch = os.path.join(folder, "scratch")
        try:
            archive.unpack([package], scratch)
        except common.SetupError:
            continue
        found = glob.glob(scratch + "/usr/bin/qemu-arm-static") or glob.glob(
            scratch + "/usr/bin/qemu-arm"
        )
        found = [path for path in found if os.path.isfile(path) and not os.path.islink(path)]
        if found:
            shutil.move(found[0], os.path.join(folder, UNPACKED))
        shutil.rmtree(scratch)
        if found:
            return UNPACKED
    raise common.SetupError(
        "The program qemu-arm is missing and the package qemu-user could not be fetched; "
        "install it, on Debian with `apt-get install qemu-user`."
    )


def _probe(command):
    done = subprocess.run(
        [*command, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    words = done.stdout.split()
    if done.returncode != 0 or words[0] != str(2**31 - 1):
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
        raise common.SetupError(f"The ARM MicroPython does not run under qemu ({lines[-1]}).")
    return done.stdout.split("MicroPython ")[-1].split()[0]
