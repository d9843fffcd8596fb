"""MicroPython for Unix: echoes one session on the terminal sys.argv[1], until it has echoed
sys.argv[2] bytes; prints its counters. CPython runs it too."""

import asyncio
import sys

import kcp
from kcp.serial import SerialCarrier

_O_RDWR_NOCTTY_NONBLOCK = 0o2 | 0o400 | 0o4000


class Terminal:
    """A terminal opened by libc: MicroPython's own files cannot be made non-blocking."""

    def __init__(self, path):
        import ffi

        libc = ffi.open("libc.so.6")
        self._read = libc.func("i", "read", "ipi")
        self._write = libc.func("i", "write", "ipi")
        self._fd = libc.func("i", "open", "si")(path, _O_RDWR_NOCTTY_NONBLOCK)
        if self._fd < 0:
            raise OSError("cannot open " + path)

    def readinto(self, view):
        return max(self._read(self._fd, view, len(view)), 0)

    def write(self, view):
        return max(self._write(self._fd, view, len(view)), 0)


async def main(path, n_bytes):
    if sys.implementation.name == "micropython":
        stream = Terminal(path)
    else:
        import os

        stream = os.open(path, os.O_RDWR | os.O_NOCTTY)
    carrier = SerialCarrier(stream, mtu=400)
    server = await kcp.start_server(None, carrier=carrier, mode="fast3")
    print("ready")
    stream, _ = await server.accept()
    while n_bytes:
        data = await stream.read(4096)
        stream.write(data)
        n_bytes -= len(data)
        await stream.drain()
    stream.close()
    await stream.wait_closed()
    server.close()
    print("bad", carrier.n_bad)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
