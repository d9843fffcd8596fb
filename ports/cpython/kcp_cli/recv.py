"""`kcp recv`: waits for `kcp send` and stores what arrives, verified by its hash."""

import asyncio
import hashlib
import os
import shutil

import click

from . import files
from .address import LISTEN, peer_of
from .errors import OK, Failure
from .incoming import Incoming
from .options import Verb, kcp_flags, make_config, output_flags, stats_flag, timeout_flag
from .parts import tidy
from .report import Report, describe, figures
from .runner import Deadline, Listening, explain, run

_LINGER_MS = 3000  # how long the last line may be repeated; the file is in its place before it


@click.command(cls=Verb, short_help="Receive files from 'kcp send'.")
@click.option("-l", "--listen", type=LISTEN, default=":4000", show_default=True,
              help="Where to listen; port 0 takes a free one.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(), default=".",
              help="File or folder to store to (default: this folder).")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.option("--resume/--no-resume", default=True, show_default=True,
              help="Keep the part of a file that was cut off, and go on with it the next time."
              )  # fmt: skip
@click.option("--max-sessions", type=click.IntRange(0), default=1, show_default=True,
              help="End after so many files; 0 = at Ctrl-C.")  # fmt: skip
@timeout_flag(10, "Give a sender up when it is silent for so long.")
@kcp_flags
@stats_flag
@output_flags
def recv(listen, output, force, resume, max_sessions, timeout_s, stats, as_json, quiet, **flags):
    """Receive files from 'kcp send', by default one.

    A file gets its name when it is complete and its SHA-256 is right. What a transfer that was cut
    off leaves is in '.kcp-….part'; the next 'kcp send' of the same file goes on there. At most 16
    of these stay, for 7 days, and together no more than is free on the disk (but always the
    newest).
    """
    config = make_config(flags, dead_ms=int(timeout_s * 1000), linger_ms=_LINGER_MS)
    report = Report("recv", as_json, quiet, stats=stats)
    store = Store(output, force, resume)
    return run(report, Receiver(report, store, timeout_s, max_sessions).run(listen, config))


class Store:
    """Where received files go: a folder, under the sender's names, or one file."""

    def __init__(self, output, force, resume):
        is_folder = os.path.isdir(output) or output.endswith(("/", os.sep))
        self.folder = output if is_folder else os.path.dirname(output) or "."
        self._path = None if is_folder else output
        self._force = force
        self._resume = resume
        if not os.path.isdir(self.folder):
            raise click.UsageError(f"The folder {self.folder!r} does not exist.")

    def open(self, name, size, resume):
        """An Incoming for a file that a sender offers, which can `resume` or not; Failure if it
        cannot be had."""
        free = shutil.disk_usage(self.folder).free
        if size > free:
            raise Failure(f"The file has {size:,} bytes and the receiver's disk {free:,} free.")
        path = self._path or os.path.join(self.folder, files.check_name(name))
        return Incoming(path, size, self._force, resume and self._resume)


class Receiver:
    """Serves senders, several at a time if they come so.

    A session counts once it has sent a header line; what knows no better than to send something
    else is turned away and not counted.
    """

    def __init__(self, report, store, timeout_s, max_sessions):
        self.report = report
        self.store = store
        self.timeout_s = timeout_s
        self.max_sessions = max_sessions
        self._n_begun = 0
        self._n_ended = 0
        self._exit_code = OK

    async def run(self, listen, config):
        """Receive until max_sessions have ended; the exit code of the first that failed, or 0."""
        self._all_done = asyncio.Event()
        self._tidy()
        async with Listening(self.report, self.serve, listen, config):
            await self._all_done.wait()
        return self._exit_code

    async def serve(self, reader, writer):
        """One session, to its end; what goes wrong is reported and told to the sender."""
        peer = peer_of(writer)
        try:
            name, size, resume = await self._header(reader)
        except (Failure, OSError) as error:
            await self._turn_away(writer, peer, error)
            return
        if self.max_sessions and self._n_begun >= self.max_sessions:
            await self._turn_away(writer, peer, Failure("This receiver takes no more files."))
            return
        self._n_begun += 1
        try:
            await self._receive(reader, writer, peer, name, size, resume)
        except (Failure, OSError) as error:
            failure = await self._turn_away(writer, peer, error)
            self._exit_code = self._exit_code or failure.exit_code
            self.report.result({"ok": False, "peer": peer, "error": failure.message}, "")
        finally:
            self._n_ended += 1
            if self._n_ended == self.max_sessions:
                self._all_done.set()

    def _deadline(self, more_s=0):
        seconds = self.timeout_s + more_s
        return Deadline(seconds, f"The sender was silent for {seconds:g} s.")

    async def _header(self, reader):
        with self._deadline():
            return files.check_header(await files.read_line(reader, "kcp send"))

    async def _receive(self, reader, writer, peer, name, size, resume):
        incoming = self.store.open(name, size, resume)
        try:
            with incoming:
                await self._take(reader, writer, peer, name, size, incoming)
        finally:
            if incoming.kept_bytes:
                self.report.note(
                    f"{incoming.path}: {incoming.kept_bytes:,} of {size:,} bytes are kept; the "
                    "next 'kcp send' of this file goes on there"
                )
                self._tidy()

    def _tidy(self):
        """Remove what is too much of what was cut off."""
        n_removed = tidy(self.store.folder)
        if n_removed:
            what = "part" if n_removed == 1 else "parts"
            self.report.note(f"removed {n_removed} older {what} of files that were cut off")

    async def _take(self, reader, writer, peer, name, size, incoming):
        digest, offset = await self._agree(reader, writer, incoming)
        with self._deadline() as deadline:
            await files.write_line(writer, go=True)
            with self.report.progress(files.printable(name), size) as progress:

                def update(done_bytes):
                    deadline.touch()
                    progress.update(done_bytes)

                digest = await files.receive_body(reader, incoming.file, size, update, digest)
                seconds = progress.seconds()
            incoming.commit()
            await files.write_line(writer, ok=True, bytes=size, sha256=digest)
        result = {"ok": True, "peer": peer, "name": name, "path": incoming.path}
        result.update(figures(writer, size - offset, seconds), bytes=size, sha256=digest)
        result["resumed_at"] = offset
        what = f"received {incoming.path} from {peer}: {describe(result)}"
        self.report.result(result, f"{what}\nsha256 {digest} verified")

    async def _agree(self, reader, writer, incoming):
        """Where to go on: (SHA-256 object of what is there before, offset)."""
        if not incoming.part_bytes:
            return hashlib.sha256(), 0
        digest = await files.hash_part(incoming.file, incoming.part_bytes)
        with self._deadline(files.hash_time_s(incoming.part_bytes)):
            part = {"part": incoming.part_bytes, "sha256": digest.hexdigest()}
            await files.write_line(writer, **part)
            line = await files.read_line(reader, "kcp send")
        offset = files.check_from(line, incoming.part_bytes)
        incoming.start(offset)
        return digest if offset else hashlib.sha256(), offset

    async def _turn_away(self, writer, peer, error):
        """Report an error and tell the other end, if it still listens; returns the Failure."""
        failure = explain(error) if isinstance(error, OSError) else error
        self.report.problem(f"{peer}: {failure.message}")
        try:
            await files.write_line(writer, error=failure.message)
        except OSError:
            pass
        return failure
