"""An echo in two phases, between which the FEC ratio that we send with changes; on both runtimes.

    fec_phases.py client HOST PORT SECONDS BYTES OPTIONS      OPTIONS: JSON, see options.py; also
    fec_phases.py server HOST PORT SECONDS BYTES OPTIONS      "change": [data, parity]

BYTES are sent and echoed in each phase. Behind each a line of JSON tells the ratio that was found
in the peer's packets, and the counters. The client's exit code is 1 if a byte was altered.
"""

import asyncio
import json
import os
import sys

if '"change"' in sys.argv[-1] and hasattr(os, "environ"):
    os.environ["KCP_BACKEND"] = "python"  # whose encoder can be another one

from echo_client import receive, send
from options import read

import kcp
from kcp.fec import Encoder

GAP = 512  # seqids left out at a change


def change(session, ratio):
    """Go on with another ratio, from a multiple of its sum on."""
    n = sum(ratio)
    seqid = (session._encoder.seqid + GAP) // n * n
    session._encoder = Encoder(ratio[0], ratio[1], session.arq.mtu + 2, seqid)


def ratio_of(session):
    """What the peer's packets are taken to have, also where that may be doubted again."""
    if hasattr(session, "_decoder"):
        decoder = session._decoder
        return (decoder.data, decoder.parity) if decoder else (0, 0)
    return session._doubted_ratio


def ended(stream, number, ratio):
    """Report a phase, and change the ratio behind the first."""
    session = stream.get_extra_info("session")
    found = ratio_of(session)
    said = {"event": "phase", "number": number, "ratio": found, "snmp": session.stats.as_dict()}
    print(json.dumps(said))
    if number == 1 and ratio:
        change(session, ratio)


async def client(host, port, seconds, n_bytes, ratio, options):
    stream, _ = await kcp.open_connection(host, port, **options)
    good = True
    for number in (1, 2):
        both = asyncio.gather(send(stream, n_bytes, number), receive(stream, n_bytes))
        sent, back = await asyncio.wait_for(both, seconds)
        good &= sent == back
        ended(stream, number, ratio)
    stream.close()
    await stream.wait_closed()
    return 0 if good else 1


def echo(n_bytes, ratio):
    async def serve(stream, _):
        for number in (1, 2):
            left = n_bytes
            while left:
                data = await stream.read(min(left, 8192))
                stream.write(data)
                await stream.drain()
                left -= len(data)
            ended(stream, number, ratio)

    return serve


async def server(host, port, seconds, n_bytes, ratio, options):
    await kcp.start_server(echo(n_bytes, ratio), host, port, **options)
    print(json.dumps({"event": "listening", "host": host, "port": port}))
    await asyncio.sleep(seconds)


if __name__ == "__main__":
    _, end, host, port, seconds, n_bytes, options = sys.argv
    options = read(options)
    ratio = options.pop("change", None)
    main = client if end == "client" else server
    job = main(host, int(port), float(seconds), int(n_bytes), ratio, options)
    sys.exit(asyncio.run(job))
