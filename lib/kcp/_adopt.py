"""Sessions and servers on sockets that the caller owns, as kcp-go's NewConn and ServeConn.

Such a socket is used with addresses (it is not connected), is not closed, and goes back to the
caller when its session or server has ended. Unlike kcp-go, where two sessions on one socket take
each other's datagrams away, it can carry only one endpoint at a time: ValueError else.
"""

from ._port import adopt, adopted_address

_in_use = []


async def adopt_client(sock, host, port):
    """Return (port for an `Endpoint`, key of the peer)."""
    key = await adopted_address(sock, host, port)
    return _claim(sock), key


def adopt_server(sock):
    """Return a port for an `Endpoint`."""
    return _claim(sock)


def _claim(sock):
    for one in _in_use:
        if one is sock:
            raise ValueError("this socket carries another session or a server: one at a time")
    udp = adopt(sock, _release)
    _in_use.append(sock)
    return udp


def _release(sock):
    _in_use.remove(sock)
