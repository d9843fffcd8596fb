"""A `carrier=` of the caller's made into a port for an `Endpoint`: in all four combinations of
runtime and API. See `carrier` for what a carrier is."""

from ._adopt import claim
from .config import Config

_NEEDED = ("mtu", "send", "recv_into", "key", "poll_on", "poll_ms", "retry_ms")


def fitted(config, carrier):
    """Return the config with an mtu that the carrier can take. ValueError if one was asked for
    that it cannot, or for what only a UDP socket has."""
    if not config.dscp is config.read_buffer is config.write_buffer is None:
        raise ValueError("dscp, read_buffer and write_buffer are of UDP sockets, not of carriers")
    for name in _NEEDED:
        if not hasattr(carrier, name):
            raise ValueError(
                "a carrier needs %s: derive it from kcp.carrier.Carrier, and see there" % name
            )
    if config.mtu <= carrier.mtu:
        return config
    if "mtu" in config.given:
        text = "mtu=%d does not fit this carrier: at most %d bytes, or leave it out"
        raise ValueError(text % (config.mtu, carrier.mtu))
    return Config.from_options(config, {"mtu": carrier.mtu})


def refuse_address(host, port, sock):
    """Raise ValueError if more than a carrier was given."""
    if not host is port is sock is None:
        raise ValueError("give a carrier, or a host and port, or a socket: one of them")


def send(port, buf, n, key) -> int:
    """Have a port's carrier send buf[:n]. What it raises is a loss, and told once (on CPython's
    blocking API it comes out: there it may be a signal handler's)."""
    try:
        return port.carrier.send(buf, n, key)
    except Exception as error:
        _tell(port, error)
        return -1


def take(port, buf) -> int:
    """The length of the next datagram of a port's carrier, now in buf; 0: there is none. What it
    raises is told as send() does it."""
    try:
        return port.carrier.recv_into(buf) or 0
    except Exception as error:
        _tell(port, error)
        return 0


def _tell(port, error):
    report = getattr(port, "report", None)
    if report is None:
        raise error
    if not port.has_raised:
        port.has_raised = True
        report(error, "exception in a carrier; more of them are not told")


def async_port(carrier):
    """Return a port for the asyncio API."""
    from ._compat import MICROPYTHON

    if MICROPYTHON:
        from ._carry_upy import CarrierPort
    else:
        from ._carry_cpy import CarrierPort
    return claim(carrier, CarrierPort)


def sync_port(carrier):
    """Return a port for the blocking API."""
    from ._compat import MICROPYTHON

    if MICROPYTHON:
        from ._carry_sync_upy import CarrierPort
    else:
        from ._carry_sync_cpy import CarrierPort
    return claim(carrier, CarrierPort)
