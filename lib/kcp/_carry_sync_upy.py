"""MicroPython: a carrier in the blocking API. Twin: `_carry_sync_cpy`.

A step of the blocking port looks at every carrier, and does not sleep beyond its poll_ms.
"""

from ._carry import send, take
from ._clock import ticks_ms
from ._sync_port_upy import SyncPort, enlist, wake_up

_DRAIN = 16  # datagrams taken from the carrier before a turn


class CarrierPort(SyncPort):
    """A carrier for one `Endpoint`; release(carrier): called at the end."""

    has_raised = False

    def __init__(self, carrier, release):
        super().__init__(carrier, None, False, release)
        self.carrier = carrier
        self._pollable = carrier.poll_on

    def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        enlist(self, self._pollable)
        self.carrier.on_ready = wake_up

    def close(self):
        """Stop, and give the carrier back."""
        if not self._is_closed:
            self.carrier.on_ready = None
            super().close()

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the only peer)."""
        return send(self, buf, n, key)

    def serve(self):
        """Take what is there and have a turn; return how many ms until the next one."""
        self.is_inside = True
        self._is_soon = False
        endpoint = self._endpoint
        carrier = self.carrier
        has_more = self._drain()
        if endpoint.is_full:
            endpoint.unblocked()
        wait_ms = endpoint.turn(ticks_ms())
        self.is_inside = False
        if has_more:
            return 0
        if endpoint.is_full:
            wait_ms = _sooner(wait_ms, carrier.retry_ms)
        if self._pollable is None and carrier.poll_ms:
            wait_ms = _sooner(wait_ms, carrier.poll_ms)
        return wait_ms

    def receive(self, flags):
        """The carrier has something: serve() takes it, at the end of this step."""
        self.is_inside = True
        self._drain()
        self.is_inside = False

    def _drain(self):
        """Take what is there; True: there may be more."""
        endpoint = self._endpoint
        carrier = self.carrier
        rx = endpoint.rx
        left = _DRAIN
        now_ms = ticks_ms()
        while left:
            n = take(self, rx)
            if n <= 0:
                return False
            left -= 1
            endpoint.input(n, carrier.key, now_ms)
        return True


def _sooner(wait_ms, other_ms):
    return other_ms if wait_ms < 0 or other_ms < wait_ms else wait_ms
