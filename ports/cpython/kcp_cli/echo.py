"""`kcp echo`: a server that sends back what it gets."""

import asyncio
import time

import click

from .address import LISTEN, peer_of
from .errors import OK, NoAnswer
from .options import Verb, kcp_flags, make_config, output_flags, stats_flag
from .report import Report
from .runner import Deadline, Listening, run

_CHUNK_BYTES = 65536


@click.command(cls=Verb, short_help="Send back whatever arrives.")
@click.option("-l", "--listen", type=LISTEN, default=":4000", show_default=True,
              help="Where to listen; port 0 takes a free one.")  # fmt: skip
@click.option("--max-sessions", type=click.IntRange(0), default=0, show_default=True,
              help="End after so many sessions; 0 = at Ctrl-C.")  # fmt: skip
@click.option("--once", is_flag=True, help="The same as --max-sessions 1.")
@click.option("--idle", "idle_s", type=click.FloatRange(0.1, 86400), default=60,
              show_default=True, metavar="SECONDS",
              help="Forget a session that is silent for so long; KCP has no end-of-stream."
              )  # fmt: skip
@kcp_flags
@stats_flag
@output_flags
def echo(listen, max_sessions, once, idle_s, stats, as_json, quiet, **flags):
    """Send back whatever arrives, to any number of clients."""
    config = make_config(flags)
    report = Report("echo", as_json, quiet, stats=stats)
    server = EchoServer(report, 1 if once else max_sessions, idle_s)
    return run(report, server.run(listen, config))


class EchoServer:
    """Echoes; counts sessions and bytes."""

    def __init__(self, report, max_sessions, idle_s):
        self.report = report
        self.max_sessions = max_sessions
        self.idle_s = idle_s
        self.n_begun = self.n_ended = self.n_bytes = 0

    async def run(self, listen, config):
        """Serve until max_sessions have ended, or for ever; always reports its totals."""
        self._all_done = asyncio.Event()
        start_s = time.monotonic()
        try:
            async with Listening(self.report, self.serve, listen, config):
                await self._all_done.wait()
        finally:
            totals = {"ok": True, "sessions": self.n_begun, "bytes": self.n_bytes}
            totals["seconds"] = round(time.monotonic() - start_s, 3)
            self.report.result(totals, f"{self.n_begun} sessions, {self.n_bytes:,} bytes echoed")
        return OK

    async def serve(self, reader, writer):
        """One session, until it is silent for idle_s or dies."""
        if self.max_sessions and self.n_begun >= self.max_sessions:
            return
        self.n_begun += 1
        begin_bytes = self.n_bytes
        self.report.note(f"{peer_of(writer)}: session begins")
        try:
            with Deadline(self.idle_s, "") as deadline:
                await self._echo(reader, writer, deadline)
        except (NoAnswer, OSError):
            pass
        finally:
            n_bytes = self.n_bytes - begin_bytes
            self.report.note(f"{peer_of(writer)}: session ends, {n_bytes:,} bytes echoed")
            self.n_ended += 1
            if self.n_ended == self.max_sessions:
                self._all_done.set()

    async def _echo(self, reader, writer, deadline):
        while True:
            data = await reader.read(_CHUNK_BYTES)
            if not data:
                return
            writer.write(data)
            await writer.drain()
            self.n_bytes += len(data)
            deadline.touch()
