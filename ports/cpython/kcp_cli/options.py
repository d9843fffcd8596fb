"""kcptun's flags, and the library's configuration made of them.

A flag that is not given is not passed on, so that defaults live in the library alone; a value that
the library refuses ends in the library's own sentence.
"""

import click


class FecType(click.ParamType):
    """auto, off, or D/P, as the library takes them."""

    name = "FEC"

    def convert(self, value, param, ctx):
        """Turn the text into "auto" or a pair; anything else is a usage error."""
        if value == "auto" or isinstance(value, tuple):
            return value
        if value == "off":
            return (0, 0)
        data, _, parity = value.partition("/")
        if not (data.isdigit() and parity.isdigit()):
            text = f"--fec is auto, off, or DATA/PARITY as in 10/3, not {value!r}."
            raise click.UsageError(text, ctx)
        return int(data), int(parity)


_FLAGS = {
    "--preset": {
        "metavar": "NAME",
        "help": "All that fits a kind of link: lan, wifi, lte, satellite, espnow, lora, serial. "
        "Flags beside it win.",
    },
    "--key": {
        "metavar": "TEXT",
        "envvar": "KCP_KEY",
        "show_envvar": True,
        "help": "Passphrase, the same on both sides.",
    },
    "--crypt": {
        "metavar": "NAME",
        "help": "Encryption, the same on both sides: none, salsa20, aes, aes-128-gcm, ... "
        "[default: null, no encryption; kcptun's is aes]",
    },
    "--mode": {
        "metavar": "NAME",
        "help": "How soon losses are repaired: normal, fast, fast2, fast3, or manual. "
        "[default: fast]",
    },
    "--mtu": {"type": int, "metavar": "BYTES", "help": "Longest datagram. [default: 1350]"},
    "--sndwnd": {"type": int, "metavar": "N", "help": "Packets on their way. [default: 256]"},
    "--rcvwnd": {"type": int, "metavar": "N", "help": "Packets kept to be read. [default: 512]"},
    "--fec": {
        "type": FecType(),
        "metavar": "auto|off|D/P",
        "help": "Parity against losses: as much as these ask for, none, or P packets after D. "
        "Each side chooses for itself. [default: off]",
    },
    "--datashard": {
        "type": int,
        "metavar": "N",
        "help": "The same as --fec, as kcptun has it: D ...",
    },
    "--parityshard": {
        "type": int,
        "metavar": "N",
        "help": "... and P.",
    },
    "--nodelay": {"type": int, "metavar": "0|1", "help": "Short time-outs (mode manual)."},
    "--interval": {"type": int, "metavar": "MS", "help": "Tick (mode manual)."},
    "--resend": {
        "type": int,
        "metavar": "N",
        "help": "Fast resend after so many later ACKs (mode manual).",
    },
    "--nc": {"type": int, "metavar": "0|1", "help": "1 = no congestion window (mode manual)."},
    "--cc": {
        "metavar": "NAME",
        "help": "Congestion control: rate, kcp (kcp-go's) or none. [default: rate]",
    },
    "--pacing/--no-pacing": {
        "default": None,
        "help": "Spread packets over the round trip, or send windows at once. [default: pacing]",
    },
    "--ratelimit": {
        "type": int,
        "metavar": "N",
        "help": "Bytes per second, at most, that a session sends. [default: 0, no limit]",
    },
    "--dscp": {"type": int, "metavar": "N", "help": "DSCP of the datagrams, 0 to 63."},
    "--keepalive": {
        "type": click.FloatRange(0, 86400),
        "metavar": "SECONDS",
        "help": "Ask a silent peer for a sign of life so often. [default: 0, off]",
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


_OUTPUT = ("stats", "as_json", "quiet")


class Verb(click.Command):
    """A command whose help has its own options first, then those of KCP, then those of output."""

    def format_options(self, ctx, formatter):
        """(click calls this.)"""
        kcp_names = {_NAMES.get(flag, flag[2:]) for flag in _FLAGS}
        sections = {"Options": [], "KCP settings (kcptun's flags and more)": [], "Output": []}
        own, kcp, output = sections.values()
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None or not isinstance(param, click.Option):
                continue
            is_output = param.name in _OUTPUT or param.name == "help"
            (output if is_output else kcp if param.name in kcp_names else own).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


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
