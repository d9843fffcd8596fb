"""Sends measurements to a server for as long as there is power, through outages of either.

    mpremote cp ports/esp32/examples/device.py settings.json :
    mpremote run ports/esp32/examples/telemetry.py

A line of JSON every `every_ms`: {"n": 0, "uptime_ms": 12, "value": 47}. What the server has not
acknowledged waits, at most 4 KB of it; then the oldest lines are left out. The server may say
{"every_ms": 100} or {"stop": true}.
"""

import asyncio
import json
import time

import device

from kcp import ReconnectingClient

try:
    from esp32 import mcu_temperature as measure
except ImportError:  # another chip, or a computer: here your sensor goes

    def measure():
        """Return something that changes."""
        return time.ticks_ms() % 1000


class Telemetry:
    """What is sent, and what the server has asked for."""

    def __init__(self, every_ms):
        self.every_ms = every_ms
        self.is_on = True

    async def listen(self, client):
        """Do what the server says."""
        while self.is_on:
            line = await client.readline()
            if not line:  # the client is closed
                break
            try:
                said = json.loads(line)
            except ValueError:
                continue
            self.every_ms = said.get("every_ms", self.every_ms)
            self.is_on = not said.get("stop")

    async def run(self, client):
        """Send until the server says stop; the number of lines."""
        begin_ms = time.ticks_ms()
        n = 0
        while self.is_on:
            uptime_ms = time.ticks_diff(time.ticks_ms(), begin_ms)
            line = {"n": n, "uptime_ms": uptime_ms, "value": measure()}
            client.write(json.dumps(line).encode() + b"\n")
            n += 1
            await asyncio.sleep(self.every_ms / 1000)
        return n


async def main():
    """Report until told to stop."""
    found = device.settings()
    options = device.options(found)
    is_up = device.connect(found, waits=False)
    options.update(is_up=is_up, limit_bytes=4096, when_full="drop_oldest")
    telemetry = Telemetry(found.get("every_ms", 1000))
    async with ReconnectingClient(found["host"], found["port"], **options) as client:
        listening = asyncio.create_task(telemetry.listen(client))
        n = await telemetry.run(client)
        await listening
        await client.flush()
        print("sent", n, "left out", client.n_dropped)


asyncio.run(main())
