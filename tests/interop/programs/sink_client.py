"""Sends bytes to a sink as fast as they go; on both runtimes.

    sink_client.py HOST PORT BYTES OPTIONS      OPTIONS: JSON, see options.py

Prints one line of JSON with the speed, from the first write to the server's digest (MB = 10**6
bytes); exit code 1 if the digest is wrong.
"""

import asyncio
import hashlib
import json
import sys
import time

from options import read

import kcp

CHUNK_BYTES = 65536


async def main(host, port, n_bytes, options):
    _, stream = await kcp.open_connection(host, port, **options)
    digest, chunk, left = hashlib.sha256(), bytes(range(256)) * (CHUNK_BYTES // 256), n_bytes
    begin_ns = time.time_ns()
    while left > 0:
        part = chunk if left >= CHUNK_BYTES else chunk[:left]
        digest.update(part)
        await stream.send(part)
        left -= len(part)
    ok = await stream.readexactly(32) == digest.digest()
    seconds = (time.time_ns() - begin_ns) / 1e9
    outcome = {"ok": ok, "bytes": n_bytes, "seconds": seconds}
    outcome["mb_per_s"] = n_bytes / seconds / 1e6
    outcome["retrans"] = stream.get_extra_info("session").stats.RetransSegs
    stream.close()
    await stream.wait_closed()
    print(json.dumps(outcome))
    return 0 if ok else 1


if __name__ == "__main__":
    _, host, port, n_bytes, options = sys.argv
    sys.exit(asyncio.run(main(host, int(port), int(n_bytes), read(options))))
