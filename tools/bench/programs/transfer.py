"""The two ends of a transfer of ours, on both runtimes; twin: transfer.go of tests/interop/peers.

    transfer.py serve KIND PORT BYTES OPTIONS    takes one session; KIND: sink or echo
    transfer.py send KIND PORT BYTES OPTIONS     prints {"value": MB/s, "unit": ...}

OPTIONS: JSON for kcp.Config. A sink answers with one byte when all bytes are there; the sender's
clock stops when that has come, or all of the echo.
"""

import asyncio
import json
import sys
import time

import kcp

HOST = "127.0.0.1"
WRITE_BYTES = 65536
KEY = bytes(range(32))
SETTINGS = {"mtu": 1400, "sndwnd": 1024, "rcvwnd": 1024, "mode": "fast3"}
LONGEST_S = 120


def server(is_echo, n_bytes):
    """A callback for kcp.start_server."""

    async def take(reader, writer):
        buf, left = bytearray(WRITE_BYTES), n_bytes
        view = memoryview(buf)
        while left > 0:
            n = await reader.readinto(buf)
            left -= n
            if is_echo:
                await writer.send(view[:n])
        if not is_echo:
            writer.write(b"!")

    return take


async def serve(is_echo, port, n_bytes, options):
    await kcp.start_server(server(is_echo, n_bytes), HOST, port, **options)
    print(json.dumps({"event": "listening", "port": port}))
    await asyncio.sleep(LONGEST_S)  # who started this process ends it before


async def write(stream, n_bytes):
    chunk = bytes(WRITE_BYTES)
    while n_bytes > 0:
        await stream.send(chunk if n_bytes >= WRITE_BYTES else chunk[:n_bytes])
        n_bytes -= WRITE_BYTES


async def read(stream, n_bytes):
    buf = bytearray(WRITE_BYTES)
    while n_bytes > 0:
        n_bytes -= await stream.readinto(buf)


async def send(is_echo, port, n_bytes, options):
    stream, _ = await kcp.open_connection(HOST, port, **options)
    begin_ns = time.time_ns()
    await asyncio.gather(write(stream, n_bytes), read(stream, n_bytes if is_echo else 1))
    seconds = (time.time_ns() - begin_ns) / 1e9
    print(json.dumps({"value": n_bytes / 1e6 / seconds, "unit": "MB/s"}))
    stream.close(0)


if __name__ == "__main__":
    _, end, kind, port, n_bytes, given = sys.argv
    options = dict(SETTINGS)
    options.update(json.loads(given))
    if "crypt" in options:
        options["key"] = KEY
    asyncio.run(
        (serve if end == "serve" else send)(kind == "echo", int(port), int(n_bytes), options)
    )
