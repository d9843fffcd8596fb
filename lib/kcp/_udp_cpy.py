"""CPython: UDP sockets and addresses, for the asyncio and the blocking port. Twin: `_udp_upy`."""

import errno
import socket

WOULD_BLOCK = (BlockingIOError, InterruptedError)


def look_up(host, port: int, passive: bool = False, flags: int = 0) -> list:
    """Return [(family, address)], IPv4 first as in Go. Blocks while a name is looked up, unless
    `flags` has AI_NUMERICHOST, with which a name raises socket.gaierror."""
    if passive:
        flags |= socket.AI_PASSIVE
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=flags)
    except socket.gaierror as error:
        if flags & socket.AI_NUMERICHOST:
            raise
        raise socket.gaierror(error.errno, "host %r: %s" % (host, error.strerror)) from None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return [(entry[0], entry[4]) for entry in found]


def anywhere(port: int) -> list:
    """Return [(family, address)] of all of this machine's addresses, IPv6 with IPv4 first."""
    return look_up("::", port, True) + look_up("0.0.0.0", port, True)


def printable(address):
    """Return an address as getpeername shows it."""
    return address


class Sender:
    """What sends the datagrams of an endpoint's port through its socket, `sock`."""

    _view = memoryview(b"")
    _view_of = None

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the connected peer); as `endpoint` says: > 0 sent, 0 the
        socket is full, < 0 refused."""
        if buf is not self._view_of or n != len(self._view):
            self._view = memoryview(buf)[:n]
            self._view_of = buf
        try:
            if key is None:
                self.sock.send(self._view)
            else:
                self.sock.sendto(self._view, key)
        except WOULD_BLOCK:
            return 0
        except OSError:
            return -1
        return 1


def new_socket(family, sockbuf: int):
    """Return a non-blocking socket with buffers of `sockbuf` bytes (or as the system allows)."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, sockbuf)
        except OSError:
            pass
    return sock


def connected(found, sockbuf: int, local=None) -> tuple:
    """Return (socket, address), connected to the first address that works, so that the kernel
    drops what others send. local: the (host, port) to bind to before."""
    failure = None
    for family, address in found:
        sock = None
        try:
            sock = new_socket(family, sockbuf)
            if local is not None:
                sock.bind(local)
            sock.connect(address)
            return sock, address
        except OSError as error:
            failure = _told("cannot send to", address, error)
            if sock is not None:
                sock.close()
    raise failure


def bound(found, sockbuf: int):
    """Return a socket bound to the first address that works; IPv6 takes IPv4 too where it can."""
    failure = None
    for family, address in found:
        sock = None
        try:
            sock = new_socket(family, sockbuf)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind(address)
            return sock
        except OSError as error:
            failure = _told("cannot serve on", address, error)
            if sock is not None:
                sock.close()
    raise failure


def _told(what, address, error):
    """Return the error with the address that it is about."""
    text = "%s %s port %d: %s" % (what, address[0], address[1], error.strerror)
    return OSError(error.errno, text)


def _check_udp(sock):
    """Raise ValueError unless it is an open UDP socket."""
    if not isinstance(sock, socket.socket) or sock.type != socket.SOCK_DGRAM:
        raise ValueError("sock must be a UDP socket of the socket module (SOCK_DGRAM)")
    if sock.fileno() < 0:
        raise ValueError("sock is closed already: give an open UDP socket")


def borrow(sock):
    """Make a socket of the caller's non-blocking; return a function that undoes it. ValueError if
    it is no open UDP socket."""
    _check_udp(sock)
    timeout = sock.gettimeout()
    sock.setblocking(False)

    def give_back():
        if sock.fileno() >= 0:
            sock.settimeout(timeout)

    return give_back


def address_for(sock, found):
    """Return the address in `found` (see look_up) that suits a socket of the caller's."""
    _check_udp(sock)
    family = sock.family
    for one, address in found:
        if one == family:
            return address
    if family == socket.AF_INET6:  # an IPv4 address on a socket that takes both
        return ("::ffff:" + found[0][1][0], found[0][1][1], 0, 0)
    raise OSError(errno.EAFNOSUPPORT, "the peer has no address of the socket's family")
