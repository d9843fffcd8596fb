"""Sends lines to echo_server.py and prints what comes back; on MicroPython and on CPython.

KCP_KEY=secret echo_client.py [HOST [PORT]]
"""

import asyncio
import os
import sys

from echo_server import options

import kcp


async def main(host="127.0.0.1", port=4000):
    settings = options(os.getenv("KCP_KEY"))
    # OSError(ETIMEDOUT) if nothing answers: no server there, or one with another key.
    reader, writer = await kcp.open_connection(host, int(port), probe_ms=3000, **settings)
    async with writer:
        for line in (b"hello\n", b"how are you?\n", b"bye\n"):
            writer.write(line)
            print(await asyncio.wait_for(reader.readline(), 5))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
