"""What can be asked of a session: the reading half of `Session`, which changes nothing."""

from ._compat import const
from ._failing import Failing

_CONV_BYTES = const(4)


class Gauges(Failing):
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
    def next_sn(self) -> int:
        """The number of the first segment that has not come, before which all have."""
        return self.arq.rcv_nxt

    @property
    def rcv_room(self) -> int:
        """Segments that the peer may send: the window that it is told."""
        return self.arq.wnd_unused()

    @property
    def n_parity(self) -> int:
        """Parity packets of the group at hand that output() has still to build."""
        return 0 if self._encoder is None else self._encoder.n_parity

    @property
    def fec_ratio(self):
        """(data, parity) that the peer's packets were found to have, None: not known yet."""
        decoder = self._decoder
        if decoder is None or decoder.is_tuning:
            return None
        return decoder.data, decoder.parity

    def is_repeat(self, sn) -> bool:
        """Has this data segment come before, or is it outside of the window? (kcp-go calls both
        so.)"""
        return self.arq.is_repeat(sn)

    def n_sent(self, sn) -> int:
        """How often a segment that is not acknowledged was sent: 0, 1, 2 = more."""
        return self.arq.xmit(sn)

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
