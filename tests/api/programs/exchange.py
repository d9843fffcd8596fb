"""Half of an exchange: `exchange.py PORT server|client HOST`. Run on any two runtimes."""

import asyncio
import sys

import kcp

PORT, ROLE, HOST = int(sys.argv[1]), sys.argv[2], sys.argv[3]
DATA = bytes(range(256)) * 400


async def serve():
    over = asyncio.Event()

    async def answer(reader, writer):
        question = await reader.readline()
        writer.write(b"you said: " + question)
        data = await reader.readexactly(len(DATA))
        await writer.send(data)
        await writer.aclose()
        print("server:", question, data == DATA)
        over.set()

    async with await kcp.start_server(answer, HOST, PORT, crypt="none"):
        print("serving")
        await asyncio.wait_for(over.wait(), 60)


async def ask():
    reader, writer = await kcp.open_connection(HOST, PORT, crypt="none", probe_ms=20000)
    writer.write(b"how are you?\n")
    print("client:", await reader.readline())
    sending = asyncio.create_task(writer.send(DATA))
    print("client:", await reader.readexactly(len(DATA)) == DATA)
    await sending
    await writer.aclose()


asyncio.run(serve() if ROLE == "server" else ask())
