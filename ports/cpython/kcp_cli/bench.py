"""`kcp bench`: how fast a path is, and how long a message takes. Its server side too."""

import asyncio

import click

from . import blocks, files
from .address import LISTEN, PEER, peer_of
from .echoing import Echoes
from .errors import OK, Failure
from .options import Verb, kcp_flags, make_config, output_flags, stats_flag, timeout_flag
from .report import Report, figures, in_words
from .runner import Closing, Deadline, Listening, connect, explain, run

_LINE_S = 0.5


@click.command(cls=Verb, short_help="Measure throughput, or how long messages take.")
@click.argument("address", metavar="HOST:PORT", required=False)
@click.option("-s", "--server", is_flag=True,
              help="Be the server, at [HOST:]PORT (default: 4000), until Ctrl-C.")  # fmt: skip
@click.option("--up", "way", flag_value="up", default="up", help="Send to the server (default).")
@click.option("--down", "way", flag_value="down", help="Let the server send.")
@click.option("--both", "way", flag_value="both", help="Both at once.")
@click.option("--echo", "way", flag_value="echo",
              help="Time messages that any echo server sends back, as 'kcp echo'.")  # fmt: skip
@click.option("-t", "--time", "seconds", type=click.FloatRange(0.1, blocks.MAX_S), default=10,
              show_default=True, metavar="SECONDS", help="How long.")  # fmt: skip
@click.option("--size", type=click.IntRange(8, 65536), default=64, show_default=True,
              help="Bytes of a message (--echo).")  # fmt: skip
@click.option("--period", type=click.IntRange(0, 60000), default=20, show_default=True,
              metavar="MS", help="Time between two messages; 0 = when the last is back (--echo)."
              )  # fmt: skip
@click.option("--max-sessions", type=click.IntRange(0), default=0, show_default=True,
              help="End the server after so many sessions; 0 = at Ctrl-C.")  # fmt: skip
@timeout_flag(10, "Give up when the other end does not answer for so long.")
@kcp_flags
@stats_flag
@output_flags
def bench(address, server, way, seconds, size, period, max_sessions, timeout_s, stats, as_json,
          quiet, **flags):  # fmt: skip
    """Measure throughput to a 'kcp bench --server' at HOST:PORT, or with --echo the time that
    messages take to an echo server and back.

    \b
    kcp bench --server                 on one machine
    kcp bench HOST:4000 --both         on the other
    kcp bench HOST:4000 --echo         against 'kcp echo', or an echo server of kcp-go
    """
    config = make_config(flags, dead_ms=int(timeout_s * 1000))
    report = Report("bench", as_json, quiet, stats=stats)
    if server:
        where = LISTEN.convert(address or ":4000", None, click.get_current_context())
        return run(report, Server(report, timeout_s, max_sessions).run(where, config))
    if address is None:
        raise click.UsageError("Which server? Give its HOST:PORT, or be one with --server.")
    where = PEER.convert(address, None, click.get_current_context())
    if way == "echo":
        client = Echoes(report, seconds, size, period, timeout_s)
    else:
        client = Client(report, way, seconds, timeout_s)
    return run(report, _connected(report, client, where, config, timeout_s))


async def _connected(report, client, where, config, timeout_s):
    reader, writer = await connect(where, config, timeout_s)
    report.session = writer.get_extra_info("session")
    async with Closing(writer):
        result, summary = await client.run(reader, writer)
    report.result({"ok": True, "peer": str(where), **result}, summary)
    return OK


