"""A congestion controller of one's own: additive increase, multiplicative decrease.

    python3 own_cc.py          (or: micropython own_cc.py)

TCP's classic rule, paced: one segment more per round trip, half of it after a loss. Prints how
large the window was at most, and that all bytes arrived. The controller is Python, so it selects
the session that is written in Python; docs/congestion.md lists what the hooks are told.
"""

import asyncio

import kcp
from kcp.cc import Controller

N_BYTES = 200000


class Aimd(Controller):
    largest = 0  # window of any session

    def __init__(self, arq):
        super().__init__(arq)
        self.cwnd = 10
        self.n_acked_bytes = 0
        self.held_until = 0  # one answer per round trip: until this segment is acknowledged

    def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
        self.n_acked_bytes += n_bytes
        if self.n_acked_bytes >= self.cwnd * arq.mss:
            self.n_acked_bytes = 0
            self.cwnd += 1
            Aimd.largest = max(Aimd.largest, self.cwnd)
        if arq.rx_srtt:
            self.rate = self.cwnd * arq.mss * 1250 // arq.rx_srtt  # a quarter more than it needs

    def on_loss(self, arq, now_ms, n_segs):
        if arq.snd_una >= self.held_until:
            self.held_until = arq.snd_nxt
            self.cwnd = max(self.cwnd // 2, 2)

    on_timeout = on_loss


async def drain(reader, writer):
    total = 0
    while total < N_BYTES:
        total += len(await reader.read(4096))
    writer.write(b"all here\n")
    await writer.drain()


async def main():
    async with await kcp.start_server(drain, "127.0.0.1", 4008):
        reader, writer = await kcp.open_connection("127.0.0.1", 4008, cc=Aimd)
        async with writer:
            for _ in range(N_BYTES // 1000):
                writer.write(bytes(1000))
                await writer.drain()
            print(await asyncio.wait_for(reader.readline(), 10))
    print("window grew:", Aimd.largest > 10)


asyncio.run(main())
