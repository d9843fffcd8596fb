"""Many clients of one server at once, each with its own answer."""

import asyncio
import sys

import kcp

PORT = int(sys.argv[1])
N = 8


async def total(reader, writer):
    """Add up the numbers of a line."""
    async with writer:
        numbers = await reader.readline()
        writer.write(b"%d\n" % sum(int(n) for n in numbers.split()))


async def client(i):
    reader, writer = await kcp.open_connection("127.0.0.1", PORT, crypt="none")
    numbers = list(range(i * 100))
    writer.write(b" ".join(b"%d" % n for n in numbers) + b"\n")
    await writer.drain()
    answer = await reader.readline()
    await writer.aclose()
    return i, answer


async def main():
    server = await kcp.start_server(total, "127.0.0.1", PORT, crypt="none")
    async with server:
        for answer in await asyncio.gather(*[client(i) for i in range(1, N + 1)]):
            print(answer)
        print("sessions:", server.stats().PassiveOpens)
    print("done", server.is_serving())


asyncio.run(main())
