"""What opening a session or a server begins with, whatever the API: asyncio, blocking, trio."""

from errno import ETIMEDOUT

from ._compat import const
from ._random import fill, random_conv, require
from .config import Config
from .session import Session

SOCKBUF = 4194304  # kcptun's; the default of most systems is overrun by one window
_MAX_MS = const(0x1FFFFFFF)  # half the clock's range
_MAX_CONV = 0xFFFFFFFF
_MAX_SOCKBUF = const(0x3FFFFFFF)


def settled(config, options, host, port, sock, carrier, sockbuf):
    """Return the `Config` of an opening call's arguments, fitted to the carrier if there is one.

    ValueError on a wrong option and on too many addresses, OSError if the crypt needs random bytes
    that this machine does not have.
    """
    if "ssl" in options:
        raise ValueError("ssl is no option here: CPython has it in kcp_asyncio; see README, TLS")
    check_whole("sockbuf", sockbuf, 1, _MAX_SOCKBUF)
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
    if carrier is None:
        if host is None or port is None:
            raise ValueError("say the host and the port to connect to, or give a carrier")
        if not isinstance(host, (str, bytes)):
            raise ValueError("host must be a name or an address in a str, not %r" % (host,))
        check_whole("port", port, 1, 65535)


def need_place(port, sock, carrier):
    """Raise ValueError unless a server was told where to serve."""
    if port is sock is carrier is None:
        raise ValueError("say the port to serve on, or give a socket or a carrier")
    if port is not None:
        check_whole("port", port, 0, 65535)


def check_whole(name, value, low, high):
    """Raise ValueError unless value is a whole number within the limits."""
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError("%s must be %d..%d, a whole number, not %r" % (name, low, high, value))


def check_probe(probe_ms):
    """Raise ValueError unless probe_ms is None or ms to wait."""
    if probe_ms is not None:
        check_ms("probe_ms", probe_ms)


def check_ms(name, n_ms):
    """Raise ValueError unless it is a span that the clock can measure."""
    check_whole(name, n_ms, 1, _MAX_MS)


def no_answer(probe_ms):
    """Return the OSError for a probe that nobody has answered."""
    text = "no answer in %d ms: is the peer there, with the same key and crypt?"
    return OSError(ETIMEDOUT, text % probe_ms)


def new_session(config, conv, now_ms):
    """Return a client's session; conv None: a random one. ValueError on one out of range."""
    if conv is None:
        conv = random_conv()
    elif not isinstance(conv, int) or not 0 <= conv <= _MAX_CONV:
        raise ValueError("conv must be a whole number of 32 bits, not %r" % (conv,))
    return Session(conv, config, fill, now_ms)


def set_up(sock, config):
    """Set what the config says about a port's socket."""
    if not config.dscp is config.read_buffer is config.write_buffer is None:
        from ._sockopt import from_config  # only who uses it pays for it

        from_config(sock, config)
