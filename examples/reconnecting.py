"""A device that reports, and stays connected while its network comes and goes; on both runtimes.

    KCP_KEY=secret reconnecting.py HOST [PORT [COUNT]]

Sends a line of JSON every 100 ms, COUNT of them, and ends when all are acknowledged. Every session
begins with a line that says who it is. A line whose acknowledgement was lost with a session comes
once more in the next: the server knows it by its number. When the server or the network is away,
up to 4 KB of lines wait; beyond that the oldest are left out: newer measurements are worth more.
"""

import asyncio
import json
import os
import sys

from echo_server import options

from kcp import ReconnectingClient

try:
    from network import WLAN

    is_up = WLAN(WLAN.IF_STA).isconnected
except ImportError:  # a computer, whose network is its own affair
    is_up = None


class Reporter:
    """Counts what is sent."""

    def __init__(self):
        self.n = 0

    def on_session(self, client, stream):
        """Begin a session: see `ReconnectingClient`."""
        print("session", client.n_sessions)
        hello = {"device": "example", "session": client.n_sessions, "n_waiting": client.n_unacked}
        stream.write(json.dumps(hello).encode() + b"\n")

    def on_down(self, client, error, lost):
        """Tell that a session has ended."""
        print("down:", error)

    async def run(self, client, count):
        """Send so many lines, and wait until all are acknowledged."""
        for _ in range(count):
            client.write(json.dumps({"n": self.n}).encode() + b"\n")
            self.n += 1
            await asyncio.sleep(0.1)
        await client.flush()


async def main(host, port=4000, count=50):
    settings = options(os.getenv("KCP_KEY"))
    settings.update(is_up=is_up, limit_bytes=4096, when_full="drop_oldest")
    reporter = Reporter()
    settings.update(on_session=reporter.on_session, on_down=reporter.on_down)
    async with ReconnectingClient(host, int(port), **settings) as client:
        await reporter.run(client, int(count))
        print("acknowledged", reporter.n - client.n_dropped, "left out", client.n_dropped)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
