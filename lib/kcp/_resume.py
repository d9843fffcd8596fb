"""A session goes on over another path: what both a server and a client that has moved do then."""

from ._compat import const

_AT_ONCE = const(32)  # segments sent again at once
_M30 = const(0x3FFFFFFF)


def resume(arq, now_ms):
    """The path is another one: what is under way was most likely lost with the old one, and may
    have waited for long. Send the first _AT_ONCE segments again now, and the others a timeout
    later."""
    later_ms = (now_ms + arq.rx_rto) & _M30
    n = 0
    for sn in range(arq.snd_una, arq._snd_new):
        slot = sn & arq._tx_mask
        if arq._tx[slot] is not None:
            arq._rto[slot] = arq.rx_rto
            arq._resend_ts[slot] = now_ms if n < _AT_ONCE else later_ms
            n += 1
    if n:
        arq._timers = True
        arq._next_rto = now_ms
