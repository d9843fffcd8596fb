"""The C twins, built for tests: a CPython extension, a dynamic module and a MicroPython with it.

Built from the working tree's native/ folder; a change there makes a new build.
"""

import filecmp
import glob
import os
import shutil
import subprocess
import sys
import sysconfig

import common
import debian
import micropython
import toolchains

NATIVE = os.path.join(common.REPOSITORY, "native")
# The host's own processor, and so the one that its MicroPython runs modules of.
ARCHITECTURES = {"x86_64": "x64"}
PROBE = "import _kcp; assert _kcp.crypt_bytes(1); print(_kcp.API)"
RECIPE = os.path.join(NATIVE, "mod", "micropython.mk")
WARNINGS = ("-Wall", "-Wextra", "-Werror")


# Kit with the compiler for what is not the host's own, beside it the folder of its C library.
KITS = {
    **dict.fromkeys(("armv6m", "armv7m", "armv7emsp", "armv7emdp"), ("thumb", "")),
    "rv32imc": ("rv32", "root/usr/lib/picolibc/riscv64-unknown-elf/lib"),
}


def sources(*folders):
    """Paths of what the builds are made of: the files of native/core and of these."""
    found = []
    for folder in ("core", *folders):
        found += glob.glob(os.path.join(NATIVE, folder, "*"))
    return sorted(path for path in found if os.path.isfile(path))


def _key(folder, *parts):
    files = common.digest_files(os.path.abspath(__file__), *sources(folder))
    return common.digest(files, os.uname().machine, *parts)


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

    return common.ensure("extension", _key("cpython", sys.version, suffix), build)[0]


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
    arch = ARCHITECTURES.get(os.uname().machine, "")
    natmod = ensure_natmod(arch, tree, cross, python_folder) if arch else ""
    key = _key("mod", tree)
    folder, _ = common.ensure("usermod", key, lambda f, log: _usermod(f, log, tree, cross))
    return natmod, os.path.join(folder, "micropython")


def ensure_natmod(arch, tree, cross, python_folder):
    """The folder that holds _kcp.mpy for what MicroPython calls ARCH.

    tree, cross: MicroPython's source and its mpy-cross; python_folder: the virtual environment.
    """
    python = os.path.join(python_folder, "bin", "python")
    environment, tools = {}, ""
    if arch in KITS:
        kit, library = KITS[arch]
        tools = toolchains.ensure(kit)
        environment["PATH"] = tools + os.pathsep + os.environ.get("PATH", os.defpath)
        environment["PICOLIBC_ROOT"] = os.path.join(os.path.dirname(tools), library)

    def build(folder, log):
        return _natmod(folder, log, tree, cross, python, arch, environment)

    return common.ensure(f"natmod-{arch}", _key("mod", tree, python, tools), build)[0]


def _natmod(folder, log, tree, cross, python, arch, environment):
    work = os.path.join(folder, "work")  # its makefile writes beside the sources
    shutil.copytree(NATIVE, work)
    mod = os.path.join(work, "mod")
    log.run(
        ["make", f"-j{os.cpu_count() or 1}", "-C", mod, f"MPY_DIR={tree}", f"MPY_CROSS={cross}"]
        + [f"PYTHON={python}", f"ARCH={arch}"],
        f"The dynamic module of the C core could not be built for {arch}.",
        env=environment,
    )
    path = shutil.move(os.path.join(mod, "_kcp.mpy"), folder)
    shutil.rmtree(work)
    return {"about": f"{os.path.getsize(path)} bytes"}


def _usermod(folder, log, tree, cross):
    work = _workplace(tree)
    modules = copy_modules(work)
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


def copy_modules(work):
    """Copy native/ into a folder that keeps objects, for USER_C_MODULES; its path.

    A file keeps its date if nothing changed in it, so that make compiles what did."""
    modules = os.path.join(work, "native")
    for path in sources("mod"):
        copy = os.path.join(modules, os.path.relpath(path, NATIVE))
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        if not os.path.exists(copy) or not filecmp.cmp(path, copy, shallow=False):
            shutil.copy(path, copy)
    for path in glob.glob(os.path.join(modules, "*", "*")):
        if not os.path.exists(os.path.join(NATIVE, os.path.relpath(path, modules))):
            os.remove(path)
    return modules


def _workplace(tree):
    """A folder that keeps MicroPython's objects from build to build: only the core changes."""
    key = common.digest(tree, common.digest_files(os.path.abspath(__file__), RECIPE))
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
