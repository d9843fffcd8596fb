"""MicroPython firmware for boards that qemu emulates, as boards/qemu adds to it."""

import glob
import os
import shutil
import subprocess

import common
import toolchains

HERE = os.path.join(common.REPOSITORY, "boards")
HEAP_BYTES = 4 << 20
MANIFEST = 'include("$(MPY_DIR)/extmod/asyncio")\n'
# Target: the board in MicroPython's qemu port; kits of compiler and emulator; linker script.
BOARDS = {
    "cortex-m3": ("MPS2_AN385", "thumb", "qemu-arm", "mps2.ld"),
    "cortex-m7": ("MPS2_AN500", "thumb", "qemu-arm", "mps2.ld"),
    "riscv32": ("VIRT_RV32", "rv32", "qemu-rv32", "virt.ld"),
}
COMPILERS = {"thumb": "arm-none-eabi-", "rv32": "riscv64-unknown-elf-"}


def ensure(target, tree, cross, modules=()):
    """(path of the firmware, path of the emulator).

    tree, cross: MicroPython's source and its mpy-cross; modules: folders of user C modules to be
    linked in besides.
    """
    _, kit, emulator, _ = BOARDS[target]
    compiler = os.path.join(toolchains.ensure(kit), COMPILERS[kit])
    programs = toolchains.ensure(emulator)
    modules = (os.path.join(HERE, "qemu", "support"), *modules)
    sources = [os.path.abspath(__file__)]
    for folder in (HERE, *modules):
        found = glob.glob(os.path.join(folder, "**", "*"), recursive=True)
        sources += sorted(path for path in found if os.path.isfile(path))
    key = common.digest(tree, compiler, target, common.digest_files(*sources))

    def build(folder, log):
        _make(target, folder, log, tree, cross, compiler, modules)
        return {"about": BOARDS[target][0]}

    folder, _ = common.ensure("board-" + target, key, build)
    program = toolchains.KITS[emulator][1]
    return os.path.join(folder, "firmware.elf"), os.path.join(programs, program)


def _make(target, folder, log, tree, cross, compiler, modules):
    board, kit, _, script = BOARDS[target]
    work = os.path.join(folder, "work")
    os.makedirs(os.path.join(work, "lib"))
    os.makedirs(os.path.join(work, "modules"))
    for path in modules:
        os.symlink(path, os.path.join(work, "modules", os.path.basename(path)))
    with open(os.path.join(work, "manifest.py"), "w") as file:
        file.write(MANIFEST)
    with open(os.path.join(work, "lib", "README.md"), "w"):
        pass  # by this file the makefile tells that the submodule is there
    script = os.path.join(HERE, "qemu", script)
    config = os.path.join(HERE, "qemu", "config.h")
    command = ["make", f"-j{os.cpu_count() or 1}", "-C", os.path.join(tree, "ports", "qemu")]
    command += [f"BOARD={board}", f"BUILD={work}/build", f"CROSS_COMPILE={compiler}"]
    command += [f"MICROPY_MPYCROSS={cross}", "MICROPY_MPYCROSS_DEPENDENCY="]
    command += [f"MPY_LIB_DIR={work}/lib", f"FROZEN_MANIFEST={work}/manifest.py"]
    command += [f"LDSCRIPT={script}", f"USER_C_MODULES={work}/modules"]
    command.append(f"MICROPY_HEAP_SIZE={HEAP_BYTES}")
    if kit == "thumb":
        command.append("MICROPY_VFS_LFS2=1")  # files that can be written, in memory
    command.append(f'CFLAGS_EXTRA=-DMP_CONFIGFILE=\\"{config}\\"')
    if not os.path.exists(os.path.join(tree, "ports", "qemu", "boards", board)):
        command.append("BOARD_DIR=" + os.path.join(HERE, board))
    if kit == "rv32":
        command.append("LDFLAGS=" + _rv32_link_flags(script, compiler, work))
    log.run(command, f"MicroPython for the board {board} could not be built.")
    shutil.copy2(os.path.join(work, "build", "firmware.elf"), folder)
    shutil.rmtree(work)


def _rv32_link_flags(script, compiler, work):
    """The makefile's, but for the architecture: the toolchain has no libraries for _zicsr."""
    specs = subprocess.run(
        [compiler + "gcc", "--print-file-name=picolibc.specs"],
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    words = ["-mabi=ilp32", "-march=rv32imac", "-Wl,-EL", f"--specs={specs}", "-T", script]
    words += ["-Wl,--gc-sections", f"-Wl,-Map={work}/firmware.map"]
    words += ["-Wl,--wrap=uart_init", "-Wl,--wrap=mp_stack_set_limit"]
    return " ".join(words)
