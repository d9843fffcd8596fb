"""Sockets of the caller's and their options, as far as only CPython can ask about them."""

import asyncio
import socket

import pytest
from test_cpython import NoAddReader, pair, pattern, run_in, soon

import kcp

V4_ON_V6 = "::ffff:127.0.0.1"


async def echo(reader, writer):
    async for line in reader:
        writer.write(line)


def own(family=socket.AF_INET, host="127.0.0.1", kind=socket.SOCK_DGRAM):
    sock = socket.socket(family, kind)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((host, 0))
    return sock


async def say_hello(server_socket, client_socket, host):
    """A line through a server and a client on these sockets, which must stay usable."""
    port = server_socket.getsockname()[1]
    server_socket.settimeout(3.5)
    server = await kcp.start_server(echo, sock=server_socket)
    assert server.sockname == server_socket.getsockname()
    stream, _ = await kcp.open_connection(host, port, sock=client_socket)
    stream.write(b"hello\n")
    assert await soon(stream.readline()) == b"hello\n"
    await soon(stream.aclose())
    for link in list(server.endpoint.links.values()):
        link.close(0)
    server.close()
    await soon(server.wait_closed())
    assert server_socket.gettimeout() == 3.5 and client_socket.gettimeout() is None
    client_socket.sendto(b"still mine", (host, port))
    while True:  # the last acknowledgements may lie before it
        if server_socket.recv(100) == b"still mine":
            return


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, NoAddReader])
def test_sockets_go_back_to_their_owner(loop):
    async def main():
        with own() as server_socket, own() as client_socket:
            await say_hello(server_socket, client_socket, "127.0.0.1")

    run_in(loop(), main())


async def test_ipv6_and_ipv4_on_it():
    with own(socket.AF_INET6, "::1") as sock, own(socket.AF_INET6, "::1") as other:
        await say_hello(sock, other, "::1")
    with own() as server_socket, own(socket.AF_INET6, "::") as client_socket:
        port = server_socket.getsockname()[1]
        server = await kcp.start_server(echo, sock=server_socket)
        stream, _ = await kcp.open_connection("127.0.0.1", port, sock=client_socket)
        assert stream.get_extra_info("peername")[:2] == (V4_ON_V6, port)
        await soon(stream.send(b"four\n"))
        assert await soon(stream.readline()) == b"four\n"
        await soon(stream.aclose())
        server.close()
        await soon(server.wait_closed())


async def test_wrong_sockets_say_what_is_wrong():
    with own(kind=socket.SOCK_STREAM) as sock, pytest.raises(ValueError, match="SOCK_DGRAM"):
        await kcp.open_connection("127.0.0.1", 9, sock=sock)
    with own() as sock, pytest.raises(OSError, match="family"):
        await kcp.open_connection("::1", 9, sock=sock)
    with pytest.raises(ValueError, match="closed"):
        await kcp.start_server(echo, sock=sock)


async def test_a_socket_that_its_owner_closes_too_early():
    sock = own()
    server = await kcp.start_server(echo, sock=sock)
    sock.close()
    server.close()
    await soon(server.wait_closed())
    with own() as sock:  # and the next one has no trouble of it
        server = await kcp.start_server(echo, sock=sock)
        server.close()
        await soon(server.wait_closed())


def tos(sock):
    return sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)


def buffers(sock):
    return [
        sock.getsockopt(socket.SOL_SOCKET, which) for which in (socket.SO_RCVBUF, socket.SO_SNDBUF)
    ]


async def test_options_are_set_on_the_socket():
    async with await pair(dscp=46, read_buffer=30000, write_buffer=20000) as p:
        for sock in (p.client.get_extra_info("socket"), p.server.sockets[0]):
            assert tos(sock) == 46 << 2
            assert buffers(sock) in ([30000, 20000], [60000, 40000])  # Linux doubles them
        p.client.set(dscp=8, read_buffer=50000)
        p.server.set(dscp=0, write_buffer=50000)
        assert tos(p.client.get_extra_info("socket")) == 8 << 2
        assert buffers(p.client.get_extra_info("socket"))[0] in (50000, 100000)
        assert tos(p.server.sockets[0]) == 0
        assert buffers(p.server.sockets[0])[1] in (50000, 100000)
        data = pattern(100000)
        sending = asyncio.create_task(p.client.send(data))
        assert await soon(p.peer.readexactly(len(data))) == data
        await soon(sending)


async def test_ipv6_has_both_fields():
    async with await pair("::1", dscp=46) as p:
        sock = p.client.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 46 << 2
        assert tos(sock) == 46 << 2  # for IPv4 on an IPv6 socket
