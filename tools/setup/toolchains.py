"""Cross compilers and emulators from the machine's Debian mirror, unpacked and never installed.

Each kit is a few packages with all that they depend on but the C library, which is the machine's
own (the packages are of its own suite). A kit's programs are started by small scripts in its
folder bin/, which say where the libraries beside them are.
"""

import glob
import os
import stat

import common
import debian

# Kit: packages, beginning of the names of its programs, megabytes to fetch and on the disk.
KITS = {
    "mips": (["gcc-mips-linux-gnu", "libc6-dev-mips-cross"], "mips-linux-gnu-", 40, 120),
    "mipsel": (["gcc-mipsel-linux-gnu", "libc6-dev-mipsel-cross"], "mipsel-linux-gnu-", 41, 120),
    "thumb": (["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"], "arm-none-eabi-", 103, 480),
    "rv32": (
        ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"],
        "riscv64-unknown-elf-",
        161,
        240,
    ),
    "xtensa": (["gcc-xtensa-lx106", "picolibc-xtensa-lx106-elf"], "xtensa-lx106-elf-", 57, 180),
    "qemu-user": (["qemu-user-static"], "qemu-mips", 63, 65),
    "qemu-arm": (["qemu-system-arm"], "qemu-system-arm", 41, 90),
    "qemu-rv32": (["qemu-system-misc"], "qemu-system-riscv32", 79, 90),
}
ALONE = ("qemu-user",)  # linked statically: nothing else is needed
C_LIBRARY = "libc6"  # the machine's own runs the programs
USELESS = ("usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/")
# Which of the variants of a bare-metal C library are kept: a gigabyte goes.
VARIANTS = {
    "thumb": ("usr/lib/arm-none-eabi/newlib/", ("v6-m", "v7-m", "v7e-m")),
    "rv32": ("usr/lib/picolibc/riscv64-unknown-elf/lib/", ("rv32imac",)),
}
SCRIPT = """#!/bin/sh
LD_LIBRARY_PATH={libraries} exec {program} "$@"
"""


def is_wanted(kit, path):
    """False for what a package holds and no target uses: documents, and most of the variants."""
    if path.startswith(USELESS):
        return False
    if kit == "qemu-user":
        return path.startswith("usr/bin/qemu-mips")
    if path.startswith("usr/bin/qemu-system-"):
        return path == "usr/bin/" + KITS[kit][1]
    if path.startswith("usr/share/qemu/"):  # firmware of other machines
        return path.endswith((".rom", ".bin")) and "/edk2" not in path
    top, kept = VARIANTS.get(kit, ("-", ()))
    if path.startswith(top) and path.endswith((".a", ".o")):
        return any(f"/{name}/" in path for name in kept)
    return True


def ensure(kit):
    """The folder with the programs of a kit, to be put on PATH."""
    packages, prefix, _, _ = KITS[kit]

    def build(folder, log):
        suite = debian.own_suite()
        root = os.path.join(folder, "root")
        archive = debian.Archive(log, suite)
        archive.unpack(
            packages,
            root,
            with_dependencies=kit not in ALONE,
            is_wanted=lambda path: is_wanted(kit, path),
            without=(C_LIBRARY,),
        )
        _move_specs(root)
        _link_newlib(root)
        names = _scripts(root, prefix, os.path.join(folder, "bin"))
        if not names:
            raise common.SetupError(
                f"The packages {' '.join(packages)} of {suite} hold no program {prefix}*; "
                "use a Debian that has them."
            )
        return {"about": f"{' '.join(packages)} of {suite}"}

    return os.path.join(common.ensure("kit-" + kit, _key(kit), build)[0], "bin")


def _scripts(root, prefix, into):
    """A script in <into> for each program of the unpacked packages; their names."""
    os.makedirs(into)
    libraries = _library_folders(root)
    names = []
    for program in sorted(glob.glob(os.path.join(root, "usr", "bin", prefix + "*"))):
        name = os.path.basename(program).replace("-static", "")
        path = os.path.join(into, name)
        with open(path, "w") as file:
            file.write(SCRIPT.format(libraries=":".join(libraries), program=program))
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        names.append(name)
    return names


def _move_specs(root):
    """Point a C library's .specs, which say where it is installed, at where it is unpacked.

    They are put where gcc looks for them by itself.
    """
    for path in glob.glob(os.path.join(root, "usr/lib/**/picolibc.specs"), recursive=True):
        with open(path) as file:
            text = file.read()
        for folder in glob.glob(os.path.join(root, "usr/lib/gcc/*/*")):
            with open(os.path.join(folder, os.path.basename(path)), "w") as file:
                file.write(text.replace("/usr/lib/", os.path.join(root, "usr/lib") + os.sep))


def _link_newlib(root):
    """Put newlib where a gcc that was moved looks for it; Debian's knows it by its place."""
    top = os.path.join(root, "usr", "lib", "arm-none-eabi")
    if os.path.exists(os.path.join(top, "newlib")):
        os.symlink("../../include/newlib", os.path.join(top, "include"))
        os.symlink("newlib", os.path.join(top, "lib"))


def _library_folders(root):
    """Where the packages have their shared libraries, below usr/lib and lib."""
    found = set()
    for top in ("lib", "usr/lib"):
        pattern = os.path.join(root, top, os.uname().machine + "-linux-gnu", "**", "*.so.*")
        found |= {os.path.dirname(path) for path in glob.glob(pattern, recursive=True)}
    return sorted(found)


def missing(kits):
    """(kits that are not in the cache, megabytes to fetch, megabytes they will take)."""
    todo = [kit for kit in kits if not _is_there(kit)]
    return todo, sum(KITS[kit][2] for kit in todo), sum(KITS[kit][3] for kit in todo)


def _is_there(kit):
    return os.path.exists(os.path.join(common.cache_dir(), f"kit-{kit}-{_key(kit)}", ".done"))


def _key(kit):
    recipe = common.digest_files(os.path.abspath(__file__))
    return common.digest(debian.own_suite(), recipe, kit, os.uname().machine)
