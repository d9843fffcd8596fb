"""Sends pseudo-random bytes to an echo server and hashes what comes back; on both runtimes.

    echo_client.py HOST PORT BYTES SEED OPTIONS      OPTIONS: JSON, see options.py

Prints one line of JSON; exit code 1 if what came back is not what was sent.
"""

import asyncio
import hashlib
import json
import sys
from binascii import hexlify

from options import read

import kcp

CHUNK_BYTES = 8192


def content(n_bytes, seed):
    """Yield n_bytes of pseudo-random bytes in chunks: the chain of SHA-256 from the seed on."""
    block = hashlib.sha256(str(seed).encode()).digest()
    while n_bytes:
        chunk = bytearray()
        while len(chunk) < min(CHUNK_BYTES, n_bytes):
            chunk += block
            block = hashlib.sha256(block).digest()
        chunk = chunk[: min(CHUNK_BYTES, n_bytes)]
        n_bytes -= len(chunk)
        yield chunk


async def send(writer, n_bytes, seed):
    """Send the content; return its SHA-256."""
    digest = hashlib.sha256()
    for chunk in content(n_bytes, seed):
        digest.update(chunk)
        writer.write(chunk)
        await writer.drain()
    return digest.digest()


async def receive(reader, n_bytes):
    """Read n_bytes; return their SHA-256."""
    digest = hashlib.sha256()
    while n_bytes:
        data = await reader.read(CHUNK_BYTES)
        if not data:
            raise EOFError("%d bytes before the end" % n_bytes)
        digest.update(data)
        n_bytes -= len(data)
    if n_bytes < 0:
        raise ValueError("%d bytes too many came back" % -n_bytes)
    return digest.digest()


async def main(host, port, n_bytes, seed, options):
    reader, writer = await kcp.open_connection(host, port, **options)
    sent, back = await asyncio.gather(send(writer, n_bytes, seed), receive(reader, n_bytes))
    stats = writer.get_extra_info("session").stats
    writer.close()
    await writer.wait_closed()
    outcome = {"ok": sent == back, "bytes": n_bytes, "sha256": hexlify(back).decode()}
    outcome["stats"] = stats.as_dict()
    print(json.dumps(outcome))
    return 0 if sent == back else 1


if __name__ == "__main__":
    _, host, port, n_bytes, seed, options = sys.argv
    job = main(host, int(port), int(n_bytes), int(seed), read(options))
    sys.exit(asyncio.run(job))
