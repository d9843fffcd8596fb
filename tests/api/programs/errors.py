"""Misuse and what it raises; a dead port; data that nobody takes."""

import asyncio
import errno
import sys

import kcp

PORT = int(sys.argv[1])


def kind(error):
    """What a portable program can tell about an exception."""
    for known in (EOFError, RuntimeError, ValueError, TypeError, OSError):
        if isinstance(error, known):
            number = error.errno if known is OSError else None
            return known.__name__, errno.errorcode.get(number, number)
    return ("other", repr(error))


async def report(what, awaitable):
    try:
        print(what, await awaitable)
    except Exception as error:
        print(what, kind(error))


async def writing(writer, data):
    writer.write(data)


async def main():
    await report("no answer:", kcp.open_connection("127.0.0.1", PORT, probe_ms=200))
    await report("bad option:", kcp.open_connection("127.0.0.1", PORT, color="red"))
    await report("bad mtu:", kcp.start_server(print, "127.0.0.1", PORT, mtu=3))

    streams = []
    server = await kcp.start_server(lambda r, w: streams.append(r), "127.0.0.1", PORT)
    async with server:
        await report("port in use:", kcp.start_server(print, "127.0.0.1", PORT))
        options = {"sndwnd": 4, "write_limit": 2000, "dead_ms": 500, "probe_ms": 20000}
        reader, writer = await kcp.open_connection("127.0.0.1", PORT, **options)
        first = asyncio.create_task(report("first reader:", reader.read(4)))
        await asyncio.sleep(0.02)
        await report("second reader:", reader.readline())
        streams[0].write(b"data")
        await first
        await report("text:", writing(writer, "text"))
        await report("too much:", writing(writer, bytes(100000)))
        for _ in range(100):
            try:
                writer.write(bytes(1000))
            except OSError as error:
                print("full:", kind(error))
                break
        writer.close(100)
        await report("not acknowledged:", writer.wait_closed())
        await report("after close:", writing(writer, b"x"))
        await report("at the end:", reader.readexactly(1))
    print("done")


asyncio.run(main())
