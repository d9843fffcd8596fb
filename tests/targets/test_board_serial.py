"""Sessions over the second serial port of emulated boards, to CPython and to real kcp-go."""

import asyncio
import binascii
import os

import pytest
from board_support import PATIENCE_S, BoardRun, Bridge, LossyLine, udp

import kcp

BOARDS = ("cortex-m3", "cortex-m7", "riscv32")
N_BYTES = 60_000 if os.environ.get("KCP_WHOLE") else 4000
MTU = 400
LOSE_EVERY = 11
OPTIONS = {"crypt": "aes-128", "fec": (3, 1), "mode": "normal", "linger_ms": 60_000}
ITS = {"crypt": "aes-128", "datashard": 3, "parityshard": 1, "mtu": MTU}
ITS.update(mode="normal", sndwnd=8, rcvwnd=8)
KEY = kcp.derive_key("secret")

every_board = pytest.mark.parametrize("board", BOARDS)


def run(board, role):
    return BoardRun(board, role, N_BYTES, MTU, binascii.hexlify(KEY), OPTIONS)


def check(words):
    """What the board said at the end: machine code ran, FEC repaired, nothing was damaged."""
    platform, backend, n_recovered, n_errors, n_free = words
    assert (platform, backend, n_errors) == ("qemu", "viper", "0")
    assert int(n_recovered) > 0
    assert int(n_free) > 20_000


async def _asked(line, data):
    """Send data to the board; what comes back."""
    carrier = LossyLine(line.fileno(), LOSE_EVERY, MTU)
    stream, _ = await kcp.open_connection(carrier=carrier, key=KEY, sndwnd=8, rcvwnd=8, **OPTIONS)

    async def send():
        for i in range(0, len(data), 1000):
            stream.write(data[i : i + 1000])
            await stream.drain()

    task = asyncio.ensure_future(send())
    got = await asyncio.wait_for(stream.readexactly(len(data)), PATIENCE_S)
    await task
    stats = stream.get_extra_info("session").stats
    stream.close()
    await stream.wait_closed()
    return got, stats


@every_board
def test_with_cpython(board):
    data = os.urandom(N_BYTES)
    with run(board, "answer") as there:
        got, stats = asyncio.run(_asked(there.line, data))
        check(there.result())
    assert got == bytes(byte ^ 0xFF for byte in data)
    assert stats.FECRecovered > 0 and stats.InErrs == 0


@every_board
def test_as_a_client_of_kcp_go(board):
    with (
        udp.go_server(key="secret", **ITS) as port,
        run(board, "ask") as there,
        Bridge(there.line, LOSE_EVERY, MTU, port),
    ):
        check(there.result())


@every_board
def test_as_a_server_for_kcp_go(board):
    with run(board, "echo") as there, Bridge(there.line, LOSE_EVERY, MTU) as bridge:
        said = udp.go_client(bridge.port, N_BYTES, 5, key="secret", **ITS)
        check(there.result())
    assert said["ok"] and said["bytes"] == N_BYTES
