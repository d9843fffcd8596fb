"""`kcp sim`: settings tried on a simulated link, as a table and as a chart."""

import click

from . import chart, simulate
from .errors import OK
from .options import FecType, Verb, config_flags, output_flags
from .report import Report, table

_LINK_NAMES = {
    "delay": "delay_ms",
    "jitter": "jitter_ms",
    "loss": "loss_pct",
    "rate": "rate_kbps",
    "queue": "queue",
}
_SWITCHES = {"on": True, "off": False}
_DEFAULT_S = 5  # of the link's rate
_DEFAULT_BYTES = (1 << 21, 10 << 20)  # on a link without a rate, and at most


def _show_links(ctx, _param, wanted):
    if wanted and not ctx.resilient_parsing:
        from kcp_sim import profiles

        rows = [(name, words) for name, (words, _) in profiles.links().items()]
        click.echo("\n".join(table(("link", "what it does"), rows, left=2)))
        ctx.exit()


@click.command(cls=Verb, short_help="Try settings on a simulated link.")
@click.argument("link", metavar="LINK")
@click.option("--links", is_flag=True, is_eager=True, expose_value=False, callback=_show_links,
              help="List the links and exit.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE",
              help="Draw a chart to this .svg or .png (needs the extra 'charts').")  # fmt: skip
@click.option("--bytes", "n_bytes", type=click.IntRange(1, 1 << 30), metavar="N",
              help="Send so many bytes one way (default: about 5 s of the link).")  # fmt: skip
@click.option("--echo", "n_messages", type=click.IntRange(1, 1 << 20), metavar="N",
              help="Instead, send so many messages and have each sent back.")  # fmt: skip
@click.option("--size", type=click.IntRange(1, 4096), default=64, show_default=True,
              help="Bytes of such a message.")  # fmt: skip
@click.option("--period", type=click.IntRange(0), default=20, show_default=True, metavar="MS",
              help="Time between two; 0 = the next one when the last is back.")  # fmt: skip
@click.option("--delay", type=click.IntRange(0), metavar="MS", help="The link: delay each way.")
@click.option("--jitter", type=click.IntRange(0), metavar="MS", help="The link: greatest jitter.")
@click.option("--loss", type=click.IntRange(0, 99), metavar="%", help="The link: losses each way.")
@click.option("--rate", type=click.IntRange(0), metavar="KBPS",
              help="The link: kbit/s, 0 = endless.")  # fmt: skip
@click.option(
    "--queue", type=click.IntRange(0), metavar="N", help="The link: datagrams that wait."
)
@click.option("--vary", metavar="NAME=A,B,...",
              help="Run once for each of these values of a setting, or of the link's delay, "
              "jitter, loss, rate or queue: pacing=on,off or fec=off,10/3.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, (1 << 28) - 1), default=0, show_default=True,
              help="The same seed, the same run.")  # fmt: skip
@click.option("--title", help="The chart's title (default: the link and the load).")
@config_flags
@output_flags
def sim(link, output, vary, seed, title, as_json, quiet, **options):
    """Try settings on a simulated LINK: no network, and the same result every time.

    LINK is one of 'kcp sim --links', or a case of the test scenarios, as T05-w48, which brings its
    windows and load along. Those named like a preset (lan, wifi, lte, satellite ...) use
    that preset, unless --preset names another one. Time is simulated: a minute takes a second.

    \b
    kcp sim lte --vary mode=normal,fast3
    kcp sim quic --sndwnd 128 --rcvwnd 128 --vary pacing=on,off -o pacing.svg
    kcp sim far --loss 10 --echo 500 --vary fec=off,10/3,2/1 -o fec.png
    """
    report = Report("sim", as_json, quiet)
    study = Study(link, options, seed)
    if output:
        try:
            chart.check_path(output)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        chart.library()  # rather now than after the runs
    names, results = study.run(vary)
    if as_json:
        for name, (figures, _, _) in zip(names, results):
            report.result({"ok": True, "link": link, "run": name, "seed": seed, **figures}, "")
    elif not quiet:
        click.echo("\n".join(study.rows(names, results)))
        for name, (figures, _, _) in zip(names, results):
            if figures["advice"]:
                report.note(f"{name}: {figures['advice']}")
    if output:
        _draw(output, title or study.title, study, names, results)
        report.note(f"chart: {output}")
    return OK


