"""Echoes what every session sends; on both runtimes.

    echo_server.py HOST PORT SECONDS OPTIONS      OPTIONS: JSON, for kcp.start_server

Prints a line of JSON when it listens, and ends by itself after SECONDS.
"""

import asyncio
import json
import sys

import kcp

CHUNK_BYTES = 8192


async def echo(reader, writer):
    """Serve one session until it dies or is closed."""
    try:
        while True:
            data = await reader.read(CHUNK_BYTES)
            if not data:
                return
            writer.write(data)
            await writer.drain()
    except OSError as error:  # the peer has gone: KCP has no other way to say so
        print(json.dumps({"event": "gone", "error": str(error)}))
    finally:
        writer.close()


async def main(host, port, seconds, options):
    server = await kcp.start_server(echo, host, port, **options)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    await asyncio.sleep(seconds)
    server.close()


if __name__ == "__main__":
    _, host, port, seconds, options = sys.argv
    asyncio.run(main(host, int(port), float(seconds), json.loads(options)))
