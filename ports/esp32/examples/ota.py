"""Fetches a file: goes on where it was cut off, checks the SHA-256, then renames it into place.

    mpremote cp ports/esp32/examples/device.py settings.json :
    mpremote run ports/esp32/examples/ota.py      # or: asyncio.run(ota.fetch("app.mpy"))

The server (`kcppeer file-server`) answers a line {"name": ..., "offset": ...} with a line
{"bytes": ..., "sha256": ...} and the bytes from there on. What has come is kept in a file named
after the digest, so that a file which has changed meanwhile is begun anew; what has come of an
older one is removed. The name is given to what is complete and right, in one step: a reader sees
the old file or the new one.
"""

import asyncio
import hashlib
import json
import os
from binascii import hexlify

import device

import kcp

CHUNK_BYTES = 1024
PATIENCE_S = 20  # without a byte
HEX = "0123456789abcdef"


def size_of(path):
    """Return the bytes of a file, 0 if there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def digest_of(path, n_bytes):
    """Return the SHA-256 so far of the first bytes of a file."""
    digest = hashlib.sha256()
    if n_bytes:
        buf = bytearray(CHUNK_BYTES)
        with open(path, "rb") as file:
            n = file.readinto(buf)
            while n:
                digest.update(memoryview(buf)[:n])
                n = file.readinto(buf)
    return digest


def remove_others(part):
    """Remove what has come of a file that was another one then: the flash is small."""
    for name in os.listdir():
        if name[:-8] == part[:-8] and name != part and all(c in HEX for c in name[-8:]):
            os.remove(name)


async def ask(stream, name, offset):
    """Return the server's line about a file; offset -1: no bytes follow."""
    stream.write(json.dumps({"name": name, "offset": offset}).encode() + b"\n")
    answer = json.loads(await asyncio.wait_for(stream.readline(), PATIENCE_S))
    if answer.get("error"):
        raise OSError(answer["error"])
    return answer


async def receive(stream, part, digest, n_bytes):
    """Append so many bytes of the session to a file."""
    with open(part, "ab") as file:
        while n_bytes:
            wanted = stream.read(min(n_bytes, CHUNK_BYTES))
            data = await asyncio.wait_for(wanted, PATIENCE_S)
            if not data:
                raise OSError("the session is closed")
            file.write(data)
            digest.update(data)
            n_bytes -= len(data)


async def download(stream, name):
    """Fetch a file; (bytes that had been there, bytes in all)."""
    answer = await ask(stream, name, -1)
    n_all = answer["bytes"]
    part = name + "." + answer["sha256"][:8]
    remove_others(part)
    n_had = size_of(part)
    if n_had > n_all:
        os.remove(part)
        n_had = 0
    digest = digest_of(part, n_had)
    if (await ask(stream, name, n_had))["sha256"] != answer["sha256"]:
        raise OSError("the file has changed meanwhile: try again")
    await receive(stream, part, digest, n_all - n_had)
    if hexlify(digest.digest()).decode() != answer["sha256"]:
        os.remove(part)
        raise OSError("the SHA-256 is wrong: try again")
    os.rename(part, name)  # littlefs and Linux replace what has the name
    return n_had, n_all


async def fetch(name):
    """Fetch a file of the server into this folder; (bytes that had been there, bytes in all)."""
    found = device.settings()
    device.connect(found)
    options = device.options(found)
    reader, writer = await kcp.open_connection(
        found["host"], found["port"], probe_ms=5000, **options
    )
    async with writer:
        return await download(reader, name)


if __name__ == "__main__":
    had, total = asyncio.run(fetch(device.settings().get("file", "firmware.bin")))
    print("fetched", total, "bytes, of which", had, "had been there")
