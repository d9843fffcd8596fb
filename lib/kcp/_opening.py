"""What opening a session or a server begins with, whatever the API: asyncio, blocking, trio."""

from ._random import fill, random_conv, require
from .config import Config
from .session import Session

SOCKBUF = 4194304  # kcptun's; the default of most systems is overrun by one window
NO_ANSWER = "no answer: is the peer there, with the same key and crypt?"


def settled(config, options, host, port, sock, carrier):
    """Return the `Config` of an opening call's arguments, fitted to the carrier if there is one.

    ValueError on a wrong option and on too many addresses, OSError if the crypt needs random bytes
    that this machine does not have.
    """
    if "ssl" in options:
        raise ValueError("ssl is no option here: CPython has it in kcp_asyncio; see README, TLS")
    config = Config.from_options(config, options)
    if carrier is not None:
        from . import _carry  # only who uses it pays for it

        _carry.refuse_address(host, port, sock)
        config = _carry.fitted(config, carrier)
    if config.crypt != "null":
        require()
    return config


def need_peer(host, port, carrier):
    """Raise ValueError unless a client was told whom to talk to."""
    if carrier is None and (host is None or port is None):
        raise ValueError("say the host and the port to connect to, or give a carrier")


def need_place(port, sock, carrier):
    """Raise ValueError unless a server was told where to serve."""
    if port is sock is carrier is None:
        raise ValueError("say the port to serve on, or give a socket or a carrier")


def new_session(config, conv, now_ms):
    """Return a client's session; conv None: a random one."""
    return Session(random_conv() if conv is None else conv, config, fill, now_ms)


def set_up(udp, config):
    """Set what the config says about the socket of a port."""
    if not config.dscp is config.read_buffer is config.write_buffer is None:
        from ._sockopt import from_config  # only who uses it pays for it

        from_config(udp.sock, config)
