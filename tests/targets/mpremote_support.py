"""An emulated board whose REPL is at a pseudo-terminal, and the real mpremote at the other end."""

import contextlib
import os
import re
import shlex
import subprocess
import sys

import board_support
import target_files
from board_support import binaries

TOP = board_support.TOP
HERE = board_support.HERE
machine = board_support.machine


class PtyBoard:
    """A board as one that was just plugged in; `tty`: mpremote's DEVICE, `line`: its second port.

    The `with` block starts and ends it.
    """

    def __init__(self, target, folder):
        command = shlex.split(binaries.needed(target_files.VARIABLES[target]))
        kind, self._emulator, self._firmware = command[-3:]
        self._kind = machine.KINDS[kind]
        self._path = os.path.join(folder, "line")

    def __enter__(self):
        command = [*machine.TIED, self._emulator, *self._kind.arguments, "-display", "none"]
        command += ["-monitor", "none", "-semihosting", "-serial", "pty"]
        command += ["-kernel", self._firmware]
        command += self._kind.second_port(f"socket,path={self._path},server=on,wait=off")
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        with contextlib.ExitStack() as stack:
            stack.callback(self._process.communicate)
            stack.callback(self._process.kill)
            said = self._process.stdout.readline().decode()
            self.tty = re.search(r"/dev/pts/\d+", said)[0]
            self.line = board_support.connected(self._path)
            self._undo = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.line.close()
        self._undo.close()

    def mpremote(self, *words):
        """Run mpremote without a reset, which would empty the file system; what it printed."""
        start = ["-m", "mpremote", "connect", self.tty, "resume"]
        return run([sys.executable, *start, *words])

    def mip_install(self, *words):
        """Run tools/mip_install.py; what it printed."""
        tool = os.path.join(TOP, "tools", "mip_install.py")
        return run([sys.executable, tool, "--connect", self.tty, *words])

    def start(self, *words):
        """Start mpremote; the process."""
        command = [*machine.TIED, sys.executable, "-m", "mpremote", "connect", self.tty, "resume"]
        return subprocess.Popen(
            [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def tree(self, top):
        """{path: bytes} of the files below a folder of the board."""
        program = TREE.format(top=top)
        rows = self.mpremote("exec", program).split()
        return {path: int(n) for path, n in zip(rows[::2], rows[1::2])}


TREE = """
import os
todo = ["{top}"]
while todo:
    folder = todo.pop()
    for name, kind, _, n in os.ilistdir(folder):
        path = folder + "/" + name
        todo.append(path) if kind == 0x4000 else print(path, n)
"""


def run(command):
    """Run a command that has to end well, in the repository's folder; what it printed."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=board_support.PATIENCE_S * 4,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
