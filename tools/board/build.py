#!/usr/bin/env python3
"""Builds a firmware of boards/ with the compilers that set-up has fetched.

    tools/board/build.py BOARD FOLDER         after set-up (`make env` of targets)

BOARD is one of BOARDS; the firmware goes into FOLDER. Other boards need what is not here: their
makers' SDKs. KCP_MPY_DIR is MicroPython's source, KCP_MPY_CROSS its compiler.
"""

import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools", "setup"))
import common  # noqa: E402  (found by the line above)
import toolchains  # noqa: E402

# Board: port, kit with the compiler, beginning of the names of its programs, what is made, flags.
BOARDS = {
    "QEMU_CORTEX_M3": ("qemu", "thumb", "arm-none-eabi-", "firmware.elf", ()),
    "UNIX-MIPS-ROUTER": (
        "unix",
        "mips",
        "mips-linux-gnu-",
        "micropython",
        ("LDFLAGS_EXTRA=-static",),
    ),
}


def command(board, work):
    """The make command that README tells for a board, with paths of set-up's tools."""
    port, kit, prefix, _, flags = BOARDS[board]
    folder = os.path.join(TOP, "boards", board)
    where = "VARIANT_DIR=" if port == "unix" else f"BOARD={board} BOARD_DIR="
    prefix = os.path.join(toolchains.ensure(kit), prefix)
    words = ["make", f"-j{os.cpu_count() or 1}", "-C"]
    words += [os.path.join(os.environ["KCP_MPY_DIR"], "ports", port), *(where + folder).split()]
    words += [f"BUILD={work}/build", f"CROSS_COMPILE={prefix}", *flags]
    words += [f"MICROPY_MPYCROSS={os.environ['KCP_MPY_CROSS']}", "MICROPY_MPYCROSS_DEPENDENCY="]
    return [*words, f"MPY_LIB_DIR={work}/lib"]


def build(board, into):
    """Build a board; the path of the firmware. SystemExit with make's last words if it fails."""
    work = os.path.join(into, "work")
    os.makedirs(os.path.join(work, "lib"))
    with open(os.path.join(work, "lib", "README.md"), "w"):
        pass  # by this file the makefile tells that the submodule is there
    done = subprocess.run(
        command(board, work),
        env=common.clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{board} cannot be built: {done.stdout.decode(errors='replace')[-2000:]}")
    path = shutil.move(os.path.join(work, "build", BOARDS[board][3]), into)
    shutil.rmtree(work)
    return path


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in BOARDS:
        sys.exit(f"{__doc__.strip()}\n\nBOARDS: {', '.join(BOARDS)}")
    print(build(*sys.argv[1:]))


if __name__ == "__main__":
    main()
