"""MicroPython: a carrier in the asyncio loop. Twin: `_carry_cpy`.

As in `_port_upy` one task receives and one serves. Where the carrier has nothing to wait on, the
receiving task sleeps in the loop's queue until on_ready() or for poll_ms.
"""

import time
from asyncio import core

from ._carry import send, take
from ._clock import ticks_ms
from ._port_upy import UdpPort

_DRAIN = 16  # datagrams taken from the carrier before a turn


class CarrierPort(UdpPort):
    """A carrier in the asyncio loop, for one `Endpoint`; release(carrier): called at the end."""

    has_raised = False

    def __init__(self, carrier, release):
        super().__init__(carrier, None, False, release)
        self.carrier = carrier
        self._is_asleep = False  # the receiving task
        self._is_told = False
        self._is_timed = False

    async def start(self, endpoint):
        """Begin to receive."""
        self.carrier.on_ready = self._told
        await super().start(endpoint)

    def close(self):
        """Stop, and give the carrier back."""
        if self._is_closed:
            return
        self._is_closed = True
        self.carrier.on_ready = None
        if self._receiver is not None:
            if self.carrier.poll_on is None:
                self._told()  # both tasks see that all is over
            elif self._receiver is not core.cur_task:
                self._receiver.cancel()
            self.wake()
        self._give_back(self.carrier)

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the only peer)."""
        return send(self, buf, n, key)

    def _told(self):
        """(The carrier's on_ready: perhaps from within another endpoint's turn.)"""
        self._is_told = True
        if self._is_asleep:
            self._is_asleep = False
            if self._is_timed:
                core._task_queue.remove(self._receiver)
            core._task_queue.push(self._receiver)
        elif self.carrier.poll_on is not None and self._endpoint.is_full:
            self.wake()

    # tasks

    async def _receive(self):
        """The task that waits for the carrier, or looks at it every poll_ms."""
        carrier = self.carrier
        while not self._is_closed:
            if self._is_told:
                core._task_queue.push(core.cur_task)
                yield
            elif carrier.poll_on is not None:
                yield core._io_queue.queue_read(carrier.poll_on)
            else:
                self._is_asleep = True
                self._is_timed = carrier.poll_ms > 0
                if self._is_timed:
                    at_ms = time.ticks_add(time.ticks_ms(), carrier.poll_ms)
                    core._task_queue.push(core.cur_task, at_ms)
                else:
                    core.cur_task.data = self
                yield
                self._is_asleep = False
            self._is_told = False
            if not self._is_closed:
                self._drain()

    def _drain(self):
        """Hand what has come to the endpoint, and have a turn."""
        endpoint = self._endpoint
        carrier = self.carrier
        rx = endpoint.rx
        now_ms = ticks_ms()
        left = _DRAIN
        while left:
            n = take(self, rx)
            if n <= 0:
                break
            left -= 1
            endpoint.input(n, carrier.key, now_ms)
        if not left:
            self._is_told = True  # there may be more
        if endpoint.is_full:
            endpoint.unblocked()
        wait_ms = endpoint.turn(now_ms)
        if endpoint.is_full:
            wait_ms = carrier.retry_ms
        if wait_ms >= 0 and not self._is_closed:
            self._run_at(time.ticks_add(time.ticks_ms(), wait_ms))

    async def _serve(self):
        """The task that has the turns: see `_port_upy`."""
        endpoint = self._endpoint
        while not self._is_closed:
            if endpoint.is_full:
                endpoint.unblocked()
            wait_ms = endpoint.turn(ticks_ms())
            if self._is_closed:
                return
            if endpoint.is_full:
                wait_ms = self.carrier.retry_ms
            self._is_parked = True
            if wait_ms >= 0:
                self._at_ms = time.ticks_add(time.ticks_ms(), wait_ms)
                core._task_queue.push(core.cur_task, self._at_ms)
            else:
                self._at_ms = None
                core.cur_task.data = self
            yield
            self._is_parked = False
