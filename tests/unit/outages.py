"""For tests of the reconnecting client: servers whose network can be cut. Both runtimes."""

import asyncio
import errno

from loopback import serve, soon

import kcp
from kcp import aio
from kcp.carrier import MemoryCarrier, memory_pair
from kcp.reconnect import ReconnectingClient

SMALL = {"mode": "fast3", "sndwnd": 8, "rcvwnd": 8}
FAST = dict(SMALL, first_ms=2, max_ms=8)


class World:
    """A server that writes down the lines of each session, and a network that can be cut."""

    def __init__(self):
        self.a, self.b = memory_pair(limit=64)
        self.is_cut = False
        self.lines = []  # of each session
        self._send = {}
        for end in (self.a, self.b):
            self._cut(end)

    def _cut(self, end):
        def send(buf, n, key=None):
            return n if self.is_cut else MemoryCarrier.send(end, buf, n, key)

        end.send = send

    async def _serve(self, reader, writer):
        mine, part = [], b""
        self.lines.append(mine)
        try:
            while True:
                data = await reader.read(2000)
                if not data:
                    break
                *lines, part = (part + data).split(b"\n")
                for line in lines:
                    mine.append(line + b"\n")
                    if line == b"who":
                        await writer.send(b"me\n")
        except OSError:
            pass
        finally:
            writer.close(0)

    async def __aenter__(self):
        self.server = await kcp.start_server(self._serve, carrier=self.b, **SMALL)
        return self

    async def __aexit__(self, kind, error, tb):
        for link in list(self.server.endpoint.links.values()):
            link.close(0)
        self.server.close()
        await soon(self.server.wait_closed())

    def client(self, **options):
        return ReconnectingClient(carrier=self.a, **dict(FAST, **options))

    def got(self):
        return [line for lines in self.lines for line in lines]


def kill(client):
    """What dead_ms does, now."""
    client.stream.session.abort(errno.ETIMEDOUT, "as if dead_ms had passed")
    client.stream.endpoint.kick(client.stream)


async def until(condition):
    async def wait():
        while not condition():
            await asyncio.sleep(0.002)

    await soon(wait())


class UdpWorld(World):
    """The same over real sockets, with a server that lets sessions move. Clients that were opened
    in it can be cut off; with `refuses` set to an OSError none can be opened (as if a name could
    not be looked up)."""

    OPTIONS = dict(SMALL, crypt="aes-128", key=bytes(16), roaming=True)

    def __init__(self, **options):
        self.is_cut = False
        self.refuses = None
        self.lines = []
        self._options = dict(self.OPTIONS, **options)  # the server's

    def _cut(self, port):
        send = port.send

        def cut(buf, n, key):
            return 1 if self.is_cut else send(buf, n, key)

        port.send = cut
        return port

    async def __aenter__(self):
        self.server, self.port = await serve(self._serve, **self._options)
        self._cut(self.server.endpoint.port)
        self._opened = aio.open_client

        async def open_client(*arguments):
            if self.refuses is not None:
                raise self.refuses
            return self._cut(await self._opened(*arguments))

        aio.open_client = open_client
        return self

    async def __aexit__(self, kind, error, tb):
        aio.open_client = self._opened
        await super().__aexit__(kind, error, tb)

    def client(self, **options):
        options = dict(self.OPTIONS, first_ms=2, max_ms=8, **options)
        del options["roaming"]
        return ReconnectingClient("127.0.0.1", self.port, **options)

    def moves(self):
        return self.server.stats().RoamMoves
