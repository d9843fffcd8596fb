"""TLS over KCP against Go's crypto/tls over kcp-go, and MicroPython's tls module against both."""

import asyncio
import contextlib
import json
import os
import sys

import binaries
import pytest
import udp

sys.path.insert(0, os.path.join(binaries.TESTS, "api"))

from test_transport_tls import Shouting, TlsServer, start
from tls_support import contexts
from transport_support import Recorder, pattern, soon, until

import kcp_asyncio

OPTIONS = {"mode": "fast3", "datashard": 10, "parityshard": 3}
N_BYTES = 300_000


@pytest.fixture
def tls(tmp_path):
    """The folder of a certificate, and the client's context."""
    server, client = contexts(str(tmp_path))
    TlsServer.context = server
    return str(tmp_path), client


class Echoing(Shouting):
    """Gives back what comes."""

    def answer(self):
        self.transport.write(self.data[self.n_answered :])
        self.n_answered = len(self.data)


def go_server(folder, said):
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    return udp.server(
        udp.go_command("tls-server", cert=cert, cert_key=key, timeout=udp.TIMEOUT_S, **OPTIONS),
        said=said,
    )


@contextlib.asynccontextmanager
async def our_server():
    """Our echo server over TLS: its port, and the protocols of its sessions."""
    peers = []

    def new_peer():
        peers.append(Echoing())
        return peers[-1]

    async with await kcp_asyncio.create_server(new_peer, "127.0.0.1", 0, **OPTIONS) as server:
        yield server.sockets[0].getsockname()[1], peers


class OurClient:
    """One connection of ours, before TLS."""

    async def open(self, port):
        self.transport, self.protocol = await kcp_asyncio.create_connection(
            Recorder, "127.0.0.1", port, **OPTIONS
        )
        return self


async def test_our_client_and_go(tls):
    folder, context = tls
    said = []
    with go_server(folder, said) as port:
        client = await OurClient().open(port)
        secured = await start(client, context)
        data = pattern(N_BYTES)
        secured.write(data)
        await until(lambda: len(client.protocol.data) == N_BYTES)
        assert bytes(client.protocol.data) == data
        secured.close()
        assert await soon(client.protocol.lost) is None
    event = json.loads(said[0])
    assert event["eof"] and event["bytes"] == N_BYTES and event["version"] == "TLS 1.3"


async def test_go_client_and_ours(tls):
    folder, _ = tls
    async with our_server() as (port, peers):
        roots = os.path.join(folder, "cert.pem")
        command = udp.go_command(
            "tls-client", f"127.0.0.1:{port}", roots=roots, bytes=N_BYTES, **OPTIONS
        )
        result = await asyncio.get_running_loop().run_in_executor(None, udp.client, command)
        assert result["ok"] and result["eof"] and result["bytes"] == N_BYTES
        assert await soon(peers[0].lost) is None
        assert peers[0].calls == ["made", "eof", "lost"]


def micropython(folder, port):
    certificate = os.path.join(folder, "cert.der")
    words = ("127.0.0.1", port, 50_000, certificate, json.dumps({"mode": "fast3"}))
    return udp.client(udp.our_command("micropython", "tls_client.py", *words))


def test_micropython_and_go(tls):
    said = []
    with go_server(tls[0], said) as port:
        result = micropython(tls[0], port)
    assert result["ok"] and result["bytes"] == 50_000 and result["cipher"]


async def test_micropython_and_ours(tls):
    async with our_server() as (port, peers):
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(None, micropython, tls[0], port)
        assert result["ok"] and len(peers[0].data) == 50_000


def test_nobody_trusts_another_certificate(tls, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("other"))
    contexts(folder)
    with go_server(tls[0], []) as port, pytest.raises(AssertionError, match=r"(?i)cert"):
        micropython(folder, port)