def _draw(path, title, study, names, results):
    if study.is_echo:
        chart.echo(path, title, [(name, trips) for name, (_, _, trips) in zip(names, results)])
    else:
        runs = [(name, looks) for name, (_, looks, _) in zip(names, results)]
        chart.bulk(path, title, runs, study.link.get("rate_kbps", 0))


class Study:
    """The link, the load and the settings that the runs have in common."""

    def __init__(self, name, options, seed):
        from kcp_sim import profiles

        links = profiles.links()
        link, load, settings = profiles.case(name) or (name, None, {})
        if link not in links:
            raise click.UsageError(f"No link is called {name!r}; there are: {', '.join(links)}.")
        self.seed = seed
        self.link = dict(links[link][1])
        for flag, key in _LINK_NAMES.items():
            value = options.pop(flag)
            if value is not None:
                self.link[key] = value
        self.load = _load(options, self.link, load)
        self.is_echo = self.load["kind"] == "echo"
        self.case_settings = settings
        self.settings = {key: value for key, value in options.items() if value is not None}
        if name in profiles.PRESET_LINKS:
            self.settings.setdefault("preset", name)
        self.title = f"{name}: {profiles.in_words(self.link)}\n{_load_in_words(self.load)}"

    def run(self, vary):
        """Run once, or once for each value of `vary`; ([names], [results of simulate.run])."""
        if vary is None:
            return ["this"], [self._run_one({}, {})]
        name, equals, values = vary.partition("=")
        if not equals or not all(values.split(",")):
            raise click.UsageError("--vary is NAME=A,B,... as in pacing=on,off.")
        results = []
        for text in values.split(","):
            changed = {_LINK_NAMES.get(name, name): _value(name, text)}
            parts = (changed, {}) if name in _LINK_NAMES else ({}, changed)
            results.append(self._run_one(*parts))
        return [f"{name} {text}" for text in values.split(",")], results

    def _run_one(self, link, settings):
        from kcp.config import MODE_NAMES

        merged = {**self.settings, **settings}
        for key, value in self.case_settings.items():
            if not (key in MODE_NAMES and "mode" in merged):  # a mode goes before a case's parts
                merged.setdefault(key, value)
        try:
            return simulate.run({**self.link, **link}, self.load, merged, self.seed)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    def rows(self, names, results):
        """The lines of the table."""
        if self.is_echo:
            heads = ("run", "median ms", "95 %", "99 %", "longest", "wire", "lost", "sent again",
                     "repaired")  # fmt: skip
            keys = ("median_ms", "p95_ms", "p99_ms", "max_ms")
        else:
            heads = ("run", "seconds", "Mbit/s", "wire", "dropped", "lost", "sent again",
                     "repaired")  # fmt: skip
            keys = ("seconds", "mbit_per_s")
        keys += ("wire_per_byte",) if self.is_echo else ("wire_per_byte", "queue_drops")
        keys += ("lost", "retransmitted", "recovered")
        cells = [(name, *[_cell(found[0][key]) for key in keys]) for name, found in
                 zip(names, results)]  # fmt: skip
        return [*self.title.splitlines(), *table(heads, cells)]


def _cell(value):
    if isinstance(value, float):
        return f"{value:,.2f}" if value >= 0.1 else f"{value:.2g}"
    return str(value)


def _value(name, text):
    """A setting's value from its text: on, off, a number, a name; --fec's for fec."""
    if name == "fec":
        return FecType().convert(text, None, None)
    if text in _SWITCHES:
        return _SWITCHES[text]
    return int(text) if text.isdigit() else text


def _load(options, link, default):
    n_bytes, n_messages = options.pop("n_bytes"), options.pop("n_messages")
    size, period_ms = options.pop("size"), options.pop("period")
    if n_messages:
        if n_bytes:
            raise click.UsageError("Give --bytes or --echo, not both.")
        return {"kind": "echo", "count": n_messages, "size": size, "period_ms": period_ms}
    if n_bytes is None and default:
        return default
    if n_bytes is None:
        n_bytes = link.get("rate_kbps", 0) * 125 * _DEFAULT_S or _DEFAULT_BYTES[0]
        n_bytes = min(n_bytes, _DEFAULT_BYTES[1])
    return {"kind": "bulk", "bytes": n_bytes}


def _load_in_words(load):
    if load["kind"] == "bulk":
        return f"{load['bytes']:,} bytes one way"
    every = f"one every {load['period_ms']} ms" if load.get("period_ms") else "one after the other"
    return f"{load['count']:,} messages of {load['size']:,} bytes echoed, {every}"
