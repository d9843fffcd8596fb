"""Answers messages that come over a serial line: reliably, in order, encrypted.

    mpremote mip install lib/core.json lib/asyncio.json lib/serial.json lib/aes.json
    mpremote cp settings.json :               # {"key": "32 hexadecimal digits"}
    mpremote run ports/stm32/examples/messages.py

A message is a line of JSON: {"add": [1, 2]} gets {"sum": 3}, {"free": true} the bytes of memory
that are free, {"bye": true} ends the session. The line may lose, damage and insert bytes.
"""

import asyncio
import gc
import json
from binascii import unhexlify

from machine import UART

import kcp
from kcp.serial import SerialCarrier


def answer(message):
    """Return what to say to a message, as a dict."""
    if "add" in message:
        return {"sum": sum(message["add"])}
    if "free" in message:
        gc.collect()
        return {"free": gc.mem_free()}
    if "bye" in message:
        return {"bye": True}
    return {"error": "what?"}


async def serve(stream):
    """Answer messages until one of them ends the session."""
    said = {}
    while "bye" not in said:
        try:
            said = answer(json.loads(await stream.readline()))
        except ValueError:
            said = {"error": "not JSON"}
        stream.write(json.dumps(said).encode() + b"\n")
        await stream.drain()


async def main(settings):
    """Serve one session on the second serial port."""
    options = {"preset": "serial", "crypt": "aes-128", "key": unhexlify(settings["key"])}
    carrier = SerialCarrier(UART(1, 115200))
    async with await kcp.start_server(None, carrier=carrier, **options) as server:
        stream, _ = await server.accept()
        async with stream:
            await serve(stream)


with open("settings.json") as file:
    SETTINGS = json.load(file)
asyncio.run(main(SETTINGS))
print("done, with", kcp.backend())
