"""`kcp doctor`: says in words what can be known about a KCP peer from outside."""

import asyncio
import ipaddress
import statistics

import click

from . import probes
from .address import PEER
from .echo_fec import ratio_of
from .errors import NO_ANSWER, OK, OTHER_CRYPT, REFUSED
from .options import Verb, kcp_flags, make_config, output_flags, timeout_flag
from .report import Report
from .runner import explain

_PLAIN = ("null", "none")
_NEAR_MS = (("lan", 4), ("wifi", 25), ("lte", 250))  # round trips up to which a preset is meant
_NO_WAY = (
    "The host is down or its address is wrong: a router on the way has said that it cannot be "
    "reached."
)
_FEC_FROM_PCT = 2  # losses from which parity is worth what it costs


@click.command(cls=Verb, short_help="Examine a peer: what answers, what passes, what to set.")
@click.argument("address", type=PEER, metavar="HOST:PORT")
@click.option("--try", "try_all", is_flag=True,
              help="If there is silence, try the key with every cipher.")  # fmt: skip
@click.option("--echo", is_flag=True,
              help="The peer is an echo server: exchange data with it too, whose FEC may cover "
              "nothing else.")  # fmt: skip
@timeout_flag(3, "Call it silence when nothing answers for so long.")
@kcp_flags
@output_flags
def doctor(address, try_all, echo, timeout_s, as_json, quiet, **flags):
    """Find out what is wrong, or right, with a KCP peer at HOST:PORT.

    Tells whether something listens there and answers with this key and crypt; if so: round trip,
    losses, the largest datagram that passes, the peer's FEC and window, and which flags fit.
    Nothing is handed to the program behind the peer (but with --echo), yet it sees a session
    begin: KCP knows no other way to ask.

    \b
    Exit codes: 0 it answers; 3 silence; 4 nothing listens there;
    5 it answers, but to another cipher (--try); 1 the host cannot be reached at all.
    """
    report = Report("doctor", as_json, quiet)
    is_unused = try_all and flags.get("crypt") in (None, *_PLAIN)  # until the ciphers' turn comes
    config = make_config({**flags, "key": None} if is_unused else flags)
    try:
        with probes.connected_socket(address) as sock:
            wire = _look(report, address, sock, config, flags, try_all, timeout_s)
            if not isinstance(wire, probes.Wire):
                return wire
            report.note(f"{address} answers to crypt {wire.crypt}; measuring ...")
            return _answers(report, address, wire, wire.crypt == config.crypt, echo and timeout_s)
    except probes.Refused:
        return _refused(report, address)
    except OSError as error:
        failure = explain(error)
        report.failed(failure.message)
        raise failure from None


def _look(report, address, sock, config, flags, try_all, timeout_s):
    """The wire that is answered, or the exit code once silence was told of."""
    key = flags.get("key")
    tried = []
    wire = _first_answer(sock, config, key, try_all, timeout_s, tried)
    if wire:
        return wire
    causes = _causes(sock, [one.crypt for one in tried], key, try_all)
    if any(one.unreachable for one in tried):
        causes.insert(0, _NO_WAY)
    return _silent(report, address, [one.crypt for one in tried], causes)


def _first_answer(sock, config, key, try_all, timeout_s, tried):
    """The wire that is answered, or None; `tried` gets those that were tried."""
    for names in _stages(config.crypt, key) if try_all else [(config.crypt,)]:
        wires = [_wire(sock, config, name, key) for name in names]
        tried += wires
        found = probes.answering(sock, wires, timeout_s)
        if found:
            return found
    return None


def _stages(given, key):
    """Names of ciphers by the order in which they are tried. A kcp-go peer without crypt takes
    anything for the beginning of a session: so this one is asked before all that are noise to it.
    """
    from kcp.crypt import NAMES

    done = (given, *_PLAIN, "aes", "aes-256" if given == "aes" else "")  # two names of one
    rest = [name for name in NAMES if name not in done]
    stages = [(given,), tuple(name for name in _PLAIN if name != given)]
    return [*stages, rest] if key else stages


def _wire(sock, config, name, key):
    import kcp

    if name == config.crypt:
        return probes.Wire(sock, config)
    return probes.Wire(
        sock, kcp.Config(crypt=name, key=None if name in _PLAIN else kcp.derive_key(key))
    )


# -- nothing there -------------------------------------------------------------------------------


def _refused(report, address):
    text = (
        f"{address}: nothing listens on this port. The host is up: it refused the datagrams "
        "itself. Is the port right, and is the server running?"
    )
    _tell(report, address, {"ok": False, "outcome": "refused"}, text)
    return REFUSED


def _silent(report, address, tried, causes):
    lines = [f"{address}: silence. Nothing answered to {_names(tried)}. Likely causes, in order:"]
    lines += [f"  {i}. {cause}" for i, cause in enumerate(causes, 1)]
    lines.append("From outside these look alike: a KCP peer says nothing to a wrong key.")
    result = {"ok": False, "outcome": "silence", "tried": tried, "causes": causes}
    _tell(report, address, result, "\n".join(lines))
    return NO_ANSWER


def _names(tried):
    if len(tried) == 1:
        return f"crypt {tried[0]}"
    return f"{len(tried)} ways of encryption" + (
        f" ({', '.join(tried)})" if len(tried) < 4 else ""
    )


