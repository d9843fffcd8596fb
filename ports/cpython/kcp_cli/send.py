"""`kcp send`: one file to a `kcp recv`, verified by its hash."""

import asyncio
import hashlib
import os
import stat

import click

from . import files
from .address import PEER
from .errors import OK, Failure
from .options import Verb, kcp_flags, make_config, output_flags, stats_flag, timeout_flag
from .report import Report, describe, figures
from .runner import Closing, Deadline, connect, run

_CHANGED = "The file was changed while it was sent: send it again."


@click.command(cls=Verb, short_help="Send a file to 'kcp recv'.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True))
@click.argument("address", type=PEER, metavar="HOST:PORT")
@click.option("--name", help="Name to give the file at the receiver (default: its own).")
@timeout_flag(10, "Give up when the receiver is silent for so long.")
@kcp_flags
@stats_flag
@output_flags
def send(file, address, name, timeout_s, stats, as_json, quiet, **flags):
    """Send FILE to a 'kcp recv' that listens at HOST:PORT.

    If a transfer was cut off, the same command goes on where it was, provided that the receiver
    has kept its part and FILE has not changed. Both compare the SHA-256 of the whole file.
    """
    config = make_config(flags, dead_ms=int(timeout_s * 1000))
    report = Report("send", as_json, quiet, stats=stats)
    name = os.path.basename(file) if name is None else name
    with open(file, "rb") as source:
        return run(report, _send(report, source, name, address, config, timeout_s))


async def _send(report, source, name, address, config, timeout_s):
    status = os.fstat(source.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise Failure(f"{source.name} is no regular file: for a pipe or a device use 'kcp cat'.")
    reader, writer = await connect(address, config, timeout_s)
    report.session = writer.get_extra_info("session")
    async with Closing(writer):
        sending = _Sending(report, reader, writer, timeout_s)
        result = await sending.run(source, name, status.st_size)
    result = {"ok": True, "peer": str(address), "name": name, **result}
    summary = f"sent {name} to {address}: {describe(result)}\nsha256 {result['sha256']} verified"
    report.result(result, summary)
    return OK


class _Sending:
    """The sender's side of the protocol of files.py."""

    def __init__(self, report, reader, writer, timeout_s):
        self.report = report
        self.reader = reader
        self.writer = writer
        self.timeout_s = timeout_s

    async def run(self, source, name, size):
        """Send it; returns the result's figures and hash. Failure if it was not accepted."""
        self._state = _state(source)
        digest = await self._agree(source, name, size)
        offset = source.tell()
        with self.report.progress(name, size) as progress:
            digest, answer = await self._body_and_answer(source, size, progress.update, digest)
            result = figures(self.writer, size - offset, progress.seconds())
        if digest is None:
            raise Failure(_CHANGED)
        files.check_answer(answer, "ok")
        if answer.get("sha256") != digest or answer.get("bytes") != size:
            raise Failure("The receiver's SHA-256 differs: it has not got what was sent.")
        return {**result, "bytes": size, "sha256": digest, "resumed_at": offset}

    async def _agree(self, source, name, size):
        """Offer the file and find out where to go on: there the file stands afterwards. Returns
        the SHA-256 object of what lies before."""
        with self._answer_in_time(files.hash_time_s(size)):
            header = {"kcp": files.PROTOCOL, "name": name, "size": size, "resume": True}
            await files.write_line(self.writer, **header)
            answer = await files.read_line(self.reader, "kcp recv")
        n_bytes = files.check_part(answer, size)
        digest = await files.hash_part(source, n_bytes) if n_bytes else None
        if n_bytes:
            is_same = digest is not None and answer.get("sha256") == digest.hexdigest()
            if not is_same:
                self.report.note("the receiver has a part of another file: beginning anew")
                digest = None
            with self._answer_in_time():
                await files.write_line(self.writer, **{"from": n_bytes if is_same else 0})
                answer = await files.read_line(self.reader, "kcp recv")
        files.check_answer(answer, "go")
        if digest is None:
            source.seek(0)
            return hashlib.sha256()
        return digest

    def _answer_in_time(self, more_s=0):
        session = self.writer.get_extra_info("session")
        message = "The receiver stopped answering: is it 'kcp recv' that listens there?"
        # What is on its way may be slow: the library judges that, by its own deadline.
        return Deadline(self.timeout_s + more_s, message, lambda: session.unacked_bytes > 0)

    async def _send(self, source, size, update, digest):
        """Send the body and the hash, or that it is worth nothing; returns the hash as hex, or
        None."""
        await files.send_body(self.writer, source, size, update, digest)
        if _state(source) != self._state:
            await files.write_line(self.writer, error=_CHANGED)
            return None
        await files.write_line(self.writer, sha256=digest.hexdigest())
        return digest.hexdigest()

    async def _body_and_answer(self, source, size, update, digest):
        """Send the body while listening, since a receiver in trouble answers early."""
        body = asyncio.ensure_future(self._send(source, size, update, digest))
        answer = asyncio.ensure_future(files.read_line(self.reader, "kcp recv"))
        try:
            await asyncio.wait({body, answer}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and not body.done():
                files.check_answer(answer.result(), "ok")
                raise Failure("The receiver answered before it had the whole file.")
            digest = body.result()
            with self._answer_in_time():
                return digest, await answer
        finally:
            body.cancel()
            answer.cancel()
            await asyncio.gather(body, answer, return_exceptions=True)


def _state(source):
    """What is not the same any more when somebody has written to the file."""
    status = os.fstat(source.fileno())
    return status.st_size, status.st_mtime_ns
