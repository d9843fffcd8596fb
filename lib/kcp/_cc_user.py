"""A congestion controller of the user's: what it raises or sets wrongly ends its session only."""

from ._compat import const

_MAX_CWND = const(1 << 20)
_MAX_RATE = const((1 << 30) - 1)
_EINVAL = const(22)
_HOOKS = ("on_sent", "on_ack", "on_loss", "on_timeout")


def made(cc, arq):
    """Return a new controller of the class `cc`, checked; ValueError if that makes none."""
    try:
        controller = cc(arq)
    except Exception as error:
        kind = type(error).__name__
        raise ValueError("cc=%r makes no controller: %s: %s" % (cc, kind, error))
    return Checked(controller)


def try_out(config):
    """Make a controller of config.cc, and throw it away; ValueError if that makes none.

    So that who chooses it is told, and not a server when its first client comes.
    """
    from .arq import Arq

    arq = Arq(0, mtu=config.mtu, snd_wnd=config.sndwnd, rcv_wnd=config.rcvwnd)
    arq.set_nodelay(config.nodelay, config.interval, config.resend)
    arq.set_cc(config.cc, False, config.payload_pct)


class Checked:
    """Stands between the sender and the user's controller, which it checks.

    ValueError unless that has the hooks and numbers that it needs. fail(errno, sentence): called
    if a hook raises or leaves numbers that are none; None: the exception comes out of the sender.
    Either way the controller is not called again, and nothing is held back any more.
    """

    is_by_sn = False

    def __init__(self, controller):
        for name in _HOOKS:
            if not callable(getattr(controller, name, None)):
                raise ValueError(
                    "a cc controller must have a method %s; derive it from kcp.cc.Controller"
                    % name
                )
        self._controller = controller
        self.fail = None
        self.cwnd = self.rate = 0
        self._read()

    def _read(self):
        controller = self._controller
        self.cwnd = _number("cwnd", getattr(controller, "cwnd", None), 1, _MAX_CWND)
        self.rate = _number("rate", getattr(controller, "rate", None), 0, _MAX_RATE)

    def _call(self, name, arq, now_ms, *values):
        if self._controller is None:
            return
        try:
            getattr(self._controller, name)(arq, now_ms, *values)
            self._read()
        except Exception as error:
            self._controller = None
            self.cwnd, self.rate = _MAX_CWND, 0
            if self.fail is None:
                raise
            kind = type(error).__name__
            self.fail(_EINVAL, "%s in %s() of the cc controller: %s" % (kind, name, error))

    def on_sent(self, arq, now_ms, n_segs):
        self._call("on_sent", arq, now_ms, n_segs)

    def on_ack(self, arq, now_ms, n_bytes, rtt_ms):
        self._call("on_ack", arq, now_ms, n_bytes, rtt_ms)

    def on_loss(self, arq, now_ms, n_segs):
        self._call("on_loss", arq, now_ms, n_segs)

    def on_timeout(self, arq, now_ms, n_segs):
        self._call("on_timeout", arq, now_ms, n_segs)


def _number(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError("a cc controller's %s must be %d..%d, not %r" % (name, low, high, value))
    return value