def _causes(sock, tried, key, try_all):
    wrong = [
        "Another crypt there: give the server's --crypt, or let --try go through them all.",
        "Another key there: compare --key (or KCP_KEY) on both sides, to the last space.",
    ]
    if try_all and key:
        wrong = wrong[1:]
    elif not key:
        wrong = ["The server encrypts, as kcptun does by default, and no --key was given here."]
    here = _is_this_machine(sock)
    gone = [
        "A firewall or a NAT on the way, or a cloud's rules, do not let UDP through to that port.",
        "The host is down, or the address is not its own.",
        "The port is wrong, and the host refuses nothing (a firewall drops the refusal).",
    ]
    other = [
        "Another program than a KCP server has that port.",
        "The server is full: its accept backlog, or its limit of sessions.",
    ]
    return wrong + other if here else wrong + gone + other


def _is_this_machine(sock):
    """Here a port where nothing listens is always refused, so something does."""
    host = sock.getpeername()[0].partition("%")[0]
    return ipaddress.ip_address(host).is_loopback or host == sock.getsockname()[0]


# -- somebody there ------------------------------------------------------------------------------


def _answers(report, address, wire, is_asked_for, echo_s):
    from .examine import Examination  # (it is the slow part that only this case needs)

    found = Examination(wire)
    found.run()
    ratio, sends_fec = wire.ratio, wire.n_fec > 0
    is_back = None
    if echo_s:
        is_back, sends_fec, ratio = asyncio.run(ratio_of(address, wire.config, echo_s))
    flags = _suggestion(found)
    result = {
        "ok": is_asked_for,
        "outcome": "answers" if is_asked_for else "other crypt",
        "crypt": wire.crypt,
        "rtt_ms": _round(found.trips_ms and min(found.trips_ms)),
        "rtt_median_ms": _round(found.trips_ms and statistics.median(found.trips_ms)),
        "rtt_max_ms": _round(found.trips_ms and max(found.trips_ms)),
        "jitter_ms": _round(found.jitter_ms),
        "tick_ms": _round(found.late_ms),
        "probes": found.n_sent,
        "answered": found.n_answered,
        "loss_pct": found.loss_pct,
        "largest_bytes": found.largest_bytes,
        "largest_back_bytes": wire.largest_bytes,
        "long_answers_lost": found.bursts_lost,
        "fec": list(ratio) if ratio else None,
        "sends_fec": sends_fec,
        "echoes": is_back,
        "window": wire.wnd,
        "suggested": flags,
    }
    _tell(report, address, result, "\n".join(_words(address, result)))
    return OK if is_asked_for else OTHER_CRYPT


def _round(ms):
    return round(ms, 1) if isinstance(ms, (int, float)) else None


def _words(address, found):
    """The result as lines for a person."""
    yield (
        f"{address} answers to crypt {found['crypt']}."
        if found["ok"]
        else f"{address} answers to crypt {found['crypt']}, which is not the one you gave: "
        f"use --crypt {found['crypt']}."
    )
    if found["rtt_ms"] is None:
        yield "  round trip  not measured: too few answers came"
    else:
        yield (f"  round trip  {found['rtt_ms']} ms at least, {found['rtt_median_ms']} ms mostly, "
               f"{found['rtt_max_ms']} ms at most; jitter {found['jitter_ms']} ms; the peer waits "
               f"up to {found['tick_ms']:.0f} ms before it answers")  # fmt: skip
    lost = found["probes"] - found["answered"]
    yield f"  losses      {lost} of {found['probes']} probes unanswered ({found['loss_pct']} %)"
    yield f"  datagrams   {_sizes(found)}"
    yield f"  FEC         {_fec(found)}"
    yield f"  window      the peer takes {found['window']} packets at a time"
    if found["suggested"]:
        yield f"  suggested   {found['suggested']}"


def _sizes(found):
    if found["largest_bytes"] is None:
        return "not even the smallest got there a second time"
    if found["largest_bytes"] == probes.LARGEST_BYTES:
        there = f"all sizes get there, up to KCP's limit of {probes.LARGEST_BYTES} bytes"
    else:
        there = f"up to {found['largest_bytes']} bytes get there: --mtu must not be more"
    if found["long_answers_lost"]:
        return (
            f"{there}; the peer's long ones do not come back: its --mtu is too large for the way"
        )
    return f"{there}; the longest that came back had {found['largest_back_bytes']}"


def _fec(found):
    if found["fec"]:
        data, parity = found["fec"]
        return f"the peer sends {parity} parity packets for every {data} (it reads any ratio)"
    if found["sends_fec"]:
        return "the peer sends FEC; too few packets came in a row to tell its ratio"
    if found["echoes"] is None:
        return ("none with the peer's acknowledgements; a kcp-go peer sends none at all then, one "
                "of this library has it on data only (--echo shows it)")  # fmt: skip
    return "the peer sends none" if found["echoes"] else "not known: the peer does not echo"


def _suggestion(found):
    """Flags that fit the path; "" if too little is known."""
    from kcp._presets import PRESETS

    if not found.trips_ms or found.largest_bytes is None:
        return ""
    rtt_ms = min(found.trips_ms)
    preset = next((name for name, most_ms in _NEAR_MS if rtt_ms < most_ms), "satellite")
    if preset == "lan" and found.loss_pct >= _FEC_FROM_PCT:
        preset = "wifi"
    flags = f"--preset {preset}"
    if found.largest_bytes < PRESETS[preset]["mtu"]:
        flags += f" --mtu {found.largest_bytes}"
    if found.loss_pct >= _FEC_FROM_PCT and "fec" not in PRESETS[preset]:
        flags += " --datashard 10 --parityshard 3"
    return flags


def _tell(report, address, result, text):
    report.result({"address": str(address), **result}, text)
