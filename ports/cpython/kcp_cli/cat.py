"""`kcp cat`: stdin and stdout, connected to a KCP session."""

import asyncio
import time

import click

from .address import LISTEN, PEER, peer_of
from .errors import OK, NoAnswer
from .options import Verb, kcp_flags, make_config, output_flags, stats_flag, timeout_flag
from .report import Report, describe, figures
from .runner import Closing, Deadline, Listening, connect, run
from .stdio import Input, Output, OutputClosed

_CHUNK_BYTES = 65536


@click.command(cls=Verb, short_help="Connect stdin and stdout to a session.")
@click.argument("address", metavar="ADDRESS")
@click.option("-l", "--listen", is_flag=True, help="Wait for one session instead of opening one.")
@click.option("-q", "--quit-after", "quit_s", type=click.FloatRange(0, 86400), default=3,
              show_default=True, metavar="SECONDS",
              help="After the end of stdin, quit when nothing arrives for so long.")  # fmt: skip
@timeout_flag(30, "Give up when the other end does not answer for so long.")
@kcp_flags
@stats_flag
@output_flags
def cat(address, listen, quit_s, timeout_s, stats, as_json, quiet, **flags):
    """Connect stdin and stdout to HOST:PORT, or with -l to the first who comes to [HOST:]PORT.

    KCP has no end-of-stream: the other end does not learn that stdin has ended. Results, also
    those of --json, go to stderr.
    """
    config = make_config(flags, dead_ms=int(timeout_s * 1000))
    address = (LISTEN if listen else PEER).convert(address, None, click.get_current_context())
    report = Report("cat", as_json, quiet, err=True, stats=stats)
    way = _listen if listen else _dial
    return run(report, way(report, address, config, timeout_s, quit_s))


async def _dial(report, address, config, timeout_s, quit_s):
    reader, writer = await connect(address, config, timeout_s)
    report.session = writer.get_extra_info("session")
    async with Closing(writer):
        await Pump(report, reader, writer, quit_s).run()
    return OK


async def _listen(report, address, config, _timeout_s, quit_s):
    """Serve the first session in this task, where signals arrive; later ones are closed."""
    first = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def serve(reader, writer):
        if not first.done():
            first.set_result((reader, writer))
            await ended.wait()

    async with Listening(report, serve, address, config):
        try:
            reader, writer = await first
            report.note(f"{peer_of(writer)}: session begins")
            async with Closing(writer):
                await Pump(report, reader, writer, quit_s).run()
        finally:
            ended.set()
    return OK


class Pump:
    """Copies stdin to the session and the session to stdout, both at once."""

    def __init__(self, report, reader, writer, quit_s):
        self.report = report
        self.reader = reader
        self.writer = writer
        self.quit_s = quit_s
        self.n_sent = self.n_received = 0
        self._deadline = None

    async def run(self):
        """Copy until stdin has ended and it is silent, or stdout is closed; reports the totals."""
        self._last_s = start_s = time.monotonic()
        up = asyncio.ensure_future(self._up())
        down = asyncio.ensure_future(self._down())
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if not down.done():
                up.result()
                await self._until_silent(down)
            else:
                down.result()
        except OutputClosed:  # whoever read our stdout has got enough, as `head` does
            pass
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        self._report(self._last_s - start_s)

    async def _until_silent(self, down):
        session = self.writer.get_extra_info("session")
        try:
            with Deadline(self.quit_s, "", lambda: session.unacked_bytes > 0) as self._deadline:
                await down
        except NoAnswer:
            pass

    async def _up(self):
        async for data in Input(0):
            self.writer.write(data)
            await self.writer.drain()
            self.n_sent += len(data)
            self._last_s = time.monotonic()

    async def _down(self):
        output = Output(1)
        try:
            while True:
                data = await self.reader.read(_CHUNK_BYTES)
                if not data:
                    return
                await output.write(data)
                self.n_received += len(data)
                self._last_s = time.monotonic()
                if self._deadline is not None:
                    self._deadline.touch()
        finally:
            output.close()

    def _report(self, seconds):
        result = figures(self.writer, self.n_sent + self.n_received, seconds)
        result.update(ok=True, bytes_sent=self.n_sent, bytes_received=self.n_received)
        summary = f"{self.n_sent:,} bytes sent, {self.n_received:,} received: {describe(result)}"
        self.report.result(result, summary)
