"""Congestion control: how many segments may be under way, and how fast they leave.

A *controller* is an object of one session with two numbers and four hooks (see `Controller`). The
sender calls the hooks, reads the numbers, and does the rest: windows, timers, what is sent again
and when. Built in are, as `Config(cc=...)` names them:

- "none": no controller. A window leaves at once, as kcp-go sends by default (nc=1).
- "kcp": kcp-go's congestion window (nc=0), `_cc_kcp`.
- "rate": finds the rate that the path carries; needs no window to be tuned, `_cc_rate`.

These are integer state machines without numbers above 2**30, loops or allocation, so that a native
session can hold them. A controller of one's own, `Config(cc=MyController)`, is Python and selects
the session that is written in Python.

`Config(pacing=...)` says whether the controller's rate is followed (`_pacer`) or only its window.
"""

NAMES = ("none", "kcp", "rate")
_MAX_CWND = 1 << 20


class Controller:
    """To be derived from: a controller that holds nothing back. It is made with the sender that it
    is for, `Config(cc=MyController)`; every session makes its own.

    cwnd: how many segments may be under way, 1 or more: sent, and not acknowledged; rate: payload
    bytes per second at which segments leave, 0 = at once. Both are whole numbers, read after every
    hook. Retransmissions are not held back, but they count.

    Of the sender, `arq`, a controller may read: mss (payload bytes of a full segment), n_flight
    (segments under way), snd_una and snd_nxt (first segment that is not acknowledged, and first
    that was not sent), window (segments that the settings of both ends allow), rx_srtt and rx_rto
    (ms), interval_ms, payload_pct (how much of what leaves is payload: less than 100 with FEC) and
    is_starved (the application had nothing more to send). Times are ms modulo 2**30.

    One is made, and thrown away, when the setting is checked: ValueError if that fails.
    What a hook raises, and numbers out of range, end the session with OSError(EINVAL).
    """

    def __init__(self, arq):
        self.cwnd = _MAX_CWND
        self.rate = 0

    def on_sent(self, arq, now_ms: int, n_segs: int):
        """A pass over the send window is over; n_segs segments left for the first time."""

    def on_ack(self, arq, now_ms: int, n_bytes: int, rtt_ms: int):
        """A packet has acknowledged n_bytes of payload (0 if all was known); rtt_ms: what it shows
        of the round trip, -1 = nothing."""

    def on_loss(self, arq, now_ms: int, n_segs: int):
        """So many segments were sent again because later ones were acknowledged."""

    def on_timeout(self, arq, now_ms: int, n_segs: int):
        """So many segments were sent again because their timers ran out."""


def check(cc):
    """Raise ValueError unless `cc` is the name of a controller, or could make one."""
    if isinstance(cc, str):
        if cc not in NAMES:
            raise ValueError(
                "unknown cc %r; there are: %s, and classes of yours (kcp.cc.Controller)"
                % (cc, ", ".join(NAMES))
            )
    elif not callable(cc):
        raise ValueError(
            "cc must be one of %s or a class that makes controllers, one for each session, not %r"
            % (", ".join(NAMES), cc)
        )


def make(cc, arq):
    """Return a new controller for the sender `arq`; None for "none". cc: as `check` takes it.
    ValueError if a class of the user's makes none."""
    if cc == "none":
        return None
    if cc == "kcp":
        from ._cc_kcp import Kcp  # only who uses it pays for it

        return Kcp(arq)
    if cc == "rate":
        from ._cc_rate import Rate

        return Rate(arq)
    from ._cc_user import made

    return made(cc, arq)
