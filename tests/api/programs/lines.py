"""Lines, exact counts, a timeout, and what comes after close()."""

import asyncio
import sys

import kcp

PORT = int(sys.argv[1])


async def shout(reader, writer):
    async for line in reader:
        writer.write(line.upper())
        await writer.drain()
    print("server: end of file")
    writer.close()
    await writer.wait_closed()


async def main():
    server = await kcp.start_server(shout, "127.0.0.1", PORT, mode="fast3")
    async with server:
        reader, writer = await kcp.open_connection("127.0.0.1", PORT, mode="fast3", probe_ms=20000)
        writer.writelines([b"one\n", b"two ", b"words\n", b"three\nfour\n"])
        await writer.drain()
        print(await reader.readline(), await reader.readline())
        print(await reader.readexactly(3), await reader.readuntil(b"\n"))
        print(await reader.readexactly(5))
        try:
            print(await asyncio.wait_for(reader.readline(), 0.3))
        except asyncio.TimeoutError:
            print("nothing more")
        buf = bytearray(4)
        writer.write(b"\xff\x00\n")
        print(await reader.readinto(buf), buf)
        print(writer.get_extra_info("peername") == ("127.0.0.1", PORT))
        writer.close()
        print(await reader.read(), await reader.readline(), reader.at_eof())
        await writer.wait_closed()
    print("done")


asyncio.run(main())
