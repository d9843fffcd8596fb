"""kcptun's flags, and the library's configuration made of them.

A flag that is not given is not passed on, so that defaults live in the library alone; a value that
the library refuses ends in the library's own sentence.
"""

import click

_FLAGS = {
    "--preset": {
        "metavar": "NAME",
        "help": "Settings for a kind of link: lan, wifi, lte, satellite, espnow, lora, serial. "
        "What is given besides goes first.",
    },
    "--key": {"envvar": "KCP_KEY", "show_envvar": True, "help": "Passphrase, as kcptun's."},
    "--crypt": {"metavar": "NAME", "help": "Packet encryption, as kcptun names it."},
    "--mode": {"metavar": "NAME", "help": "normal, fast, fast2, fast3 or manual."},
    "--mtu": {"type": int, "help": "Largest UDP payload, in bytes."},
    "--sndwnd": {"type": int, "help": "Send window, in packets."},
    "--rcvwnd": {"type": int, "help": "Receive window, in packets."},
    "--datashard": {"type": int, "help": "FEC: data packets of a group."},
    "--parityshard": {"type": int, "help": "FEC: parity packets of a group."},
    "--nodelay": {"type": int, "help": "0 or 1 (mode manual)."},
    "--interval": {"type": int, "metavar": "MS", "help": "Tick in ms (mode manual)."},
    "--resend": {"type": int, "help": "Fast resend after so many ACKs (mode manual)."},
    "--nc": {"type": int, "help": "1 = no congestion control (mode manual)."},
    "--pacing/--no-pacing": {
        "default": None,
        "help": "Spread packets over the round trip (as is the default), or send windows at once.",
    },
    "--ratelimit": {"type": int, "help": "Bytes per second that a session may send."},
    "--dscp": {"type": int, "help": "DSCP of the datagrams, 0 to 63."},
    "--keepalive": {
        "type": click.FloatRange(0, 86400),
        "metavar": "SECONDS",
        "help": "Ask a silent peer for a sign of life so often; 0 = off.",
    },
    "--acknodelay": {"is_flag": True, "default": None, "help": "Acknowledge at once."},
    "--trace": {
        "metavar": "EVENTS",
        "help": "Tell on stderr what passes: all, in_push,out_ack,... or kcp-go's log mask.",
    },
}
_PLAIN = ("null", "none")
_NAMES = {
    "--ratelimit": "rate_limit",
    "--pacing/--no-pacing": "pacing",
}  # where the library's name is another one
_SHORT = {"--datashard": ("--ds",), "--parityshard": ("--ps",)}
_NETWORK_ONLY = ("--key", "--dscp", "--keepalive", "--trace")  # mean nothing in a simulation


def kcp_flags(command):
    """Decorate a verb with the flags above; it receives them as keyword arguments."""
    return _flags(command, _FLAGS)


def config_flags(command):
    """The same, without those that mean nothing where there is no network."""
    return _flags(command, {k: v for k, v in _FLAGS.items() if k not in _NETWORK_ONLY})


def _flags(command, flags):
    for flag, settings in reversed(list(flags.items())):
        name = _NAMES.get(flag, flag[2:])
        command = click.option(flag, *_SHORT.get(flag, ()), name, **settings)(command)
    return command


def output_flags(command):
    """Decorate a verb with --json (argument `as_json`) and --quiet."""
    quiet = click.option("--quiet", is_flag=True, help="No progress, no summary.")
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object for scripts.")
    return as_json(quiet(command))


def stats_flag(command):
    """Decorate a verb with --stats (argument `stats`)."""
    return click.option(
        "--stats", is_flag=True, help="Show the counters on stderr; on a terminal while it runs."
    )(command)


def timeout_flag(default_s, text):
    """Decorate a verb with --timeout SECONDS (argument `timeout_s`)."""
    seconds = click.FloatRange(0.1, 86400)
    return click.option(
        "--timeout", "timeout_s", type=seconds, default=default_s, show_default=True,
        metavar="SECONDS", help=text,
    )  # fmt: skip


def make_config(flags, **more):
    """Build kcp's Config from the flags that were given; what it refuses is a usage error."""
    import kcp
    from kcp.crypt import NAMES

    given = {name: value for name, value in flags.items() if value is not None}
    if "keepalive" in given:  # kcptun's unit
        given["keepalive_ms"] = int(given.pop("keepalive") * 1000)
    secret = given.pop("key", None)
    if secret:
        given["key"] = kcp.derive_key(secret)
    elif given.get("crypt", "null") in NAMES and given.get("crypt", "null") not in _PLAIN:
        raise click.UsageError(f"--crypt {given['crypt']} needs a --key (or KCP_KEY).")
    try:
        config = kcp.Config(**given, **more)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if config.trace:
        _log_trace()
    if secret is not None and config.crypt in _PLAIN:
        text = f"the key has no effect with crypt {config.crypt}: nothing is encrypted"
        click.secho(f"kcp: {text}", fg="yellow", err=True)
    return config


def _log_trace():
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("kcp")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
