"""echo_client.py with a clock that runs over its end, 2**30 ms, shortly after the start."""

import asyncio
import sys

from echo_client import main
from options import read

import kcp._clock as clock

WRAP_MS = 150  # after the start
PERIOD_MS = 1 << 30

real_ms = clock.ticks_ms
shift_ms = PERIOD_MS - WRAP_MS - real_ms()
# Before anything else of the library is loaded: the other modules take the name from there.
clock.ticks_ms = lambda: (real_ms() + shift_ms) % PERIOD_MS

if __name__ == "__main__":
    _, host, port, n_bytes, seed, options = sys.argv
    begin_ms = clock.ticks_ms()
    code = asyncio.run(main(host, int(port), int(n_bytes), int(seed), read(options)))
    if clock.ticks_ms() > begin_ms:
        raise RuntimeError("the transfer ended before the clock did")
    sys.exit(code)
