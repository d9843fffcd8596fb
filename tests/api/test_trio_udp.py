"""kcp_trio over UDP and beside threads, in real time."""

import socket
import threading

import pytest
import trio
from tls_support import NAME, contexts
from trio_support import BYTES, receive

import kcp
import kcp_trio
from kcp.carrier import memory_pair


async def echo(stream):
    """Send back what comes until the client closes (which needs an end mark or TLS) or is gone."""
    try:
        async for data in stream:
            await stream.send_all(data)
    except trio.BrokenResourceError:
        pass


async def echoed(stream, data):
    """What comes back of the data."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, data)
        return await receive(stream, len(data))


async def serving(nursery, handler, **options):
    """Start a server; return its port."""
    listeners = await nursery.start(
        lambda task_status: kcp_trio.serve(
            handler, "127.0.0.1", 0, task_status=task_status, **options
        )
    )
    return listeners[0].sockname[1]


@pytest.mark.parametrize(
    "options", [{}, {"crypt": "aes-128-gcm", "key": bytes(16), "fec": (5, 2)}]
)
def test_an_echo_over_udp(options):
    async def main():
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                port = await serving(nursery, echo, end_mark=True, **options)
                for host in ("127.0.0.1", "localhost"):
                    client = await kcp_trio.open_stream(
                        host, port, probe_ms=20000, end_mark=True, **options
                    )
                    assert client.peername == ("127.0.0.1", port)
                    assert await echoed(client, BYTES) == BYTES
                    await client.send_eof()
                    assert await client.receive_some() == b""
                    await client.aclose()
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_tls_over_udp(tmp_path):
    server_context, client_context = contexts(str(tmp_path))

    async def main():
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                listener = await kcp_trio.open_listener("127.0.0.1", 0)
                nursery.start_soon(
                    trio.serve_listeners, echo, [trio.SSLListener(listener, server_context)]
                )
                inner = await kcp_trio.open_stream("127.0.0.1", listener.sockname[1])
                client = trio.SSLStream(inner, client_context, server_hostname=NAME)
                assert await echoed(client, BYTES) == BYTES
                await client.aclose()
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_sockets_of_the_callers():
    async def main():
        ours = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in ours:
            sock.bind(("127.0.0.1", 0))
        with trio.fail_after(60):
            listener = await kcp_trio.open_listener(sock=ours[0])
            address = ours[0].getsockname()
            client = await kcp_trio.open_stream(*address, sock=ours[1])
            await client.send_all(b"x")
            server = await listener.accept()
            assert server.peername == ours[1].getsockname()
            assert await server.receive_some() == b"x"
            await listener.aclose()
            for stream in (client, server):
                await stream.aclose()
        for sock in ours:
            assert sock.getblocking()
            sock.close()

    trio.run(main)


def test_a_carrier_that_a_thread_speaks_to():
    a, b = memory_pair()

    def other_side(result):
        with kcp.blocking.connect(carrier=b, timeout=60) as sock:
            sock.sendall(b"from a thread")
            result.append(sock.recv(5))

    async def main():
        got = []
        with trio.fail_after(60):
            listener = await kcp_trio.open_listener(carrier=a)
            thread = threading.Thread(target=other_side, args=(got,))
            thread.start()
            server = await listener.accept()
            assert await receive(server, 13) == b"from a thread"
            await server.send_all(b"trio!")
            await trio.to_thread.run_sync(thread.join)
            assert got == [b"trio!"]
            await listener.aclose()
            await server.aclose()

    trio.run(main)


def test_the_end_of_the_program_closes_the_sockets():
    kept = []

    async def main():
        listener = await kcp_trio.open_listener("127.0.0.1", 0)
        client = await kcp_trio.open_stream(*listener.sockname)
        kept.extend((listener, client, client._link.endpoint.port.sock))

    trio.run(main)
    assert kept[2].fileno() < 0 and kept[0]._endpoint.is_closed
