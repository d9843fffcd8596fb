"""Sessions and servers on sockets that the caller owns, as kcp-go's NewConn and ServeConn.

Such a socket is used with addresses (it is not connected), is not closed, and goes back to the
caller when its session or server has ended. Unlike kcp-go, where two sessions on one socket take
each other's datagrams away, it can carry only one endpoint at a time: ValueError else.
"""

_in_use = []


async def adopt_client(sock, host, port):
    """Return (asyncio port for an `Endpoint`, key of the peer)."""
    from ._port import adopt, adopted_address

    key = await adopted_address(sock, host, port)
    return claim(sock, adopt), key


def adopt_server(sock):
    """Return an asyncio port for an `Endpoint`."""
    from ._port import adopt

    return claim(sock, adopt)


def claim(sock, adopt):
    """Return adopt(sock, release), a port for an `Endpoint`, unless the socket is in use."""
    for one in _in_use:
        if one is sock:
            raise ValueError("this socket carries another session or a server: one at a time")
    udp = adopt(sock, _release)
    _in_use.append(sock)
    return udp


def _release(sock):
    _in_use.remove(sock)
