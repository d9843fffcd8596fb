"""HOST:PORT on the command line: what is accepted, and what to say otherwise."""

import collections

import click

Address = collections.namedtuple("Address", "host port")
Address.__doc__ = "A host (name or literal address, IPv6 without brackets) and a port number."
Address.__str__ = lambda self: show(*self)

DEFAULT_PORT = 4000


def show(host, port):
    """Write an address as `parse` reads it: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def peer_of(stream):
    """The other end's address in words."""
    host, port = stream.get_extra_info("peername")[:2]
    return show(host[7:] if host.startswith("::ffff:") else host, port)


def parse(text, listen=False):
    """Read HOST:PORT or [IPV6]:PORT; for listening also :PORT and PORT, with "" as the host, which
    is every interface.

    Returns an Address; raises ValueError with a sentence that shows how to write it.
    """
    host, port = _split(text, listen)
    if not port.isascii() or not port.isdigit():
        hint = " (ranges of ports are not supported)" if "-" in port else ""
        raise ValueError(f"{port!r} in {text!r} is not a port number{hint}.")
    lowest = 0 if listen else 1  # 0: the system chooses a free one
    if not lowest <= int(port) <= 65535:
        raise ValueError(f"Port {port} is out of range: it must be from {lowest} to 65535.")
    if not host and not listen:
        raise ValueError(f"{text!r} has no host: write it as 127.0.0.1:{port}.")
    return Address(host, int(port))


def _split(text, listen):
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise ValueError(f"{text!r} has no closing bracket: write [IPV6]:PORT.")
        if rest[:1] != ":" or len(rest) == 1:
            raise ValueError(f"{text!r} has no port: write it as [{host}]:{DEFAULT_PORT}.")
        return host, rest[1:]
    if text.count(":") > 1:
        raise ValueError(f"{text!r} is ambiguous: write IPv6 as [ADDRESS]:PORT, as [::1]:4000.")
    host, colon, port = text.rpartition(":")
    if listen and not colon and text.isdigit():
        return "", text
    if not colon or not port:
        raise ValueError(f"{text!r} has no port: write it as {host or text}:{DEFAULT_PORT}.")
    return host, port


class AddressType(click.ParamType):
    """click's view of `parse`."""

    name = "HOST:PORT"

    def __init__(self, listen=False):
        self.listen = listen

    def convert(self, value, param, ctx):
        """Turn the text into an Address, or a ValueError into a usage error."""
        if isinstance(value, Address):
            return value
        try:
            return parse(value, self.listen)
        except ValueError as error:
            raise click.UsageError(str(error), ctx) from None


PEER = AddressType()
LISTEN = AddressType(listen=True)
