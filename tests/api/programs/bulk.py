"""A transfer that is larger than every window, with a reader that is slow; and its hash."""

import asyncio
import binascii
import hashlib
import sys

import kcp

PORT = int(sys.argv[1])
N_BYTES = 300000
OPTIONS = {"sndwnd": 16, "rcvwnd": 16, "mode": "fast3", "crypt": "none"}


def hexdigest(digest):
    return binascii.hexlify(digest.digest()).decode()


async def receive(reader, writer):
    digest = hashlib.sha256()
    left = N_BYTES
    while left:
        data = await reader.read(2000)
        left -= len(data)
        digest.update(data)
        if left % 7 == 0:
            await asyncio.sleep(0.005)
    writer.write(hexdigest(digest).encode() + b"\n")
    await writer.aclose()


async def main():
    digest = hashlib.sha256()
    most = 0
    async with await kcp.start_server(receive, "127.0.0.1", PORT, **OPTIONS):
        reader, writer = await kcp.open_connection("127.0.0.1", PORT, **OPTIONS)
        session = writer.get_extra_info("session")
        for i in range(N_BYTES // 1000):
            data = bytes([i & 0xFF]) * 1000
            digest.update(data)
            writer.write(data)
            await writer.drain()
            most = max(most, session.unacked_bytes)
        answer = await reader.readline()
        await writer.aclose()
    print(answer)
    print("the same:", answer == hexdigest(digest).encode() + b"\n")
    print("bounded:", most <= 2 * 16 * writer.get_extra_info("mss"))
    print("done")


asyncio.run(main())
