"""ssl= of kcp_asyncio: TLS in one line, with transports and with asyncio's streams."""

import asyncio
import logging
import ssl

import pytest
from tls_support import NAME, contexts
from transport_support import OPTIONS, Recorder, pattern, soon, until

import kcp_asyncio


@pytest.fixture
def tls(tmp_path):
    """The server's and the client's context."""
    return contexts(str(tmp_path))


def address(server):
    return server.sockets[0].getsockname()


async def connect(server, context, kind=Recorder, **options):
    """A client's (transport, protocol)."""
    options = {**OPTIONS, "server_hostname": NAME, **options}
    return await soon(
        kcp_asyncio.create_connection(kind, *address(server), ssl=context, **options)
    )


class Echo(Recorder):
    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


class Greeter(Recorder):
    """Speaks first, together with the end of the handshake, and hangs up."""

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.write(b"hello")
        transport.close()


class Buffered(asyncio.BufferedProtocol):
    """Has room for three bytes at a time."""

    def __init__(self):
        self.data = b""
        self.calls = []
        self.room = bytearray(3)

    def connection_made(self, transport):
        self.calls.append("made")

    def get_buffer(self, sizehint):
        return self.room

    def buffer_updated(self, n):
        self.data += self.room[:n]

    def connection_lost(self, exc):
        self.calls.append("lost")


async def test_transports(tls):
    peers = []

    def new_peer():
        peers.append(Echo())
        return peers[-1]

    server = await kcp_asyncio.create_server(new_peer, "127.0.0.1", 0, ssl=tls[0], **OPTIONS)
    async with server:
        transport, protocol = await connect(server, tls[1])
        assert transport.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert protocol.calls == ["made"] and protocol.transport is transport
        data = pattern(200000)
        transport.write(data)
        await until(lambda: len(protocol.data) == len(data))
        assert bytes(protocol.data) == data
        server.close()
        server.close_clients()  # says so: TLS has an end of file
        assert await soon(protocol.lost) is None
        assert protocol.calls[-2:] == ["eof", "lost"] and peers[0].calls[0] == "made"


@pytest.mark.parametrize("kind", [Recorder, Buffered])
async def test_what_comes_with_the_handshake_comes_after_connection_made(tls, kind):
    server = await kcp_asyncio.create_server(Greeter, "127.0.0.1", 0, ssl=tls[0], **OPTIONS)
    async with server:
        _, protocol = await connect(server, tls[1], kind)
        await until(lambda: "lost" in protocol.calls)
        assert protocol.calls[0] == "made" and bytes(protocol.data) == b"hello"


async def test_asyncios_streams(tls):
    async def shout(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
        writer.close()

    server = await kcp_asyncio.start_server(shout, "127.0.0.1", 0, ssl=tls[0], **OPTIONS)
    async with server:
        reader, writer = await soon(
            kcp_asyncio.open_connection(
                *address(server), ssl=tls[1], server_hostname=NAME, **OPTIONS
            )
        )
        assert isinstance(reader, asyncio.StreamReader)
        writer.write(b"one\ntwo\n")
        assert await soon(reader.readline()) == b"ONE\n"
        assert await soon(reader.readline()) == b"TWO\n"
        writer.close()
        await soon(writer.wait_closed())


async def test_asyncios_streams_without_tls():
    async def shout(reader, writer):
        writer.write((await reader.readline()).upper())

    server = await kcp_asyncio.start_server(shout, "127.0.0.1", 0, **OPTIONS)
    async with server:
        reader, writer = await kcp_asyncio.open_connection(*address(server), **OPTIONS)
        writer.write(b"one\n")
        assert await soon(reader.readline()) == b"ONE\n"
        writer.close()
        await soon(writer.wait_closed())


async def test_the_name_is_verified(tls, caplog):
    server = await kcp_asyncio.create_server(
        Recorder, "127.0.0.1", 0, ssl=tls[0], ssl_handshake_timeout=0.5, **OPTIONS
    )
    with caplog.at_level(logging.DEBUG, "kcp.asyncio"):
        async with server:
            with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
                await connect(server, tls[1], server_hostname=None)  # then it is the host
            await until(lambda: "no TLS" in caplog.text, "the server's line in the log")


async def test_nobody_who_speaks_tls(tls):
    server = await kcp_asyncio.create_server(Recorder, "127.0.0.1", 0, **OPTIONS)
    async with server:
        with pytest.raises(ConnectionAbortedError, match="handshake"):
            await connect(server, tls[1], ssl_handshake_timeout=0.5)


async def test_what_is_wrong_is_said_at_once(tls):
    open_ = kcp_asyncio.create_connection
    for error, text, arguments in (
        (TypeError, "SSLContext or True", {"ssl": "yes"}),
        (ValueError, "server_hostname, the name to verify", {"ssl": True, "carrier": 1}),
        (ValueError, "server_hostname: only with ssl", {"server_hostname": NAME}),
    ):
        with pytest.raises(error, match=text):
            await open_(Recorder, **arguments)
    with pytest.raises(TypeError, match="with a certificate"):
        await kcp_asyncio.create_server(Recorder, None, 0, ssl=True)


async def test_a_failing_factory_closes_the_connection(tls):
    server = await kcp_asyncio.create_server(Recorder, "127.0.0.1", 0, ssl=tls[0], **OPTIONS)
    async with server:
        with pytest.raises(ZeroDivisionError):
            await connect(server, tls[1], lambda: 1 / 0)
        server.abort_clients()  # which nobody has told
