"""Uploads a file to `kcp recv`; runs unmodified on MicroPython and on CPython.

On the receiving host: `kcp recv -o folder/`; here: `upload.py FILE HOST PORT`. With a passphrase
in KCP_KEY it is encrypted and sent with FEC; the receiver then needs the same KCP_KEY and `--crypt
aes-128`. It keeps the file only if its SHA-256 is the one that we send after the last byte (the
protocol is described in ports/cpython/kcp_cli/files.py). Prints the progress, and the result as
one line of JSON.
"""

import asyncio
import binascii
import hashlib
import json
import os
import sys
import time

import kcp

_CHUNK_BYTES = 8192


def options():
    """Options for kcp.open_connection: with KCP_KEY in the environment AES-128, and FEC 10/3."""
    passphrase = os.getenv("KCP_KEY")
    if not passphrase:
        return {}
    return {"crypt": "aes-128", "key": kcp.derive_key(passphrase), "fec": (10, 3)}


async def ask(reader, writer, **line):
    """Send one line of JSON and return the answer; OSError if the receiver refuses."""
    writer.write(json.dumps(line).encode() + b"\n")
    await writer.drain()
    answer = json.loads(await reader.readline())
    if "error" in answer:
        raise OSError("the receiver says: " + answer["error"])
    return answer


def chunks_of(path):
    """The bytes of a file, piece by piece."""
    with open(path, "rb") as file:
        data = file.read(_CHUNK_BYTES)
        while data:
            yield data
            data = file.read(_CHUNK_BYTES)


async def send_file(writer, path, size):
    """Send a file, print the progress, and return its SHA-256 in hex."""
    digest = hashlib.sha256()
    done = 0
    for data in chunks_of(path):
        digest.update(data)
        writer.write(data)
        await writer.drain()
        done += len(data)
        print("progress", done, size)
    return hexdigest(digest)


def hexdigest(digest):
    """A hash in hex (MicroPython's hash objects have no hexdigest)."""
    return binascii.hexlify(digest.digest()).decode()


def result(stream, n_bytes, sha256, start_ms):
    """What to tell about a transfer that has just ended."""
    session = stream.get_extra_info("session")
    return {
        "bytes": n_bytes,
        "sha256": sha256,
        "seconds": (time.time_ns() // 1000000 - start_ms) / 1000,
        "rtt_ms": session.rtt_ms,
        "retransmitted": session.stats.RetransSegs,
        "recovered": session.stats.FECRecovered,
    }


async def upload(path, host, port, **options):
    """Upload a file and return its result; options are those of kcp.open_connection."""
    size = os.stat(path)[6]
    reader, writer = await kcp.open_connection(host, port, probe_ms=10000, **options)
    await ask(reader, writer, kcp="file/1", name=path.split("/")[-1], size=size)
    start_ms = time.time_ns() // 1000000
    sha256 = await send_file(writer, path, size)
    answer = await ask(reader, writer, sha256=sha256)
    if answer["sha256"] != sha256:
        raise OSError("what arrived has another SHA-256")
    summary = result(writer, size, sha256, start_ms)
    writer.close()
    await writer.wait_closed()
    return summary


if __name__ == "__main__":
    path, host, port = sys.argv[1:4]
    print(json.dumps(asyncio.run(upload(path, host, int(port), **options()))))
