"""`kcp bench --echo`: how long messages take to an echo server and back."""

import asyncio
import time

from .errors import Failure
from .report import figures
from .runner import Deadline

_NUMBER_BYTES = 8
_LINE_S = 0.5


class Echoes:
    """Sends a message every `period_ms` (0: when the last one is back) for `seconds` and times
    what comes back, which must be the same bytes. Any echo server will do, kcp-go's too."""

    def __init__(self, report, seconds, size, period_ms, timeout_s):
        self.report = report
        self.seconds = seconds
        self.size = size
        self.period_ms = period_ms
        self.timeout_s = timeout_s
        self._sent_s = []
        self._trips_ms = []
        self._is_over = False

    async def run(self, reader, writer):
        """Returns (figures fit for JSON, the same in words). Failure if an echo is wrong, or if
        none comes for timeout_s."""
        self._back = asyncio.Event()
        message = f"No echo came for {self.timeout_s:g} s: is it an echo server?"
        with Deadline(self.timeout_s, message) as deadline:
            receive = asyncio.ensure_future(self._receive(reader, deadline))
            send = asyncio.ensure_future(self._send(writer))
            watch = asyncio.ensure_future(self._watch())
            try:
                await asyncio.wait({send, receive}, return_when=asyncio.FIRST_COMPLETED)
                if receive.done():
                    receive.result()
                await send
                if not self._are_all_back():
                    await receive
            finally:
                for task in (receive, send, watch):
                    task.cancel()
                await asyncio.gather(receive, send, watch, return_exceptions=True)
        return self._result(writer)

    def _message(self, i):
        """Message number i: the number, and bytes that follow from it."""
        return i.to_bytes(_NUMBER_BYTES, "little") + bytes([i & 255]) * (self.size - _NUMBER_BYTES)

    async def _send(self, writer):
        start_s = time.monotonic()
        while time.monotonic() - start_s < self.seconds:
            i = len(self._sent_s)
            self._back.clear()
            self._sent_s.append(time.monotonic())
            writer.write(self._message(i))
            await writer.drain()
            if not self.period_ms:
                await self._back.wait()
                continue
            due_s = start_s + (i + 1) * self.period_ms / 1000
            await asyncio.sleep(max(0, due_s - time.monotonic()))
        self._is_over = True

    async def _receive(self, reader, deadline):
        data = b""
        while not (self._is_over and self._are_all_back()):
            data = self._take(data + await reader.read(65536))
            deadline.touch()

    def _are_all_back(self):
        return len(self._trips_ms) == len(self._sent_s)

    def _take(self, data):
        now_s = time.monotonic()
        while len(data) >= self.size:
            i = len(self._trips_ms)
            if i == len(self._sent_s) or data[: self.size] != self._message(i):
                raise Failure("What came back is not what was sent: it is no echo server.")
            self._trips_ms.append(1000 * (now_s - self._sent_s[i]))
            data = data[self.size :]
            self._back.set()
        return data

    async def _watch(self):
        """Tell how it goes, twice a second, on a terminal."""
        with self.report.live() as live:
            n = 0
            while live.is_shown:
                await asyncio.sleep(_LINE_S)
                new = sorted(self._trips_ms[n:])
                n = len(self._trips_ms)
                if new:
                    live.show(f"{n:,} back   median {new[len(new) // 2]:.1f} ms   longest "
                              f"{new[-1]:.1f} ms in the last {_LINE_S} s")  # fmt: skip

    def _result(self, writer):
        trips = sorted(self._trips_ms)
        if not trips:
            raise Failure("No message was sent in that time.")
        result = {"way": "echo", "messages": len(trips), "size": self.size}
        places = (("min", 0), ("median", 50), ("p95", 95), ("p99", 99))
        for name, pct in places:
            result[f"{name}_ms"] = round(trips[len(trips) * pct // 100], 2)
        result["max_ms"] = round(trips[-1], 2)
        more = figures(writer, 0, 0)
        for name in ("rtt_ms", "retransmitted", "counters"):
            result[name] = more[name]
        summary = (
            f"{len(trips):,} messages of {self.size:,} bytes echoed: at least {result['min_ms']} "
            f"ms, median {result['median_ms']}, 95 % {result['p95_ms']}, 99 % {result['p99_ms']}, "
            f"longest {result['max_ms']} ms; {result['retransmitted']:,} segments sent again"
        )
        return result, summary
