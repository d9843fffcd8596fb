"""An emulated board: MicroPython's REPL on its first serial port, a file system in memory."""

import subprocess

# Has the emulator killed if whoever started it is (by a test's time limit).
TIED = ("setpriv", "--pdeathsig", "KILL")


class Kind:
    """What a board needs of qemu.

    arguments: qemu's; image_address: where a file system image goes; march: what mpy-cross calls
    its machine code.
    """

    def __init__(self, arguments, image_address, march):
        self.arguments = arguments
        self.image_address = image_address
        self.march = march

    def second_port(self, chardev):
        """qemu's arguments that lead the second serial port to a chardev."""
        words = ["-chardev", chardev + ",id=second"]
        if "virt" in self.arguments:
            return [*words, "-device", "pci-serial,chardev=second"]
        return [*words, "-serial", "chardev:second"]


KINDS = {
    "cortex-m3": Kind(["-machine", "mps2-an385"], 0x100000, "armv7m"),
    "cortex-m7": Kind(["-machine", "mps2-an500"], 0x100000, "armv7emsp"),
    "riscv32": Kind(["-machine", "virt", "-bios", "none"], 0x84000000, "rv32imc"),
}


class Board:
    """A running board; ends with the `with` block.

    kind: of KINDS; emulator, firmware, image: paths; port: a chardev of qemu, such as
    "socket,path=...,server=on,wait=off", for the second serial port.
    """

    def __init__(self, kind, emulator, firmware, image=None, port=None):
        kind = KINDS[kind]
        command = [*TIED, emulator, *kind.arguments, "-display", "none", "-monitor", "none"]
        command += ["-semihosting", "-serial", "stdio", "-kernel", firmware]
        if image:
            where = f"loader,file={image},addr={kind.image_address:#x},force-raw=on"
            command += ["-device", where]
        if port:
            command += kind.second_port(port)
        self._is_raw = False
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def _until(self, mark, show=None):
        """What comes before a mark; show(bytes) gets it as it comes (with a mark of one byte)."""
        found = bytearray()
        while not found.endswith(mark):
            byte = self._process.stdout.read1(1)
            if not byte:
                raise EOFError("the board has ended: " + found.decode("utf-8", "replace"))
            found += byte
            if show and byte != mark:
                show(byte)
        return bytes(found[: -len(mark)])

    def execute(self, source, show=None):
        """Run a program; (what it printed, its traceback or b"")."""
        if not self._is_raw:
            self._send(b"\r\x01")
            self._until(b"raw REPL; CTRL-B to exit\r\n>")
            self._is_raw = True
        self._send(source.encode() + b"\x04")
        self._until(b"OK")
        found = self._until(b"\x04", show), self._until(b"\x04")
        self._until(b">")
        return found

    def _send(self, data):
        self._process.stdin.write(data)
        self._process.stdin.flush()
