"""Sends a line to a server, and prints what comes back: the first thing to try.

mpremote cp ports/esp32/examples/device.py settings.json :
mpremote run ports/esp32/examples/echo.py
"""

import asyncio

import device

import kcp


async def main():
    """Send, and wait for the echo."""
    found = device.settings()
    device.connect(found)
    options = device.options(found)
    reader, writer = await kcp.open_connection(
        found["host"], found["port"], probe_ms=5000, **options
    )
    async with writer:
        writer.write(b"hello from a device\n")
        print((await asyncio.wait_for(reader.readline(), 5)).decode().strip())


asyncio.run(main())
