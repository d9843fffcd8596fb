"""Both ends of a session as asyncio transports, with protocols that write down what happens."""

import asyncio
import os
import sys

import kcp_asyncio

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit"))

from loopback import PATIENCE_S, lossy, pattern, soon  # noqa: F401

OPTIONS = {"mode": "fast3", "linger_ms": 5000}


class Recorder(asyncio.Protocol):
    """Keeps what has come, and the names of the calls in their order."""

    def __init__(self):
        self.calls = []
        self.data = bytearray()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.calls.append("made")
        self.transport = transport

    def data_received(self, data):
        assert data and isinstance(data, bytes)
        self.data += data

    def eof_received(self):
        self.calls.append("eof")

    def pause_writing(self):
        self.calls.append("pause")

    def resume_writing(self):
        self.calls.append("resume")

    def connection_lost(self, exc):
        self.calls.append("lost")
        self.lost.set_result(exc)


async def until(condition, what="it"):
    """Wait until condition() is true."""
    for _ in range(int(PATIENCE_S / 0.005)):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{what} did not happen")


class Ends:
    """A server and one client; `async with` closes whatever is left."""

    def __init__(self, client_kind=Recorder, server_kind=Recorder, client_options=None, **options):
        self._kinds = client_kind, server_kind
        self._options = {**OPTIONS, **options}
        self._client_options = {**self._options, **(client_options or {})}
        self.peers = []

    def _new_peer(self):
        self.peers.append(self._kinds[1]())
        return self.peers[-1]

    async def __aenter__(self):
        self.server = await kcp_asyncio.create_server(
            self._new_peer, "127.0.0.1", 0, **self._options
        )
        self.port = self.server.sockets[0].getsockname()[1]
        self.transport, self.protocol = await kcp_asyncio.create_connection(
            self._kinds[0], "127.0.0.1", self.port, probe_ms=20000, **self._client_options
        )
        await until(lambda: self.peers and self.peers[0].calls, "the server's session")
        self.peer = self.peers[0]
        return self

    async def __aexit__(self, *exc):
        self.transport.abort()
        self.server.close()
        self.server.abort_clients()
        await soon(self.server.wait_closed())
        await asyncio.sleep(0)  # connection_lost() of both
        await asyncio.sleep(0)
