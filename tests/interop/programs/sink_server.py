"""Swallows what every session sends; on both runtimes.

    sink_server.py HOST PORT SECONDS BYTES OPTIONS      OPTIONS: JSON, see options.py

After BYTES bytes of a session it answers with their SHA-256 (32 bytes), as `kcppeer serve --sink`.
"""

import asyncio
import hashlib
import json
import sys

from options import read

import kcp

CHUNK_BYTES = 65536


def sink(n_bytes):
    """A callback for kcp.start_server."""

    async def swallow(reader, writer):
        digest, left, buf = hashlib.sha256(), n_bytes, bytearray(CHUNK_BYTES)
        view = memoryview(buf)
        while left > 0:
            n = await reader.readinto(buf)
            digest.update(view[:n])
            left -= n
        writer.write(digest.digest())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return swallow


async def main(host, port, seconds, n_bytes, options):
    server = await kcp.start_server(sink(n_bytes), host, port, **options)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    await asyncio.sleep(seconds)
    server.close()


if __name__ == "__main__":
    _, host, port, seconds, n_bytes, options = sys.argv
    asyncio.run(main(host, int(port), float(seconds), int(n_bytes), read(options)))
