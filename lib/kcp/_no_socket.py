"""Stands in for the module `socket` on a board that has none; it can still use carriers."""

_EOPNOTSUPP = 95

AF_INET = 2


def getaddrinfo(host, port):
    """Raise OSError: there is no network to look something up in."""
    raise OSError(_EOPNOTSUPP, "this port of MicroPython has no sockets: use carrier=")
