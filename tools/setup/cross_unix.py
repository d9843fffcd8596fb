"""MicroPython's unix port for the MIPS processors of routers, run by qemu.

Linked statically, with the C core as a user C module in it.
"""

import glob
import os
import shlex
import shutil
import subprocess
import sys

import c_twins
import common
import debian
import micropython
import toolchains

# Target: kit and the name of its compiler, emulator, sys.byteorder.
TARGETS = {
    "mips": ("mips-linux-gnu-", "qemu-mips", "big"),
    "mipsel": ("mipsel-linux-gnu-", "qemu-mipsel", "little"),
}
PROBE = """
import sys, asyncio, socket, hashlib, cryptolib, _kcp
hashlib.sha1
print(sys.maxsize, sys.byteorder, sys.version)
"""


def ensure(target, tree, cross):
    """The command line that starts it; tree, cross: MicroPython's source and its mpy-cross."""
    prefix, emulator, _ = TARGETS[target]
    prefix = os.path.join(toolchains.ensure(target), prefix)
    qemu = os.path.join(toolchains.ensure("qemu-user"), emulator)
    recipe = common.digest_files(os.path.abspath(__file__), micropython.__file__)
    mbedtls = ensure_mbedtls(target)
    work, _ = common.ensure(
        f"unix-{target}-work",
        common.digest(tree, prefix, recipe, common.digest_files(c_twins.RECIPE)),
        lambda f, log: os.makedirs(f + "/lib"),
    )
    key = common.digest(work, common.digest_files(*c_twins.sources("mod")))

    def build(folder, log):
        flags = ["MICROPY_PY_FFI=0", f"USER_C_MODULES={c_twins.copy_modules(work)}"]
        flags += [f"CFLAGS_EXTRA=-I{mbedtls}/include", f"LDFLAGS_EXTRA=-static -L{mbedtls}/lib"]
        make(folder, log, tree, cross, prefix, work, flags)
        return {"about": _probe(target, [qemu, os.path.join(folder, "micropython")])}

    folder, _ = common.ensure(f"unix-{target}", key, build)
    return shlex.join([qemu, os.path.join(folder, "micropython")])


def ensure_mbedtls(target):
    """The folder with include/ and lib/ of the C library mbedtls for a target."""
    prefix = os.path.join(toolchains.ensure(target), TARGETS[target][0])
    key = common.digest(prefix, common.digest_files(os.path.abspath(__file__)))
    return common.ensure(f"mbedtls-{target}", key, lambda f, log: _mbedtls(f, prefix, log))[0]


def _mbedtls(folder, prefix, log):
    """Build the C library that MicroPython has its ciphers and hashes from, for the target."""
    into = os.path.join(folder, "source")
    debian.Archive(log, debian.own_suite(), source=True).source("mbedtls", into)
    tree = os.path.join(into, "tree")
    log.run(
        ["make", f"-j{os.cpu_count() or 1}", "-C", os.path.join(tree, "library"), "static"]
        + [f"CC={prefix}gcc", f"AR={prefix}ar", "CFLAGS=-Os"],
        "The library mbedtls could not be built for the target.",
    )
    os.rename(os.path.join(tree, "include"), os.path.join(folder, "include"))
    os.mkdir(os.path.join(folder, "lib"))
    for path in glob.glob(os.path.join(tree, "library", "*.a")):
        shutil.move(path, os.path.join(folder, "lib"))
    shutil.rmtree(into)


def make(folder, log, tree, cross, prefix, work, flags):
    """Build the interpreter into a folder; `work` keeps the objects, flags are make's."""
    command = ["make", f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}"]
    command += ["-C", os.path.join(tree, "ports", "unix")]
    command += [f"BUILD={work}/unix", f"CROSS_COMPILE={prefix}", f"MICROPY_MPYCROSS={cross}"]
    command += ["MICROPY_MPYCROSS_DEPENDENCY=", "MICROPY_PY_BTREE=0", *flags]
    command += micropython.manifest_flags(work)
    log.run(command, "The unix port of MicroPython could not be built for the target.")
    shutil.copy2(os.path.join(work, "unix", "micropython"), folder)


def output(command):
    """What a program prints, without the spaces around it; "" if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode else done.stdout.strip()


def _probe(target, command):
    """The version of a freshly built interpreter; it must be what the target's name says."""
    done = subprocess.run(
        [*command, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    words = done.stdout.split()
    if done.returncode or words[:2] != [str(2**31 - 1), TARGETS[target][2]]:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
        raise common.SetupError(f"The {target} MicroPython does not run under qemu ({lines[-1]}).")
    return done.stdout.split("; ")[1].split(" on ")[0]
