"""Uses the options of a session that change at run time against an echo server; both runtimes.

    options_client.py HOST PORT SCENARIO OPTIONS      OPTIONS: JSON, see options.py

Prints one line of JSON: what the scenario's function below returns.
"""

import asyncio
import hashlib
import json
import socket
import sys

from options import read

import kcp
from kcp._clock import ticks_diff, ticks_ms

BYTES = 200_000


def content(n_bytes, seed):
    """n_bytes of pseudo-random bytes."""
    block = hashlib.sha256(str(seed).encode()).digest()
    data = bytearray()
    while len(data) < n_bytes:
        data += block
        block = hashlib.sha256(block).digest()
    return bytes(data[:n_bytes])


async def echo(stream, data):
    """Send data and take it back; True if it came back as it was."""
    sending = asyncio.create_task(stream.send(data))
    back = await asyncio.wait_for(stream.readexactly(len(data)), 40)
    await sending
    return back == data


async def changes(host, port, options):
    """The mtu, the windows and the mode change in the midst of a transfer."""
    stream, _ = await kcp.open_connection(host, port, **options)
    data = content(BYTES, 1)
    reading = asyncio.create_task(stream.readexactly(len(data)))
    steps = (
        {"mtu": 500},
        {"mtu": 1500, "sndwnd": 8},
        {"mode": "fast3", "rcvwnd": 16},
        {"mtu": 90, "acknodelay": True},
        {"mtu": 1400, "sndwnd": 128, "stream": False},
        {"interval": 20, "nc": 0, "write_delay": True},
        {"mtu": 1200, "stream": True, "nc": 1, "rcvwnd": 128},
    )
    piece = len(data) // (len(steps) + 1) + 1
    for i in range(len(steps) + 1):
        stream.write(data[i * piece : (i + 1) * piece])
        if i < len(steps):
            stream.set(**steps[i])
        await stream.drain()
    ok = await asyncio.wait_for(reading, 40) == data
    await stream.aclose()
    return {"ok": ok}


async def rate(host, port, options):
    """A limited rate: how long it took, and how many bytes went out."""
    stream, _ = await kcp.open_connection(host, port, **options)
    stream.set(rate_limit=200_000)
    begin_ms = ticks_ms()
    ok = await echo(stream, content(BYTES, 2))
    took_ms = ticks_diff(ticks_ms(), begin_ms)
    n_out = stream.session.stats.OutBytes
    resent = stream.session.stats.RetransSegs
    await stream.aclose()
    return {"ok": ok, "took_ms": took_ms, "out_bytes": n_out, "resent": resent}


async def dup(host, port, options):
    """Every datagram three times."""
    stream, _ = await kcp.open_connection(host, port, **options)
    stream.set(dup=2)
    ok = await echo(stream, content(BYTES, 3))
    stats = stream.session.stats.as_dict()
    await stream.aclose()
    return {"ok": ok, "stats": stats}


async def own_socket(host, port, options):
    """Three sessions, one after the other, of different conversations on one socket."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    oks = []
    for conv in (1, 0x80000000, 0xFFFFFFFF):
        stream, _ = await kcp.open_connection(host, port, sock=sock, conv=conv, **options)
        oks.append(await echo(stream, content(30_000, conv)))
        await stream.aclose()
    sock.close()
    return {"ok": oks == [True] * 3}


async def deadlines(host, port, options):
    """A read deadline passes while nothing comes; the session goes on behind it."""
    stream, _ = await kcp.open_connection(host, port, **options)
    stream.set_read_deadline(100)
    n_timeouts = 0
    try:
        await stream.read(10)
    except asyncio.TimeoutError:
        n_timeouts += 1
    stream.set_deadline(30_000)
    ok = await echo(stream, content(50_000, 5))
    stream.writelines([b"one,", bytearray(b"two,"), memoryview(b"three")])
    ok = ok and await stream.readexactly(13) == b"one,two,three"
    await stream.aclose()
    return {"ok": ok and n_timeouts == 1}


async def mark(host, port, options):
    """Send something with the DSCP that the options ask for, and with another one."""
    stream, _ = await kcp.open_connection(host, port, **options)
    stream.write(b"first")
    await asyncio.sleep(0.1)
    stream.set(dscp=10)
    stream.write(b"second")
    await asyncio.sleep(0.1)
    stream.close(0)
    return {"ok": True}


SCENARIOS = {
    "changes": changes,
    "rate": rate,
    "dup": dup,
    "own_socket": own_socket,
    "deadlines": deadlines,
    "mark": mark,
}

if __name__ == "__main__":
    _, host, port, scenario, options = sys.argv
    print(json.dumps(asyncio.run(SCENARIOS[scenario](host, int(port), read(options)))))
