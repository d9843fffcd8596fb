"""Runs on a board: one end of a session over its second serial port."""

import asyncio
import gc
import sys
from binascii import unhexlify

from machine import UART

import kcp
from kcp.serial import SerialCarrier

CHUNK = 1024


def pattern(n, seed):
    """n bytes that hardly repeat, made of small numbers."""
    out = bytearray(n)
    x = seed
    for i in range(n):
        x = (x * 75 + 74) % 65537
        out[i] = x & 255
    return out


async def _answer(stream, n_bytes):
    """Send back every byte inverted, as far as n_bytes."""
    while n_bytes:
        data = bytearray(await stream.read(min(CHUNK, n_bytes)))
        n_bytes -= len(data)
        for i in range(len(data)):
            data[i] ^= 0xFF
        stream.write(data)
        await stream.drain()


async def _send(stream, data):
    for i in range(0, len(data), CHUNK):
        stream.write(data[i : i + CHUNK])
        await stream.drain()


async def _ask(stream, n_bytes):
    """Send n_bytes to an echo, and compare what comes back."""
    data = pattern(n_bytes, 3)
    task = asyncio.create_task(_send(stream, data))
    got = await stream.readexactly(n_bytes)
    await task
    if got != data:
        raise ValueError("another echo came back")


async def _echo(stream, n_bytes):
    while n_bytes:
        data = await stream.read(min(CHUNK, n_bytes))
        n_bytes -= len(data)
        stream.write(data)
        await stream.drain()


ROLES = {"answer": _answer, "echo": _echo, "ask": _ask}


async def _main(role, n_bytes, mtu, options):
    carrier = SerialCarrier(UART(1, 115200), mtu=mtu)
    if role == "ask":
        stream, _ = await kcp.open_connection(carrier=carrier, **options)
    else:
        server = await kcp.start_server(None, carrier=carrier, **options)
        stream, _ = await server.accept()
    await ROLES[role](stream, n_bytes)
    stats = stream.get_extra_info("session").stats
    stream.close()
    await stream.wait_closed()
    gc.collect()
    print(sys.platform, kcp.backend(), stats.FECRecovered, stats.InErrs, gc.mem_free())


def run(role, n_bytes, mtu, key, options):
    """Play a role ("answer", "echo" or "ask") for n_bytes; prints words about it at the end."""
    options = dict(options)
    options["key"] = unhexlify(key)
    asyncio.run(_main(role, n_bytes, mtu, options))
