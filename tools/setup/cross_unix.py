"""MicroPython's unix port for the MIPS processors of routers, linked statically, run by qemu."""

import glob
import os
import shlex
import shutil
import subprocess

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
import sys, asyncio, socket, hashlib, cryptolib
hashlib.sha1
print(sys.maxsize, sys.byteorder, sys.version)
"""


def ensure(target, tree, cross, modules=""):
    """The command line that starts it.

    tree, cross: MicroPython's source and its mpy-cross; modules: a folder of user C modules that
    is to be linked in, '' for none.
    """
    prefix, emulator, _ = TARGETS[target]
    path = toolchains.ensure(target)
    qemu = os.path.join(toolchains.ensure("qemu-user"), emulator)
    recipe = [os.path.abspath(__file__), micropython.__file__, *_files(modules)]
    key = common.digest(tree, path, common.digest_files(*recipe))

    def build(folder, log):
        program = os.path.join(folder, "micropython")
        mbedtls = _mbedtls(folder, os.path.join(path, prefix), log)
        _make(folder, log, tree, cross, os.path.join(path, prefix), mbedtls, modules)
        shutil.rmtree(mbedtls)
        return {"about": _probe(target, [qemu, program])}

    name = f"unix-{target}" + ("-" + os.path.basename(modules) if modules else "")
    folder, _ = common.ensure(name, key, build)
    return shlex.join([qemu, os.path.join(folder, "micropython")])


def _files(folder):
    """Every file below a folder; none of ''."""
    found = glob.glob(os.path.join(folder, "**", "*"), recursive=True) if folder else []
    return sorted(path for path in found if os.path.isfile(path))


def _mbedtls(folder, prefix, log):
    """The C library that MicroPython has its ciphers and hashes from, built for the target."""
    into = os.path.join(folder, "mbedtls")
    debian.Archive(log, debian.own_suite(), source=True).source("mbedtls", into)
    tree = os.path.join(into, "tree")
    log.run(
        ["make", f"-j{os.cpu_count() or 1}", "-C", os.path.join(tree, "library"), "static"]
        + [f"CC={prefix}gcc", f"AR={prefix}ar", "CFLAGS=-Os"],
        "The library mbedtls could not be built for the target.",
    )
    return into


def _make(folder, log, tree, cross, prefix, mbedtls, modules):
    work = os.path.join(folder, "work")
    os.makedirs(os.path.join(work, "lib"))
    command = ["make", f"-j{os.cpu_count() or 1}", "-C", os.path.join(tree, "ports", "unix")]
    command += [f"BUILD={work}/unix", f"CROSS_COMPILE={prefix}", f"MICROPY_MPYCROSS={cross}"]
    command += ["MICROPY_MPYCROSS_DEPENDENCY=", "MICROPY_PY_BTREE=0", "MICROPY_PY_FFI=0"]
    command += [f"CFLAGS_EXTRA=-I{mbedtls}/tree/include"]
    command += [f"LDFLAGS_EXTRA=-static -L{mbedtls}/tree/library"]
    command += micropython.manifest_flags(work)
    command += [f"USER_C_MODULES={modules}"] if modules else []
    log.run(command, "The unix port of MicroPython could not be built for the target.")
    shutil.copy2(os.path.join(work, "unix", "micropython"), folder)
    shutil.rmtree(work)


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
