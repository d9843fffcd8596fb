"""Uses every public name as a typed program would; `mypy --strict` must have nothing to say.

It is checked, not run. assert_type() says what a name's type has to be.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import trio
from typing_extensions import assert_type

import kcp
import kcp_asyncio
import kcp_trio
from kcp import blocking, stats, trace
from kcp.carrier import Carrier, memory_pair
from kcp.espnow import EspNowCarrier
from kcp.lora import LoraCarrier
from kcp.serial import SerialCarrier
from kcp.session import CLOSED


def on_packet(data: bytes) -> None:
    print(len(data))


async def on_session(reader: kcp.Stream, writer: kcp.Stream) -> None:
    async for line in reader:
        assert_type(line, bytes)
        writer.writelines([line, bytearray(b"x"), memoryview(b"y")])
        await writer.drain()
    writer.set(mode="fast3", mtu=1200, dscp=46)
    writer.set_oob_handler(on_packet)
    writer.set_deadline(100)
    writer.set_logger("in_push", print)
    await writer.aclose()


async def client() -> int:
    key = kcp.derive_key("passphrase")
    assert_type(key, bytes)
    config = kcp.Config(crypt="aes-128", key=key, fec=(10, 3))
    reader, writer = await kcp.open_connection("::1", 4000, config=config, sndwnd=64, probe_ms=5)
    assert_type(reader, kcp.Stream)
    async with writer as same:
        same.write(b"abc")
        assert_type(await reader.readexactly(3), bytes)
        assert_type(await reader.readinto(bytearray(5)), int)
        assert_type(writer.send_oob(b"abc"), bool)
    session: kcp.Session = reader.session
    assert_type(session.stats, kcp.Stats)
    return session.rto_ms + session.stats.RetransSegs + config.mtu


async def reconnecting() -> int:
    def on_session(client: kcp.ReconnectingClient, stream: kcp.Stream) -> None:
        stream.write(b"hello, again %d" % client.n_unacked)

    client = kcp.ReconnectingClient("10.0.0.2", 4000, on_session=on_session, mode="fast3")
    async with client:
        client.write(b"record")
        await client.flush()
        await client.up.wait()
        stream = client.stream
        if stream is not None and await stream.rebind(local=("10.0.0.3", 0)):
            return client.n_sessions
    return client.n_dropped


async def server() -> None:
    async with await kcp.start_server(on_session, None, 4000, crypt="none") as one:
        assert_type(one, kcp.Server)
        assert_type(one.stats(), kcp.Stats)
    queue = await kcp.start_server(None, "::", 4001)
    reader, _ = await queue.accept()
    assert_type(reader, kcp.Stream)
    await queue.serve_forever()


def without_asyncio() -> bytes:
    with blocking.connect("127.0.0.1", 4000, timeout=5, mode="fast2") as sock:
        assert_type(sock, blocking.Socket)
        sock.sendall(b"abc")
        assert_type(sock.recv_into(bytearray(3)), int)
        got = sock.recv(100)
    listener: blocking.ServerSocket = blocking.listen("", 4000, backlog=5)
    peer, address = listener.accept()
    assert_type(peer, blocking.Socket)
    assert_type(blocking.service(5), bool)
    return got + bytes(address[1])


def without_sockets(now_ms: int) -> None:
    session = kcp.Session(5, kcp.Config(), lambda view: None, now_ms)
    buf = bytearray(session.buffer_bytes)
    n = session.output(buf, now_ms)
    listener = kcp.Listener(kcp.Config(backlog=1), lambda view: None)
    found = listener.input(buf, n, ("127.0.0.1", 5), now_ms)
    if found is not None and found.state == CLOSED:
        found.abort()
    pair = listener.accept()
    if pair is not None:
        assert_type(pair[0], kcp.Session)


class Pigeons(Carrier):
    """A carrier of one's own."""

    mtu = 60

    def send(self, buf: bytearray, n: int, key: Any = None) -> int:
        return n

    def recv_into(self, buf: bytearray) -> int:
        return 0


async def over_other_carriers(uart: Any, esp: Any, modem: Any) -> int:
    a, b = memory_pair(mtu=500)
    await kcp.start_server(on_session, carrier=a)
    blocking.connect(carrier=b).close()
    serial = SerialCarrier(uart, framing="serialpacket")
    esp_now, lora = EspNowCarrier(esp, peer=bytes(6)), LoraCarrier(modem, duty_percent=0.1)
    await kcp.open_connection(carrier=serial, preset="serial")
    await kcp_trio.open_stream(carrier=Pigeons())
    assert_type(kcp.Config(preset="lora").memory(takes_fec=False), int)
    return serial.n_bad + esp_now.n_lost + lora.air_ms + a.n_too_long


class Protocol(asyncio.Protocol):
    """What a library brings."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, kcp_asyncio.Transport)
        transport.set_write_buffer_limits(high=5)


async def transports() -> asyncio.Transport:
    server: kcp_asyncio.Server = await kcp_asyncio.create_server(Protocol, None, 4000)
    abstract: asyncio.AbstractServer = server
    transport, protocol = await kcp_asyncio.create_connection(Protocol, "::1", 4000, mode="fast")
    assert_type(protocol, Protocol)
    transport.write(b"abc")
    context = ssl.create_default_context()
    reader, _ = await kcp_asyncio.open_connection("kcp.test", 4000, ssl=context, mode="fast")
    assert_type(reader, asyncio.StreamReader)
    await kcp_asyncio.start_server(lambda r, w: w.close(), None, 4000, ssl=context)
    abstract.close()
    return transport


async def on_stream(stream: kcp_trio.KcpStream) -> None:
    async for data in stream:
        assert_type(data, "bytes | bytearray")
        await stream.send_all(data)


async def with_trio() -> None:
    stream = await kcp_trio.open_stream("::1", 4000, end_mark=True, crypt="none", probe_ms=5)
    assert_type(stream, kcp_trio.KcpStream)
    if isinstance(stream, kcp_trio.MarkedStream):
        await stream.send_eof()
    stream.set(mtu=1200)
    both: trio.abc.Stream = stream
    assert_type(await both.receive_some(5), "bytes | bytearray")
    listener = await kcp_trio.open_listener(None, 4001, max_sessions=5)
    assert_type(listener, kcp_trio.KcpListener)
    assert_type(await listener.accept(), kcp_trio.KcpStream)
    await kcp_trio.serve(on_stream, None, 4000, fec=(10, 3))


def rest() -> dict[str, Any]:
    kcp.set_entropy(None)
    print(kcp.__version__, kcp.backend(), trace.mask_of("all") & trace.IN_ACK, stats.NAMES)
    return {**stats.total().as_dict(), "conv": 5}
