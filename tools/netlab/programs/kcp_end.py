"""One end of a measurement with this library, on both runtimes; kcppeer has the same for kcp-go.

    kcp_end.py sink HOST PORT BYTES OPTIONS   a server: after BYTES answers with their SHA-256
    kcp_end.py echo HOST PORT 0 OPTIONS       a server: sends everything back
    kcp_end.py send HOST PORT BYTES OPTIONS   to a sink, until its answer
    kcp_end.py ping HOST PORT CxMxB OPTIONS   C clients, one more each 5 ms, send M messages of B
                                              bytes to an echo server, each when the last is back

OPTIONS: JSON for kcp.Config; "passphrase" becomes the key as kcptun makes it. The last line of a
client is JSON with what it came to, or with "error". A sink tells four times a second how much
has come.
"""

import asyncio
import hashlib
import json
import sys
import time

import kcp

CHUNK_BYTES = 16384
PROGRESS_MS = 250
STAGGER_MS = 5


def report(**fields):
    """Print a line of JSON."""
    print(json.dumps(fields))


class Sink:
    """A server's callback that swallows."""

    def __init__(self, n_bytes):
        self.n_bytes = n_bytes
        self.n_received = 0

    async def serve(self, reader, writer):
        """One session: to its end, or to n_bytes and their digest."""
        digest, left, buf = hashlib.sha256(), self.n_bytes, bytearray(CHUNK_BYTES)
        view = memoryview(buf)
        try:
            while left > 0:
                n = await reader.readinto(buf)
                digest.update(view[:n])
                left -= n
                self.n_received += n
            writer.write(digest.digest())
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            report(event="gone", error=str(error))

    async def tell(self):
        """Say how much has come, for ever."""
        told = -1
        while True:
            if told != self.n_received:
                told = self.n_received
                report(event="progress", bytes=told)
            await asyncio.sleep(PROGRESS_MS / 1000)


async def echo(reader, writer):
    """A server's callback that sends back."""
    try:
        while True:
            data = await reader.read(CHUNK_BYTES)
            if not data:
                return
            writer.write(data)
            await writer.drain()
    except OSError as error:
        report(event="gone", error=str(error))
    finally:
        writer.close()


async def serve(kind, host, port, n_bytes, options):
    sink = Sink(n_bytes)
    await kcp.start_server(sink.serve if kind == "sink" else echo, host, port, **options)
    report(event="listening", host=host, port=port)
    await sink.tell()  # who started this process ends it


async def send(host, port, n_bytes, options):
    """Send to a sink; the outcome."""
    reader, writer = await kcp.open_connection(host, port, **options)
    digest, chunk, left = hashlib.sha256(), bytes(range(256)) * (CHUNK_BYTES // 256), n_bytes
    begin_ns = time.time_ns()
    stats = writer.get_extra_info("session").stats
    outcome = {"event": "sent", "bytes": n_bytes}
    try:
        while left > 0:
            part = chunk if left >= CHUNK_BYTES else chunk[:left]
            digest.update(part)
            await writer.send(part)
            left -= len(part)
        outcome["ok"] = await reader.readexactly(32) == digest.digest()
    except (OSError, EOFError) as error:
        outcome.update({"ok": False, "error": str(error), "left": left})
    outcome["seconds"] = (time.time_ns() - begin_ns) / 1e9
    outcome["snmp"] = stats.as_dict()
    writer.close()
    if outcome["ok"]:
        await writer.wait_closed()
    return outcome


async def client(number, host, port, n_messages, n_bytes, options, rtts_us):
    """One client of ping()."""
    await asyncio.sleep(number * STAGGER_MS / 1000)
    reader, writer = await kcp.open_connection(host, port, **options)
    message = bytes([number & 255]) * n_bytes
    for _ in range(n_messages):
        begin_ns = time.time_ns()
        writer.write(message)
        await writer.drain()
        if await reader.readexactly(n_bytes) != message:
            raise ValueError("something else came back")
        rtts_us.append((time.time_ns() - begin_ns) // 1000)
    writer.close(0)


async def ping(host, port, what, options):
    """Messages there and back; the outcome, times in ms."""
    n_clients, n_messages, n_bytes = [int(n) for n in what.split("x")]
    rtts_us = []
    _, writer = await kcp.open_connection(host, port, **options)
    writer.close(0)  # now all modules are loaded, which would hold up the first clients
    begin_ns = time.time_ns()
    outcome = {"event": "pinged", "ok": True}
    try:
        await asyncio.gather(
            *[
                client(i, host, port, n_messages, n_bytes, options, rtts_us)
                for i in range(n_clients)
            ]
        )
    except (OSError, EOFError) as error:
        outcome.update({"ok": False, "error": str(error)})
    outcome["seconds"] = (time.time_ns() - begin_ns) / 1e9
    rtts_us.sort()
    n = len(rtts_us)
    outcome["echoed"] = n
    if n:
        outcome["mean_ms"] = sum(rtts_us) / n / 1000
        outcome["p50_ms"] = rtts_us[n // 2] / 1000
        outcome["p99_ms"] = rtts_us[n * 99 // 100] / 1000
        outcome["max_ms"] = rtts_us[-1] / 1000
    return outcome


def read_options(text):
    options = json.loads(text)
    if "fec" in options:
        options["fec"] = tuple(options["fec"]) if options["fec"] != "auto" else "auto"
    if "passphrase" in options:
        options["key"] = kcp.derive_key(options.pop("passphrase"))
    return options


async def main(kind, host, port, what, options):
    if kind in ("sink", "echo"):
        await serve(kind, host, port, int(what), options)
    elif kind == "send":
        outcome = await send(host, port, int(what), options)
    else:
        outcome = await ping(host, port, what, options)
    report(**outcome)
    return 0 if outcome["ok"] else 1


if __name__ == "__main__":
    _, kind, host, port, what, options = sys.argv
    sys.exit(asyncio.run(main(kind, host, int(port), what, read_options(options))))
