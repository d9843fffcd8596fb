"""--stats and `kcp stat`: counters as a table, with a short explanation of each."""

import asyncio
import contextlib
import inspect
import re
import sys
import time

import click

from .report import in_words, table

_REFRESH_S = 0.5
_MORE = "docs/counters.md explains them at length."


def explanations():
    """{counter: a few words}: what kcp.stats says beside each name."""
    from kcp import stats

    try:
        source = inspect.getsource(stats)
    except OSError:  # installed without sources
        source = ""
    found = dict(re.findall(r'^    "(\w+)",  # (.*)$', source, re.MULTILINE))
    return {name: found.get(name, "") for name in stats.NAMES}


def rows(now, before, seconds):
    """Table rows (counter, value, per second, meaning) of two {name: count}, seconds apart;
    counters that are 0 are left out."""
    meanings = explanations()
    found = []
    for name, count in now.items():
        if count:
            change = (count - before.get(name, 0)) / seconds if seconds > 0 else 0
            found.append((name, f"{count:,}", f"{change:,.0f}", meanings.get(name, "")))
    return found


HEADS = ("counter", "value", "per second", "meaning")


def lines(now, before, seconds):
    """The same as lines of text."""
    cells = [(name, meaning, value, rate) for name, value, rate, meaning in
             rows(now, before, seconds)]  # fmt: skip
    heads = (HEADS[0], HEADS[3], HEADS[1], HEADS[2])
    return table(heads, cells, left=2)


class View:
    """The process's counters on stderr: on a terminal while the verb runs, and at its end."""

    def __init__(self, report):
        from kcp import stats

        self.title = ""  # what the verb says of its progress
        self._stats = stats
        self._report = report
        self._live = None
        self._start_s = self._last_s = time.monotonic()
        self._last = {}
        if report.is_live:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._live.start()

    def note(self, text):
        """A line above the table."""
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(text, err=True)

    @contextlib.contextmanager
    def out_of_the_way(self):
        """Something else is written to the terminal."""
        if self._live is None:
            yield
            return
        self._live.stop()
        yield
        self._live.start()

    async def refresh(self):
        """Draw again and again."""
        while self._live is not None:
            self._draw()
            await asyncio.sleep(_REFRESH_S)

    def _draw(self):
        now, now_s = self._stats.total().as_dict(), time.monotonic()
        found = rows(now, self._last, now_s - self._last_s)
        self._last, self._last_s = now, now_s
        self._live.update(_rich_table(self._heading(), found), refresh=True)

    def _heading(self):
        session = self._report.session
        if session is None:
            return self.title
        gauges = (f"RTT {in_words(session.rtt_ms)}, RTO {session.rto_ms} ms, "
                  f"{session.unacked_bytes:,} bytes unacknowledged")  # fmt: skip
        return f"{self.title}\n{gauges}" if self.title else gauges

    def close(self):
        """Stop, and leave the sums of all on stderr."""
        if self._live is not None:
            self._live.stop()
        now = self._stats.total().as_dict()
        for line in lines(now, {}, time.monotonic() - self._start_s):
            click.echo(line, err=True)


def _rich_table(title, found):
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title) if title else None, title_justify="left", box=None)
    for name, side in zip(HEADS, ("left", "right", "right", "left")):
        drawn.add_column(name, justify=side, no_wrap=name != "meaning")
    for row in found:
        drawn.add_row(*row)
    return drawn


async def watched(report, coroutine):
    """Await a verb's coroutine while its counters are shown."""
    report.view = View(report)
    refresh = asyncio.ensure_future(report.view.refresh())
    try:
        return await coroutine
    finally:
        refresh.cancel()
        report.view.close()
        report.view = None


@click.command(short_help="Explain counters, and show those of a log.")
@click.argument("log", type=click.Path(exists=True, dir_okay=False), required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows, until Ctrl-C.")
def stat(log, follow):
    """Explain the counters; with LOG show those of another program, and what they change by.

    LOG is what kcptun writes with --snmplog, or a program with kcp.stats.csv_row(): a line of
    names and then one line per period. The counters of a 'kcp' command itself: its --stats.
    """
    if log is None:
        click.echo("\n".join(table(("counter", "meaning"), explanations().items(), left=2)))
        click.echo(_MORE, err=True)
        return
    _follow(log) if follow else _show(*_read(log))


def _read(path):
    """The last two rows of a log as [(time, {name: count})]."""
    names, found = None, []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            cells = line.rstrip("\n").split(",")
            if cells[0] == "Unix":
                names = cells[1:]
            elif names and len(cells) == len(names) + 1 and line.endswith("\n"):
                try:
                    numbers = [int(cell) for cell in cells]
                except ValueError:
                    continue
                found = [*found[-1:], (numbers[0], dict(zip(names, numbers[1:])))]
    if not found:
        raise click.ClickException(
            f"{path} holds no counters: it should begin with a line of names, the first of them "
            "Unix."
        )
    return found if len(found) == 2 else [(found[0][0], {}), *found]


def _show(before, now):
    seconds = now[0] - before[0]
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now[0]))
    click.echo(f"{when}, rates over {seconds} s before" if seconds else when)
    click.echo("\n".join(lines(now[1], before[1], seconds)))


def _follow(path):
    last = None
    while True:
        try:
            before, now = _read(path)
        except click.ClickException:
            if last is None:
                raise
            now = last  # the log begins anew, and is empty at this moment
        if now != last:
            if sys.stdout.isatty():
                click.clear()
            _show(before, now)
            last = now
        time.sleep(_REFRESH_S)
