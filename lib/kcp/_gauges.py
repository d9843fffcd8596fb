"""What can be asked of a session: the reading half of `Session`, which changes nothing."""

from ._compat import const

_OPEN = const(0)  # session.OPEN
_CONV_BYTES = const(4)


class Gauges:
    """Properties of a `Session`."""

    @property
    def max_oob_bytes(self) -> int:
        """Bytes that send_oob() takes (kcp-go: GetOOBMaxSize); 0 without FEC on this side."""
        return 0 if self._encoder is None else self.arq.mtu - _CONV_BYTES

    @property
    def readable(self) -> int:
        """Bytes that one recv_into() would find at least (0: nothing waiting)."""
        return self.arq.readable

    @property
    def unacked_bytes(self) -> int:
        """Bytes queued or sent and not acknowledged yet."""
        return self.arq.snd_bytes

    @property
    def end_sn(self) -> int:
        """The number behind the last segment that is queued or sent; it only grows. All that was
        sent so far is acknowledged once acked_sn has reached it."""
        return self.arq._snd_end

    @property
    def acked_sn(self) -> int:
        """The number of the oldest segment that is not acknowledged."""
        return self.arq.snd_una

    @property
    def snd_room_bytes(self) -> int:
        """Bytes that send() would take now, at least; 0 = it would take none."""
        return max(0, self.arq.snd_room()) * self.mss

    @property
    def rtt_ms(self) -> int:
        """Smoothed round trip time in ms (kcp-go: GetSRTT); 0 before the first sample."""
        return self.arq.rx_srtt

    srtt_ms = rtt_ms

    @property
    def rttvar_ms(self) -> int:
        """Variance of the round trip time in ms (kcp-go: GetSRTTVar)."""
        return self.arq.rx_rttvar

    @property
    def rto_ms(self) -> int:
        """Retransmission timeout in ms (kcp-go: GetRTO)."""
        return self.arq.rx_rto

    @property
    def is_closing(self) -> bool:
        """True from close() or abort() on."""
        return self.state != _OPEN
