"""An echo server and a client in one program; runs unmodified on MicroPython and on CPython."""

import asyncio

import kcp


async def echo(reader, writer):
    async for line in reader:
        writer.write(line)
        await writer.drain()


async def main():
    async with await kcp.start_server(echo, "127.0.0.1", 4000, crypt="none"):
        reader, writer = await kcp.open_connection("127.0.0.1", 4000, crypt="none")
        async with writer:
            writer.write(b"hello\n")
            print(await asyncio.wait_for(reader.readline(), 2))


asyncio.run(main())
