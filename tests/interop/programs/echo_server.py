"""Echoes what every session sends; on both runtimes.

    echo_server.py HOST PORT SECONDS OPTIONS [BYTES]      OPTIONS: JSON, see options.py

Prints a line of JSON when it listens and, if BYTES is given, one with the counters of a session
that has echoed so many bytes. Ends by itself after SECONDS.
"""

import asyncio
import json
import sys

from options import read

import kcp

CHUNK_BYTES = 8192


def echo(n_bytes):
    """A callback for kcp.start_server: serves one session until it dies or is closed."""

    async def serve(reader, writer):
        left = n_bytes
        try:
            while True:
                data = await reader.read(CHUNK_BYTES)
                if not data:
                    return
                writer.write(data)
                await writer.drain()
                left -= len(data)
                if left == 0:
                    stats = writer.get_extra_info("session").stats
                    print(json.dumps({"event": "echoed", "stats": stats.as_dict()}))
        except OSError as error:  # the peer has gone: KCP has no other way to say so
            print(json.dumps({"event": "gone", "error": str(error)}))
        finally:
            writer.close()

    return serve


async def main(host, port, seconds, options, n_bytes):
    server = await kcp.start_server(echo(n_bytes), host, port, **options)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    await asyncio.sleep(seconds)
    server.close()


if __name__ == "__main__":
    _, host, port, seconds, options = sys.argv[:5]
    n_bytes = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    asyncio.run(main(host, int(port), float(seconds), read(options), n_bytes))
