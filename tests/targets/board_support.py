"""A board that qemu emulates, its second serial port, and who is at the other end of that."""

import contextlib
import os
import select
import shlex
import socket
import sys
import tempfile
import threading
import time

import target_files

from kcp.serial import SerialCarrier

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(TOP, "tests", "interop"), os.path.join(TOP, "tools", "board")]
import binaries  # noqa: E402  (found by the line above)
import machine  # noqa: E402  (found by the line above)
import rom  # noqa: E402  (found by the line above)
import udp  # noqa: E402  (for those who import this)

PATIENCE_S = 240
udp.TIMEOUT_S = PATIENCE_S
HEAP_BYTES = 192 << 10  # what is left to the program: a small board's memory
PROGRAM = """
import gc, sys, uctypes, vfs
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({address}, {size})), "/rom")
sys.path[:] = [".frozen", "/rom/lib", "/rom"]
gc.collect()
ballast = bytearray(gc.mem_free() - {heap})
import board_program
board_program.run({words})
"""


class LossyLine(SerialCarrier):
    """A serial line of which every `every`-th datagram is lost, each way."""

    def __init__(self, stream, every, mtu):
        super().__init__(stream, mtu=mtu)
        self._every = every
        self._n_sent = self._n_received = 0

    def send(self, buf, n, key=None):
        if (self._n_sent + 1) % self._every == 0:
            self._n_sent += 1
            return n
        n = super().send(buf, n, key)
        self._n_sent += n > 0
        return n

    def recv_into(self, buf):
        n = super().recv_into(buf)
        if n:
            self._n_received += 1
            if self._n_received % self._every == 0:
                return 0
        return n


class BoardRun:
    """A program of this folder on a board; `line` is the socket at its second serial port."""

    def __init__(self, target, *words):
        command = shlex.split(binaries.needed(target_files.VARIABLES[target]))
        self._kind, self._emulator, self._firmware = command[-3:]
        self._words = words
        self.printed = self.problem = b""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        path = os.path.join(self._folder.name, "line")
        with self._undone_on_error():
            self._start(path)
            self.line = connected(path)
        return self

    @contextlib.contextmanager
    def _undone_on_error(self):
        try:
            yield
        except BaseException:
            self._folder.cleanup()
            raise

    def _start(self, path):
        image = os.path.join(self._folder.name, "image")
        kind = machine.KINDS[self._kind]
        size = self._write_image(image, kind)
        self._board = machine.Board(
            self._kind,
            self._emulator,
            self._firmware,
            image,
            f"socket,path={path},server=on,wait=off",
        )
        words = ", ".join(repr(word) for word in self._words)
        source = PROGRAM.format(
            address=kind.image_address, size=size, heap=HEAP_BYTES, words=words
        )
        self._thread = threading.Thread(target=self._execute, args=(source,), daemon=True)
        self._thread.start()

    def _write_image(self, path, kind):
        cache = os.path.join(os.path.dirname(os.path.dirname(self._firmware)), "mpy")
        compiler = rom.Compiler(binaries.needed("KCP_MPY_CROSS"), kind.march, cache)
        folders = [("lib/kcp", os.path.join(binaries.LIB, "kcp"))]
        folders.append(("lib/kcp/crypt", os.path.join(binaries.LIB, "kcp", "crypt")))
        program = compiler.compile(os.path.join(HERE, "board_program.py"), "board_program.py")
        return rom.write(path, folders, [("board_program.mpy", program)], compiler)

    def _execute(self, source):
        try:
            self.printed, self.problem = self._board.execute(source)
        except (EOFError, OSError) as error:
            self.problem = repr(error).encode()

    def result(self):
        """What the program printed, as words; it has to end well."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the board's program does not end"
        assert not self.problem, (self.printed + self.problem).decode()
        return self.printed.decode().split()

    def __exit__(self, *_):
        self.line.close()
        self._board.__exit__()
        self._thread.join(PATIENCE_S)
        self._folder.cleanup()


def connected(path):
    """A socket at the emulator's end of the line, as soon as there is one."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
            assert time.monotonic() < end_s, "the emulator has not opened its serial port"
            time.sleep(0.05)


class Bridge:
    """Datagrams between a serial line and UDP, in a thread: what a gateway does.

    port: where kcp-go listens; None: it is a client, and comes to self.port.
    """

    def __init__(self, line, every, mtu, port=None):
        self._carrier = LossyLine(line.fileno(), every, mtu)
        self._line = line
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.setblocking(False)
        self.port = self._udp.getsockname()[1]
        self._peer = None if port is None else ("127.0.0.1", port)
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join(PATIENCE_S)
        self._udp.close()

    def _run(self):
        buf = bytearray(1500)
        while not self._is_over:
            select.select([self._line, self._udp], [], [], 0.05)
            while True:
                n = self._carrier.recv_into(buf)
                if not n:
                    break
                if self._peer:
                    self._udp.sendto(buf[:n], self._peer)
            self._from_udp()

    def _from_udp(self):
        try:
            data, self._peer = self._udp.recvfrom(1500)
        except OSError:  # none is there, or kcp-go has gone
            return
        while not self._carrier.send(data, len(data)) and not self._is_over:
            time.sleep(0.001)
