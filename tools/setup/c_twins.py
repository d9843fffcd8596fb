"""The C twins, built for tests: a CPython extension, a dynamic module and a MicroPython with it.

Built from the working tree's native/ folder; a change there makes a new build.
"""

import glob
import os
import shutil
import subprocess
import sys
import sysconfig

import common
import debian
import micropython

NATIVE = os.path.join(common.REPOSITORY, "native")
# The host's own processor, and so the one that its MicroPython runs modules of.
ARCHITECTURES = {"x86_64": "x64"}
PROBE = "import _kcp; assert _kcp.crypt_bytes(1); print(_kcp.API)"
WARNINGS = ("-Wall", "-Wextra", "-Werror")


def _sources():
    """Paths of what the builds are made of."""
    found = []
    for folder in ("core", "mod", "cpython"):
        found += glob.glob(os.path.join(NATIVE, folder, "*"))
    return sorted(path for path in found if os.path.isfile(path))


def _key(*parts):
    here = os.path.abspath(__file__)
    return common.digest(common.digest_files(here, *_sources()), os.uname().machine, *parts)


def ensure_extension(python_folder):
    """The folder that holds the extension for the Python of this environment."""
    common.need("gcc", "gcc libc6-dev")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    python = os.path.join(python_folder, "bin", "python")

    def build(folder, log):
        path = os.path.join(folder, "_kcp" + suffix)
        core = sorted(glob.glob(os.path.join(NATIVE, "core", "*.c")))
        flags = ["-std=c99", "-O3", "-fPIC", "-shared", *WARNINGS, "-DKCP_CRC_SLICES=8"]
        if sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED"):
            flags.append("-DPy_LIMITED_API=0x030b0000")
        log.run(
            ["gcc", *flags, *_header_flags(folder, log), "-I" + os.path.join(NATIVE, "core")]
            + [*sorted(glob.glob(os.path.join(NATIVE, "cpython", "*.c"))), *core, "-o", path],
            "The CPython extension of the C core could not be built.",
        )
        return {"about": "API " + _probe([python], {"PYTHONPATH": folder})}

    return common.ensure("extension", _key(sys.version, suffix), build)[0]


def _header_flags(folder, log):
    """Compiler flags for Python's headers: the machine's, else Debian's package of them."""
    own = sysconfig.get_paths()["include"]
    if os.path.exists(os.path.join(own, "Python.h")):
        return ["-I" + own]
    version = "{}.{}".format(*sys.version_info)
    root = os.path.join(folder, "headers")
    debian.Archive(log, debian.own_suite()).unpack([f"libpython{version}-dev"], root)
    include = os.path.join(root, "usr", "include")
    return ["-I" + os.path.join(include, "python" + version), "-I" + include]


def ensure_modules(python_folder):
    """(folder that holds _kcp.mpy or '', a MicroPython with _kcp in it)."""
    _, cross, tree = micropython.ensure()
    python = os.path.join(python_folder, "bin", "python")
    arch = ARCHITECTURES.get(os.uname().machine, "")
    key = _key(tree, python)
    natmod = ""
    if arch:
        natmod = common.ensure(
            f"natmod-{arch}", key, lambda f, log: _natmod(f, log, tree, cross, python, arch)
        )[0]
    folder, _ = common.ensure("usermod", key, lambda f, log: _usermod(f, log, tree, cross))
    return natmod, os.path.join(folder, "micropython")


def _natmod(folder, log, tree, cross, python, arch):
    work = os.path.join(folder, "work")  # its makefile writes beside the sources
    shutil.copytree(NATIVE, work)
    mod = os.path.join(work, "mod")
    log.run(
        ["make", "-C", mod, f"MPY_DIR={tree}", f"MPY_CROSS={cross}", f"PYTHON={python}"]
        + [f"ARCH={arch}"],
        "The dynamic module of the C core could not be built.",
    )
    path = shutil.move(os.path.join(mod, "_kcp.mpy"), folder)
    shutil.rmtree(work)
    return {"about": f"{os.path.getsize(path)} bytes"}


def _usermod(folder, log, tree, cross):
    work = _workplace(tree)
    modules = os.path.join(work, "native")
    shutil.rmtree(modules, ignore_errors=True)
    shutil.copytree(NATIVE, modules, copy_function=shutil.copy)  # as new, so that make compiles it
    log.run(
        ["make", f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}"]
        + ["-C", os.path.join(tree, "ports", "unix"), f"BUILD={work}/unix"]
        + [f"MICROPY_MPYCROSS={cross}", "MICROPY_MPYCROSS_DEPENDENCY=", "MICROPY_PY_BTREE=0"]
        + micropython.manifest_flags(work)
        + micropython._library_flags(tree)
        + [f"USER_C_MODULES={modules}"],
        "The unix port of MicroPython with the C core in it could not be built.",
    )
    program = shutil.copy2(os.path.join(work, "unix", "micropython"), folder)
    return {"about": "API " + _probe([program], {})}


def _workplace(tree):
    """A folder that keeps MicroPython's objects from build to build: only the core changes."""
    recipe = [os.path.abspath(__file__), os.path.join(NATIVE, "mod", "micropython.mk")]
    key = common.digest(tree, common.digest_files(*recipe))
    return common.ensure("usermod-work", key, lambda f, log: os.makedirs(f + "/lib"))[0]


def _probe(command, environment):
    done = subprocess.run(
        [*command, "-c", PROBE],
        capture_output=True,
        text=True,
        env=dict(os.environ, **environment),
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise common.SetupError(f"What was built of native/ does not work: {done.stderr.strip()}")
    return done.stdout.strip()
