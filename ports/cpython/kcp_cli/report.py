"""What the user, or the user's script, gets to see.

stdout: one summary for a person, or with --json one JSON object per result. stderr: notes, errors,
and on a terminal a progress bar. --quiet leaves errors and JSON.
"""

import json
import sys
import time

import click


class Report:
    """The output of one verb; `err` sends results to stderr (for `cat`, whose stdout is data)."""

    def __init__(self, verb, as_json, quiet, err=False, stats=False):
        self.verb = verb
        self.as_json = as_json
        self.quiet = quiet
        self.stats = stats  # --stats: show counters
        self.session = None  # the one whose round trip they go with
        self.view = None  # a counters.View while they are shown
        self._err = err
        self._bars = None
        self._has_result = False

    def note(self, text):
        """Tell a person something on the way (stderr)."""
        if self.quiet:
            return
        if self.view is not None:
            self.view.note(text)
        elif self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(text, err=True)

    def problem(self, text):
        """Tell of something that went wrong but does not end the program (stderr, always)."""
        self._say(click.secho, f"kcp {self.verb}: {text}", fg="red", err=True)

    def _say(self, print_, text, **how):
        if self.view is None:
            print_(text, **how)
        else:
            with self.view.out_of_the_way():
                print_(text, **how)

    def result(self, result, summary):
        """One result: `summary` for a person, the dict `result` for a script."""
        self._has_result = True
        if self.as_json:
            self._say(click.echo, json.dumps({"verb": self.verb, **result}), err=self._err)
        elif not self.quiet:
            self._say(click.echo, summary, err=self._err)

    def failed(self, message):
        """The verb ends with this error; main() prints the sentence, this is for scripts."""
        if self.as_json and not self._has_result:
            self.result({"ok": False, "error": message}, "")

    def progress(self, label, total_bytes):
        """A Progress to be used as a context manager; shown on a terminal only."""
        return Progress(self, label, total_bytes)

    def live(self):
        """A Line to be used as a context manager: a text that changes, on a terminal."""
        return Line(self)

    @property
    def is_live(self):
        """Is there a person who looks on?"""
        return not self.quiet and sys.stderr.isatty()

    def _open_bar(self, label, total_bytes):
        if not self.is_live or self.view is not None:
            return None
        if self._bars is None:
            self._bars = _make_bars()
            self._bars.start()
        return self._bars.add_task(label, total=total_bytes)

    def _close_bar(self, bar):
        self._bars.remove_task(bar)
        if not self._bars.tasks:
            self._bars.stop()
            self._bars = None


class Line:
    """A line on a terminal that says how it goes; elsewhere nothing (is_shown False)."""

    def __init__(self, report):
        self.is_shown = report.is_live
        self._view = report.view
        self._live = None

    def __enter__(self):
        if self.is_shown and self._view is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True)
            self._live.start()
        return self

    def __exit__(self, *_exc):
        if self._live is not None:
            self._live.stop()

    def show(self, text):
        """Replace what the line says."""
        if self._live is not None:
            self._live.update(text, refresh=True)
        elif self._view is not None:
            self._view.title = text


class Progress:
    """The progress of one transfer: times it, and draws its bar."""

    def __init__(self, report, label, total_bytes):
        self._report = report
        self._label = label
        self._total_bytes = total_bytes

    def __enter__(self):
        self._start_s = time.monotonic()
        self._bar = self._report._open_bar(self._label, self._total_bytes)
        return self

    def __exit__(self, *_exc):
        if self._bar is not None:
            self._report._close_bar(self._bar)

    def update(self, done_bytes):
        """So many bytes are done."""
        if self._bar is not None:
            self._report._bars.update(self._bar, completed=done_bytes)

    def seconds(self):
        """Time since it began."""
        return time.monotonic() - self._start_s


def _make_bars():
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def figures(stream, n_bytes, seconds):
    """What a result says about its transfer, as a dict fit for JSON.

    bytes, seconds, mb_per_s (10**6 bytes), rtt_ms (smoothed, 0 = less than 1; None: not measured),
    retransmitted (segments), counters (those of kcp-go's names that are not 0).
    """
    session = stream.get_extra_info("session")
    counters = session.stats.as_dict()
    return {
        "bytes": n_bytes,
        "seconds": round(seconds, 3),
        "mb_per_s": round(n_bytes / 1e6 / seconds, 3) if seconds else None,
        "rtt_ms": rtt_ms(session),
        "retransmitted": counters["RetransSegs"],
        "counters": {name: count for name, count in counters.items() if count},
    }


def rtt_ms(session):
    """The smoothed round trip, which is 0 where it is less than 1 ms; None: nothing was measured,
    because nothing of ours was acknowledged."""
    is_measured = session.rtt_ms or session.stats.BytesSent > session.unacked_bytes
    return session.rtt_ms if is_measured else None


def in_words(ms):
    """A measured time for a person."""
    return f"{ms} ms" if ms else "under 1 ms"


def describe(result):
    """The figures of a result in words."""
    rtt = f", RTT {in_words(result['rtt_ms'])}" if result["rtt_ms"] is not None else ""
    speed = f", {result['mb_per_s']:.2f} MB/s" if result["mb_per_s"] else ""
    again = f" from byte {result['resumed_at']:,} on" if result.get("resumed_at") else ""
    return (
        f"{result['bytes']:,} bytes{again} in {result['seconds']:.2f} s{speed}{rtt}, "
        f"{result['retransmitted']} segments sent again"
    )


def table(heads, rows, left=1):
    """Lines of text: the columns aligned, the first `left` of them to the left."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]

    def line(row):
        fitted = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ]
        return "  ".join(fitted).rstrip()

    return [line(row) for row in cells]
