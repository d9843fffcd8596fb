"""MicroPython's cross compiler and its unix port, with asyncio, cryptolib and sha1."""

import os
import shutil
import subprocess
import sys

import common
import libraries
import upy_source

MANIFEST = 'include("$(MPY_DIR)/extmod/asyncio")\n'
# What the tests and the library lean on; prints the version.
PROBE = """
import sys, asyncio, socket, select, os, hashlib, cryptolib
hashlib.sha1, hashlib.sha256, os.urandom
print(sys.version.split("; ")[1].split(" on ")[0])
"""


def ensure():
    """(unix interpreter, mpy-cross, source tree), all paths."""
    tree = upy_source.user_tree()
    here = os.path.dirname(os.path.abspath(__file__))
    recipe = [os.path.join(here, name) for name in ("micropython.py", "upy_source.py")]
    origin = upy_source.identity(tree) if tree else " ".join(upy_source.candidates())
    key = common.digest(origin, common.digest_files(*recipe), os.uname().machine)
    folder, facts = common.ensure("micropython", key, lambda f, log: _build(tree, f, log))
    return (
        os.path.join(folder, "bin", "micropython"),
        os.path.join(folder, "bin", "mpy-cross"),
        os.path.join(folder, facts["tree"]),
    )


def _build(tree, folder, log):
    common.need("gcc", "gcc libc6-dev")
    common.need("make", "make")
    common.need("git", "git")
    if tree:
        return {"about": _make(tree, folder, log), "tree": tree}
    problems = []
    for name in upy_source.candidates():
        source = os.path.join(folder, "source-" + name)
        try:
            tree, version = upy_source.fetch(name, source, log)
            _make(tree, folder, log)
            return {"about": f"{version} of {name}", "tree": os.path.relpath(tree, folder)}
        except common.SetupError as error:
            problems.append(f"{name}: {error}")
            common.say(f"no MicroPython from {problems[-1]}")
            shutil.rmtree(source, ignore_errors=True)
    raise common.SetupError(
        "MicroPython could not be built from the machine's Debian mirror nor from git; "
        f"set MPY_DIR to a checkout of MicroPython, or see the log. (log: {log.path})"
    )


def _make(tree, folder, log):
    """Build both programs into <folder>/bin, outside the tree; what the interpreter says it is."""
    work = os.path.join(folder, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, "lib"))
    os.makedirs(os.path.join(folder, "bin"), exist_ok=True)
    cross = os.path.join(folder, "bin", "mpy-cross")
    program = os.path.join(folder, "bin", "micropython")
    make = ["make", f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}"]
    log.run(
        [*make, "-C", os.path.join(tree, "mpy-cross"), f"BUILD={work}/mpy-cross"],
        "mpy-cross, MicroPython's compiler, could not be built.",
    )
    shutil.copy2(os.path.join(work, "mpy-cross", "mpy-cross"), cross)
    log.run(
        [*make, "-C", os.path.join(tree, "ports", "unix"), f"BUILD={work}/unix"]
        + [f"MICROPY_MPYCROSS={cross}", "MICROPY_MPYCROSS_DEPENDENCY=", "MICROPY_PY_BTREE=0"]
        + manifest_flags(work)
        + _library_flags(tree),
        "The unix port of MicroPython could not be built.",
    )
    shutil.copy2(os.path.join(work, "unix", "micropython"), program)
    shutil.rmtree(work)
    return _probe(program)


def manifest_flags(work):
    """Freeze asyncio alone: the usual manifest needs a submodule, and none of what is in it."""
    path = os.path.join(work, "manifest.py")
    with open(path, "w") as file:
        file.write(MANIFEST)
    with open(os.path.join(work, "lib", "README.md"), "w"):
        pass  # by this file the makefile tells that the submodule is there
    return [f"FROZEN_MANIFEST={path}", f"MPY_LIB_DIR={work}/lib"]


def _library_flags(tree):
    """make variables that point at the unpacked libraries."""
    own_mbedtls = not upy_source.uses_system_mbedtls(tree)
    try:
        compile_flags, link_flags = libraries.flags(libraries.ensure())
    except common.SetupError:
        if own_mbedtls:  # not a Debian: the rest can be done with what the machine has
            return [] if libraries.machine_has_libffi() else ["MICROPY_PY_FFI=0"]
        raise
    flags = [f"LIBFFI_CFLAGS={compile_flags}", f"LIBFFI_LDFLAGS={link_flags} -lffi -ldl"]
    if not own_mbedtls:
        flags += [f"CFLAGS_EXTRA={compile_flags}", f"LDFLAGS_EXTRA={link_flags}"]
    return flags


def _probe(program):
    """The version of a freshly built interpreter; fails if it lacks something that is needed."""
    done = subprocess.run(
        [program, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
        raise common.SetupError(
            f"The MicroPython that was built lacks something the library needs ({lines[-1]}); "
            "use another source by setting MPY_DIR."
        )
    return done.stdout.strip()
