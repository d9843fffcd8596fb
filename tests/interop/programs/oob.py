"""Out-of-band packets of many sizes, beside a stream; on both runtimes.

    oob.py client HOST PORT SECONDS STEP BYTES OPTIONS      OPTIONS: JSON, see options.py
    oob.py server HOST PORT SECONDS OPTIONS

The server gives every session back what it sends, packets and stream, and tells its listener's
counters whenever they have changed. The client sends packets of
0, STEP, 2 * STEP, ... bytes and of the largest size, again and again until each has come back, and
meanwhile echoes BYTES of stream. It prints one line of JSON; exit code 1 if something was altered
or has not come back after SECONDS.
"""

import asyncio
import json
import sys
import time

from echo_client import receive, send
from options import read

import kcp

BURST = 16  # packets after which the other end gets time to answer


def content(n):
    """What a packet of n bytes holds (as kcppeer's)."""
    return bytes((i + n) & 0xFF for i in range(n))


class Echo:
    """Counts what comes back."""

    def __init__(self, stream, step):
        self.stream = stream
        self.max_bytes = stream.get_extra_info("session").max_oob_bytes
        self.left = set(range(0, self.max_bytes, step))
        self.left.add(self.max_bytes)
        self.n_sizes = len(self.left)
        self.n_sent = self.n_back = self.n_bad = 0
        stream.set_oob_handler(self.take)

    def take(self, packet):
        self.n_back += 1
        if packet != content(len(packet)):
            self.n_bad += 1
        self.left.discard(len(packet))

    async def run(self, seconds):
        begin_s = time.time()
        while self.left:
            if time.time() - begin_s > seconds:
                raise OSError("%d sizes never came back" % len(self.left))
            for i, n in enumerate(sorted(self.left)):
                self.n_sent += self.stream.send_oob(content(n))
                if i % BURST == BURST - 1:
                    await asyncio.sleep(0.002)
            await asyncio.sleep(0.05)


async def echo_stream(stream, n_bytes):
    """Send n_bytes, read them back; True if they are the same."""
    sent, back = await asyncio.gather(send(stream, n_bytes, 1), receive(stream, n_bytes))
    return sent == back


async def client(host, port, seconds, step, n_bytes, options):
    stream, _ = await kcp.open_connection(host, port, **options)
    echo = Echo(stream, step)
    _, same = await asyncio.gather(echo.run(seconds), echo_stream(stream, n_bytes))
    ok = same and echo.n_bad == 0
    outcome = {"ok": ok, "oob_max": echo.max_bytes, "sizes": echo.n_sizes, "sent": echo.n_sent}
    outcome.update(back=echo.n_back, bad=echo.n_bad)
    outcome["stats"] = stream.get_extra_info("session").stats.as_dict()
    stream.close()
    await stream.wait_closed()
    print(json.dumps(outcome))
    return 0 if ok else 1


async def serve(stream, _):
    stream.set_oob_handler(stream.send_oob)
    try:
        while True:
            data = await stream.read(8192)
            if not data:
                return
            stream.write(data)
            await stream.drain()
    except OSError as error:  # the peer has gone
        print(json.dumps({"event": "gone", "error": str(error)}))


async def server(host, port, seconds, options):
    server_ = await kcp.start_server(serve, host, port, **options)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    end_s, said = time.time() + seconds, None
    while time.time() < end_s:
        await asyncio.sleep(0.1)
        stats = server_.stats().as_dict()
        if stats != said:
            print(json.dumps({"event": "listener", "stats": stats}))
            said = stats
    server_.close()


if __name__ == "__main__":
    _, end, host, port, *words, options = sys.argv
    seconds = float(words[0])
    if end == "client":
        job = client(host, int(port), seconds, int(words[1]), int(words[2]), read(options))
    else:
        job = server(host, int(port), seconds, read(options))
    sys.exit(asyncio.run(job))
