"""MicroPython: UDP sockets and addresses, for asyncio and the blocking port. Twin: `_udp_cpy`."""

try:
    import socket
except ImportError:
    from . import _no_socket as socket

from ._backend import NATIVE

MAX_DATAGRAM = 1500

#: recv_into(sock, view) -> bytes of the next datagram of a connected socket, None: there is none.
#: It allocates nothing, where a socket's own recv must. None: it is not here (it is in C).
recv_into = None
if NATIVE:
    import _kcp

    recv_into = getattr(_kcp, "recv_into", None)


def look_up(host, port):
    """Return [(family, address)], IPv4 first as in Go. Blocks while a name is looked up."""
    found = []
    for entry in socket.getaddrinfo(host or "0.0.0.0", port):  # lwIP knows no hints
        pair = (entry[0], entry[-1])
        if pair not in found:  # (unix names each address once per type of socket)
            found.insert(0 if entry[0] == socket.AF_INET else len(found), pair)
    return found


def addr_key(address):
    """Return an address as something that a dict takes as a key and sendto as an address."""
    return bytes(address) if isinstance(address, bytearray) else address


def printable(address):
    """Return an address as getpeername shows it: (host, port), or as the port has it."""
    try:
        parts = socket.sockaddr(address)
        host = socket.inet_ntop(parts[0], parts[1])
    except (AttributeError, TypeError, OSError):  # not an IP address: a carrier's key
        return address
    if parts[0] == socket.AF_INET:
        return (host, parts[2])
    return (host, parts[2], parts[3], parts[4])


def new_socket(family, sockbuf):
    """Return a non-blocking socket with buffers of `sockbuf` bytes (or as the system allows)."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    # SO_RCVBUF and SO_SNDBUF have no names here; Linux numbers them by architecture.
    level = getattr(socket, "SOL_SOCKET", 0)
    for option in {1: (8, 7), 0xFFFF: (0x1002, 0x1001)}.get(level, ()):
        try:
            sock.setsockopt(level, option, sockbuf)
        except OSError:
            pass
    return sock


def family_of(address):
    """Return an address's family."""
    try:
        return socket.sockaddr(address)[0]
    except (AttributeError, TypeError, OSError):  # lwIP: (host, port)
        return socket.AF_INET


def connected(found, sockbuf, local=None):
    """Return (socket, address), connected to the first address that works, so that what others
    send is dropped. local: the (host, port) to bind to before."""
    return _first(found, sockbuf, "connect", local)


def bound(found, sockbuf):
    """Return (socket, address), bound to the first address that works."""
    return _first(found, sockbuf, "bind")


def _first(found, sockbuf, method, local=None):
    """Return (socket, address) of the first address for which the method works."""
    failure = None
    for family, address in found:
        sock = new_socket(family, sockbuf)
        try:
            if local is not None:
                sock.bind(socket.getaddrinfo(local[0], local[1])[0][-1])
            getattr(sock, method)(address)
            return sock, address
        except OSError as error:
            failure = error
            sock.close()
    raise failure
