"""Sessions over real pseudo-terminals, with garbage on the line: both runtimes."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import tty

import pytest
from binaries import HERE, environment, micropython

import kcp
from kcp.serial import SerialCarrier

PATIENCE_S = 60
N = 30000
PROGRAM = os.path.join(HERE, "programs", "serial_echo.py")


class Line:
    """Two pseudo-terminals, joined by threads that spoil every tenth block of bytes."""

    def __init__(self, seed):
        self.masters, self.paths, self._slaves = [], [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self.masters.append(master)
            self._slaves.append(slave)
            self.paths.append(os.ttyname(slave))
        self.n_spoiled = 0
        self._is_over = False
        self._threads = [
            threading.Thread(target=self._join, args=(a, b, random.Random(seed + a)), daemon=True)
            for a, b in (self.masters, self.masters[::-1])
        ]
        for thread in self._threads:
            thread.start()

    def _join(self, source, sink, rng):
        os.set_blocking(source, True)
        try:
            while True:
                data = bytearray(os.read(source, 1024))
                if rng.random() < 0.1:
                    self.n_spoiled += 1
                    self._spoil(data, rng)
                while data:
                    del data[: os.write(sink, data)]
        except OSError:  # the end: all who had the slave open have closed it
            pass

    @staticmethod
    def _spoil(data, rng):
        at = rng.randrange(len(data))
        kind = rng.randrange(3)
        if kind == 0:
            data[at:at] = bytes(rng.getrandbits(8) for _ in range(rng.randrange(1, 300)))
        elif kind == 1:
            del data[at : at + 5]
        else:
            data[at] ^= 1 << rng.randrange(8)

    def close(self):
        for slave in self._slaves:
            os.close(slave)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for master in self.masters:
            os.close(master)


async def _echoed(path, data):
    """Send data to the program at the other end, and return what comes back, and n_bad."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    carrier = SerialCarrier(fd, mtu=400)
    stream, _ = await kcp.open_connection(carrier=carrier, mode="fast3")

    async def write():
        for i in range(0, len(data), 2000):
            stream.write(data[i : i + 2000])
            await stream.drain()

    task = asyncio.ensure_future(write())
    got = await asyncio.wait_for(stream.readexactly(len(data)), PATIENCE_S)
    await task
    stream.close()
    await stream.wait_closed()
    os.close(fd)
    return got, carrier.n_bad


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_byte_exact_with_garbage_on_the_line(runtime):
    interpreter = [sys.executable, "-u"] if runtime == "cpython" else micropython()
    line = Line(11)
    peer = subprocess.Popen(
        [*interpreter, PROGRAM, line.paths[1], str(N)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert peer.stdout.readline() == "ready\n"
        data = random.Random(3).getrandbits(8 * N).to_bytes(N, "little")
        got, n_bad = asyncio.run(_echoed(line.paths[0], data))
        assert got == data
        word, theirs = peer.stdout.readline().split()
        assert word == "bad" and line.n_spoiled > 5
        assert n_bad > 0 and int(theirs) > 0
        assert peer.wait(PATIENCE_S) == 0
    finally:
        peer.kill()
        peer.communicate()
        line.close()
