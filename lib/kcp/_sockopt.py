"""DSCP and buffer sizes of UDP sockets, on both runtimes.

MicroPython's socket module has the calls but not the names; the numbers here are Linux's. On a
port that has neither, OSError(EOPNOTSUPP) says so.
"""

import sys

try:
    import socket
except ImportError:
    from . import _no_socket as socket

from .config import check_socket_option

_EOPNOTSUPP = 95
_NAMES = ("dscp", "read_buffer", "write_buffer")


def _number(name, linux):
    return getattr(socket, name, linux if sys.platform == "linux" else None)


def split(options: dict) -> dict:
    """Take the socket's options out of `options` and return them, checked (ValueError)."""
    found = {}
    for name in _NAMES:
        if name in options:
            check_socket_option(name, options[name])
            found[name] = options.pop(name)
    return found


def configure(sock, options: dict):
    """Set dscp, read_buffer and write_buffer of a socket where they are given and not None.

    Raises OSError if the system refuses one or has no such thing.
    """
    if options.get("dscp") is not None:
        _set_dscp(sock, options["dscp"])
    for name, option in (
        ("read_buffer", _number("SO_RCVBUF", _buffer_numbers()[0])),
        ("write_buffer", _number("SO_SNDBUF", _buffer_numbers()[1])),
    ):
        if options.get(name) is not None:
            if option is None:
                raise OSError(_EOPNOTSUPP, "this port cannot set the sizes of a socket's buffers")
            sock.setsockopt(socket.SOL_SOCKET, option, options[name])


def from_config(sock, config):
    """The same with a `Config`'s settings."""
    configure(sock, {name: getattr(config, name) for name in _NAMES})


def _buffer_numbers():
    """Linux numbers them by architecture; SOL_SOCKET shows by which."""
    return (0x1002, 0x1001) if getattr(socket, "SOL_SOCKET", 1) == 0xFFFF else (8, 7)


def _set_dscp(sock, dscp):
    """The upper six bits of IPv4's TOS and IPv6's traffic class: whichever the socket has."""
    is_set = False
    for level, option in (
        (_number("IPPROTO_IP", 0), _number("IP_TOS", 1)),
        (_number("IPPROTO_IPV6", 41), _number("IPV6_TCLASS", 67)),
    ):
        if level is not None and option is not None:
            try:
                sock.setsockopt(level, option, dscp << 2)
                is_set = True
            except OSError:  # a socket of the other family
                pass
    if not is_set:
        raise OSError(_EOPNOTSUPP, "this port cannot set the DSCP of a socket")