class Client:
    """Sends, receives or both for some seconds, and asks the server what it has got."""

    def __init__(self, report, way, seconds, timeout_s):
        self.report = report
        self.way = way
        self.seconds = seconds
        self.timeout_s = timeout_s

    async def run(self, reader, writer):
        """Returns (figures fit for JSON, the same in words)."""
        with self._deadline():
            request = {"kcp": blocks.PROTOCOL, "way": self.way, "seconds": self.seconds}
            await files.write_line(writer, **request)
            blocks.check_go(await files.read_line(reader, "kcp bench --server"))
        self._sent, self._got = blocks.Count(), blocks.Count()
        watch = asyncio.ensure_future(self._watch(writer))
        send = asyncio.ensure_future(
            blocks.send_blocks(writer, self.seconds, self._sent, self.way != "down")
        )
        try:
            there = await self._receive(reader, writer)
            await send
        finally:
            watch.cancel()
            send.cancel()
            await asyncio.gather(watch, send, return_exceptions=True)
        return self._result(writer, there)

    def _deadline(self, alive=None):
        return Deadline(self.timeout_s, "The server stopped answering.", alive)

    async def _receive(self, reader, writer):
        session = writer.get_extra_info("session")
        # What is on its way may be slow: the library judges that, by dead_ms.
        with self._deadline(lambda: session.unacked_bytes > 0) as deadline:
            await blocks.receive_blocks(reader, self._got, deadline.touch)
            return await files.read_line(reader, "kcp bench --server")

    async def _watch(self, writer):
        """Tell how it goes, twice a second, on a terminal."""
        session = writer.get_extra_info("session")
        with self.report.live() as live:
            before = [0, 0]
            while live.is_shown:
                await asyncio.sleep(_LINE_S)
                now = [self._sent.n_bytes - session.unacked_bytes, self._got.n_bytes]
                rates = [max(0, b - a) / _LINE_S / 1e6 for a, b in zip(before, now)]
                before = now
                live.show(
                    f"up {rates[0]:8.2f} MB/s   down {rates[1]:8.2f} MB/s   RTT "
                    f"{in_words(session.rtt_ms)}   sent again {session.stats.RetransSegs:,}"
                )

    def _result(self, writer, there):
        n_bytes, seconds = there.get("bytes"), there.get("seconds")
        if not isinstance(n_bytes, int) or not isinstance(seconds, (int, float)):
            raise Failure("The server's result cannot be read.")
        result = {"way": self.way}
        lines = []
        if self.way != "down":
            result["up"] = _rate(n_bytes, seconds)
            lines.append(_rate_in_words("up", result["up"]))
        if self.way != "up":
            result["down"] = _rate(self._got.n_bytes, self._got.seconds)
            lines.append(_rate_in_words("down", result["down"]))
        more = figures(writer, 0, 0)
        for name in ("rtt_ms", "retransmitted", "counters"):
            result[name] = more[name]
        if result["rtt_ms"] is not None:
            n = result["retransmitted"]
            lines.append(f"RTT {in_words(result['rtt_ms'])}; {n:,} segments sent again from here")
        return result, "\n".join(lines)


def _rate(n_bytes, seconds):
    mb_per_s = round(n_bytes / 1e6 / seconds, 3) if seconds else None
    return {"bytes": n_bytes, "seconds": round(seconds, 3), "mb_per_s": mb_per_s}


def _rate_in_words(name, rate):
    mbits = f"{rate['mb_per_s'] * 8:,.1f} Mbit/s" if rate["mb_per_s"] else "nothing"
    return (f"{name:<5} {rate['bytes']:,} bytes in {rate['seconds']:.2f} s: "
            f"{rate['mb_per_s'] or 0:.2f} MB/s, {mbits}")  # fmt: skip


class Server:
    """Serves any number of clients, at the same time if they come so."""

    def __init__(self, report, timeout_s, max_sessions):
        self.report = report
        self.timeout_s = timeout_s
        self.max_sessions = max_sessions
        self._n_begun = self._n_ended = 0

    async def run(self, where, config):
        """Serve until max_sessions have ended, or for ever."""
        self._all_done = asyncio.Event()
        async with Listening(self.report, self.serve, where, config):
            await self._all_done.wait()
        return OK

    async def serve(self, reader, writer):
        """One session, to its end."""
        if self.max_sessions and self._n_begun >= self.max_sessions:
            return
        self._n_begun += 1
        peer = peer_of(writer)
        try:
            await self._measure(reader, writer, peer)
        except (Failure, OSError) as error:
            failure = explain(error) if isinstance(error, OSError) else error
            self.report.problem(f"{peer}: {failure.message}")
            try:
                await files.write_line(writer, error=failure.message)
            except OSError:
                pass
        finally:
            self._n_ended += 1
            if self._n_ended == self.max_sessions:
                self._all_done.set()

    async def _measure(self, reader, writer, peer):
        session = writer.get_extra_info("session")
        message = f"The client was silent for {self.timeout_s:g} s."
        with Deadline(self.timeout_s, message, lambda: session.unacked_bytes > 0) as deadline:
            line = await files.read_line(reader, "kcp bench")
            way, seconds = blocks.check_request(line)
            await files.write_line(writer, go=True)
            got, sent = blocks.Count(), blocks.Count()
            begun = asyncio.Event()

            def touch():
                deadline.touch()
                begun.set()

            async def answer():
                await begun.wait()
                await blocks.send_blocks(writer, seconds, sent, way != "up")

            send = asyncio.ensure_future(answer())
            try:
                await blocks.receive_blocks(reader, got, touch)
                await send
            finally:
                send.cancel()
                await asyncio.gather(send, return_exceptions=True)
            await files.write_line(writer, bytes=got.n_bytes, seconds=got.seconds)
        result = {"ok": True, "peer": peer, "way": way, "received": got.n_bytes}
        result["sent"] = sent.n_bytes
        summary = f"{peer}: {way}, {got.n_bytes:,} bytes received, {sent.n_bytes:,} sent"
        self.report.result(result, summary)
