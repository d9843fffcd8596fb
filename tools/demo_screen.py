"""What tools/demo.py shows: bars on a terminal, plain lines elsewhere, a table at the end."""

import contextlib

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

_PLAIN_WIDTH = 120
_STEPS = 4  # plain lines per leg


class Screen:
    """Shows the demo on a text stream, which may be a terminal."""

    def __init__(self, file):
        is_terminal = file.isatty()
        self.console = Console(file=file, width=None if is_terminal else _PLAIN_WIDTH)
        self._is_live = self.console.is_terminal

    def begin(self, demo):
        """Say what comes."""
        self.console.print(
            f"{demo.n_bytes:,} bytes through a relay on loopback that loses {demo.loss:.0%} "
            f"of the datagrams and delays them by {demo.delay_ms:g} ms, each way"
            f" (seed {demo.seed}); aes-128, FEC 10/3",
            highlight=False,
        )

    @contextlib.contextmanager
    def leg(self, title, total_bytes):
        """Show one leg; yields a function that takes the bytes done."""
        if not self._is_live:
            yield self._plain_steps(title, total_bytes)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, TransferSpeedColumn(), console=self.console) as bars:
            bar = bars.add_task(title, total=total_bytes)
            yield lambda done_bytes: bars.update(bar, completed=done_bytes)

    def _plain_steps(self, title, total_bytes):
        shown = 0

        def progress(done_bytes):
            nonlocal shown
            step = _STEPS * done_bytes // (total_bytes or 1)
            if step > shown:
                shown = step
                self.console.print(f"{title}: {done_bytes / total_bytes:.0%}", highlight=False)

        return progress

    def table(self, rows):
        """The result of each leg."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        table.add_column("leg", no_wrap=True)
        for name in ("bytes", "sha256", "seconds", "RTT ms", "resent", "recovered"):
            table.add_column(name, no_wrap=True, justify="right")
        for row in rows:
            verdict = "[green]ok[/]" if row["sha256_ok"] else "[red]DIFFERS[/]"
            figures = (f"{row['bytes']:,}", verdict, f"{row['seconds']:.2f}", str(row["rtt_ms"]))
            counts = (str(row["retransmitted"]), str(row["recovered"]))
            table.add_row(row["leg"], *figures, *counts)
        self.console.print(table)
        for row in rows:
            ways = [row["relay"][way] for way in ("up", "down")]
            lost, total = (sum(way[name] for way in ways) for name in ("lost", "received"))
            text = (
                f"{row['leg']}: the relay lost {lost} of {total} datagrams, "
                f"FEC recovered {row['recovered']}"
            )
            self.console.print(text, highlight=False)
