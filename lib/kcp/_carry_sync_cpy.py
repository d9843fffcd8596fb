"""CPython: a carrier in the blocking API. Twin: `_carry_sync_upy`."""

from ._carry import send, take
from ._clock import ticks_ms
from ._sync_port_cpy import SyncPort, keep
from ._sync_watch_cpy import Eye

_DRAIN = 64  # datagrams taken from the carrier before a turn


class _CarrierEye(Eye):
    """Waits for the bell, for the carrier if it can be waited on, and never longer than until it
    is to be looked at again."""

    def __init__(self, carrier, bell):
        self.carrier = carrier
        self._is_full = False
        super().__init__(carrier.poll_on, bell)

    def look_for(self, is_full):
        self._is_full = is_full

    def turn_away(self):
        if self.carrier.poll_on is not None:
            super().turn_away()

    def wait(self, wait_ms):
        carrier = self.carrier
        if carrier.poll_on is None and carrier.poll_ms:
            wait_ms = _sooner(wait_ms, carrier.poll_ms)
        if self._is_full:
            wait_ms = _sooner(wait_ms, carrier.retry_ms)
        return super().wait(wait_ms)


def _sooner(wait_ms, other_ms):
    return other_ms if wait_ms < 0 or other_ms < wait_ms else wait_ms


class CarrierPort(SyncPort):
    """A carrier with a thread, for one `Endpoint`; release(carrier): called at the end."""

    def __init__(self, carrier, release):
        super(SyncPort, self).__init__(carrier)
        self.carrier = carrier
        self._give_back = release
        self.peer = self.sockname = self.backlog = None

    def start(self, endpoint):
        """Begin to receive."""
        self._endpoint = endpoint
        keep(self)
        self._start_thread("kcp on a carrier")
        self.carrier.on_ready = self.ring

    def close(self):
        """Stop, and give the carrier back."""
        if not self._is_closed:
            self.carrier.on_ready = None
            super().close()

    def send(self, buf, n, key):
        """Send buf[:n] to `key` (None: the only peer)."""
        return send(self, buf, n, key)

    def _open_eye(self):
        return _CarrierEye(self.carrier, self._bell)

    def _drain(self):
        endpoint = self._endpoint
        carrier = self.carrier
        rx = endpoint.rx
        now_ms = ticks_ms()
        for _ in range(_DRAIN):
            n = take(self, rx)
            if n <= 0:
                return
            endpoint.input(n, carrier.key, now_ms)
        self.ring()  # there may be more
