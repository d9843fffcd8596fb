"""Sends a file to an echo server and hashes what comes back; on MicroPython and on CPython.

On another host: `kcp echo`, or any echo server made with kcp-go; here: `echo_file.py FILE HOST
PORT`, with KCP_KEY as in upload.py. Sends and receives at the same time, in two tasks. Prints the
progress of what came back, and the result as one line of JSON; ends with exit code 1 if the hashes
differ.
"""

import asyncio
import hashlib
import json
import os
import sys
import time

from upload import chunks_of, hexdigest, options, result

import kcp

_CHUNK_BYTES = 8192


async def send_file(writer, path):
    """Send a file and return its SHA-256 in hex."""
    digest = hashlib.sha256()
    for data in chunks_of(path):
        digest.update(data)
        writer.write(data)
        await writer.drain()
    return hexdigest(digest)


async def receive(reader, size):
    """Receive `size` bytes, print the progress, and return their SHA-256 in hex."""
    digest = hashlib.sha256()
    done = 0
    while done < size:
        data = await reader.read(min(_CHUNK_BYTES, size - done))
        if not data:
            raise OSError("the session ended early")
        digest.update(data)
        done += len(data)
        print("progress", done, size)
    return hexdigest(digest)


async def echo_file(path, host, port, **options):
    """Send a file there and back and return its result; OSError if it came back changed."""
    size = os.stat(path)[6]
    reader, writer = await kcp.open_connection(host, port, probe_ms=10000, **options)
    start_ms = time.time_ns() // 1000000
    sent, returned = await asyncio.gather(send_file(writer, path), receive(reader, size))
    summary = result(writer, size, returned, start_ms)
    writer.close()
    await writer.wait_closed()
    if sent != returned:
        raise OSError("what came back has another SHA-256")
    return summary


if __name__ == "__main__":
    path, host, port = sys.argv[1:4]
    print(json.dumps(asyncio.run(echo_file(path, host, int(port), **options()))))
