"""CPython: a carrier in an asyncio loop. Twin: `_carry_upy`."""

import asyncio
import threading

from ._carry import send, take
from ._clock import ticks_ms
from ._port_cpy import UdpPort

_DRAIN = 64  # datagrams taken from the carrier before a turn


class CarrierPort(UdpPort):
    """A carrier in an asyncio loop, for one `Endpoint`; release(carrier): called at the end."""

    has_raised = False

    def __init__(self, carrier, release):
        self.sock = self.carrier = carrier
        self.peer = self.sockname = None
        self._give_back = release
        self._endpoint = self._loop = self._timer = self._transport = None
        self._poll = self._retry = None  # timers
        self._is_soon = self._is_told = False
        self._timer_at = 0.0
        self._thread = 0

    async def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        carrier = self.carrier
        carrier.on_ready = self._told
        if carrier.poll_on is not None:
            self._loop.add_reader(carrier.poll_on, self._drain)
        self._look()

    def close(self):
        """Stop, and give the carrier back."""
        if self._loop is None and self._give_back is None:
            return
        for timer in (self._timer, self._poll, self._retry):
            if timer is not None:
                timer.cancel()
        carrier = self.carrier
        if self._loop is not None:
            if carrier.poll_on is not None:
                self._loop.remove_reader(carrier.poll_on)
            carrier.on_ready = None
        self._loop = None
        release, self._give_back = self._give_back, None
        release(carrier)

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the only peer)."""
        return send(self, buf, n, key)

    # callbacks of the loop

    def _told(self):
        """(The carrier's on_ready: perhaps from within another endpoint's turn, or a thread.)"""
        loop = self._loop
        if self._is_told or loop is None:
            return
        self._is_told = True
        if threading.get_ident() == self._thread:
            loop.call_soon(self._on_told)
        else:
            try:
                loop.call_soon_threadsafe(self._on_told)
            except RuntimeError:  # the loop is closed
                pass

    def _on_told(self):
        self._is_told = False
        self._drain()

    def _look(self):
        """Take what is there, now and every poll_ms."""
        self._drain()
        poll_ms = self.carrier.poll_ms
        if self._loop is not None and poll_ms and self.carrier.poll_on is None:
            self._poll = self._loop.call_later(poll_ms / 1000, self._look)

    def _drain(self):
        """Hand what has come to the endpoint, and have a turn."""
        if self._loop is None:
            return
        endpoint = self._endpoint
        carrier = self.carrier
        rx = endpoint.rx
        now_ms = ticks_ms()
        for _ in range(_DRAIN):
            n = take(self, rx)
            if n <= 0:
                break
            endpoint.input(n, carrier.key, now_ms)
        else:
            self._told()  # there may be more
        if endpoint.is_full:
            endpoint.unblocked()
        self._turn()

    def _turn(self):
        """Have a turn, and see to it that the next one comes when it is due."""
        if self._loop is None:
            return
        wait_ms = self._endpoint.turn(ticks_ms())
        loop = self._loop
        if loop is None:
            return
        if self._endpoint.is_full:
            if self._retry is None:
                self._retry = loop.call_later(self.carrier.retry_ms / 1000, self._on_retry)
        elif wait_ms == 0:
            self.wake()
        elif wait_ms > 0:
            self._arm(loop.time() + wait_ms / 1000)

    def _on_retry(self):
        self._retry = None
        self._drain()
