"""Settings that may change while a session lives: what `Session.set` does."""

from .config import MODE_NAMES, Config, check_room, overlaid

#: What Session.set() takes. Everything else is fixed when the session is made: the packet frame
#: (crypt, key, fec), limits for which memory was set aside, and what belongs to the socket.
RUNTIME = (
    "mtu",
    "sndwnd",
    "rcvwnd",
    "mode",
    "nodelay",
    "interval",
    "resend",
    "nc",
    "cc",
    "stream",
    "acknodelay",
    "write_delay",
    "pacing",
    "rate_limit",
    "dup",
    "trace",
    "dead_ms",
    "keepalive_ms",
    "idle_ms",
    "linger_ms",
)


def changed(session, options: dict) -> Config:
    """Return the session's config with `options` (names of RUNTIME) laid over it, checked.

    A new mode brings its nodelay, interval, resend and nc, whatever they were set to before.
    """
    given = dict(session.config.given)
    if "mode" in options:
        for name in MODE_NAMES:
            given.pop(name, None)
    merged = Config(**overlaid(given, options))
    for name in options:
        if name not in RUNTIME:
            raise ValueError(
                "%s is fixed when the session is made; set() takes: %s"
                % (name, ", ".join(sorted(RUNTIME)))
            )
    check_room(merged.mtu, session.overhead_bytes)
    return merged


def apply(session, options: dict):
    """Give the session new settings. Raises ValueError and changes nothing if one is wrong."""
    config = changed(session, options)
    if callable(config.cc):  # the user's class, which may raise: before anything has changed
        session.arq.set_cc(config.cc, config.pacing, config.payload_pct)
    if config.mtu != session.config.mtu:
        _set_mtu(session, config)
    if config.trace != session.config.trace:
        session.set_logger(config.trace)
    session.config = config
    session._fit_keeper()
    arq = session.arq
    if (config.sndwnd, config.rcvwnd) != (arq.snd_wnd, arq.rcv_wnd):
        is_told = config.rcvwnd == arq.rcv_wnd
        arq.set_wndsize(config.sndwnd, config.rcvwnd)
        if not is_told:
            arq.tell_window()
        arq.max_queue = 2 * config.sndwnd
        arq.flush()
    timing = (config.nodelay, config.interval, config.resend)
    if timing != (arq.nodelay, arq.interval_ms, arq.resend):
        arq.set_nodelay(*timing)
    session._fit_cc()
    arq.stream = config.stream
    if not session.is_closing:  # which has made it answer at once
        arq.ack_nodelay = config.acknodelay
    if session.shaper is not None or config.rate_limit or config.dup:
        from ._shaper import shape

        shape(session)


def _set_mtu(session, config):
    mtu = config.mtu - session.overhead_bytes
    session.arq.set_mtu(mtu)
    if session._encoder is not None:
        session._encoder.grow(mtu + 2)
    session._fit_buffer()
