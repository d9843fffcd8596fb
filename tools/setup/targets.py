"""What `make test-targets` needs besides the rest: it asks before it fetches gigabytes."""

import os
import shlex
import sys

import c_twins
import common
import cross_ffi
import cross_unix
import toolchains
import wasm

import boards

KITS = ("mips", "mipsel", "qemu-user", "thumb", "qemu-arm", "rv32", "qemu-rv32")
MODULE_KITS = ("thumb", "rv32")
RUN_ON_BOARD = os.path.join(common.REPOSITORY, "tools", "board", "run_test.py")


def ensure(tree, cross, python_folder):
    """Variables: the command line of each target's MicroPython (with _FFI: one that loads shared
    libraries), and the folders of the C core as a dynamic module, KCP_NATMOD_<architecture>, and
    as a shared library, KCP_LIBRARY_<target>.

    tree, cross: MicroPython's source and its mpy-cross; python_folder: the virtual environment.
    """
    _ask(KITS)
    python = os.path.join(python_folder, "bin", "python")
    found = {"KCP_UPY_WASM": wasm.ensure(python_folder)}
    for target in cross_unix.TARGETS:
        variable = _variable(target)
        found[variable] = cross_unix.ensure(target, tree, cross)
        found[variable + "_FFI"], folder = cross_ffi.ensure(target, tree, cross)
        found["KCP_LIBRARY_" + target.upper()] = folder
    for target in boards.BOARDS:
        firmware, emulator = boards.ensure(target, tree, cross)
        command = [python, RUN_ON_BOARD, target, emulator, firmware]
        found[_variable(target)] = shlex.join(command)
    return {**found, **ensure_modules(tree, cross, python_folder)}


def ensure_modules(tree, cross, python_folder):
    """The variables KCP_NATMOD_<architecture> alone: what `make dist` needs."""
    _ask(MODULE_KITS)
    return {
        "KCP_NATMOD_" + arch.upper(): c_twins.ensure_natmod(arch, tree, cross, python_folder)
        for arch in (*c_twins.ARCHITECTURES.values(), *c_twins.KITS)
    }


def _variable(target):
    return "KCP_UPY_" + target.upper().replace("-", "_")


def _ask(kits):
    """Return if what is missing may be fetched."""
    missing, n_fetched, n_kept = toolchains.missing(kits)
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
