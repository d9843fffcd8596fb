"""A congestion controller of the user's: what it raises or sets wrongly ends its session only."""

from ._compat import const

_MAX_CWND = const(1 << 20)
_MAX_RATE = const((1 << 30) - 1)
_EINVAL = const(22)
_HOOKS = ("on_sent", "on_ack", "on_loss", "on_timeout")


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
        self.cwnd = _number("cwnd", controller.cwnd, 1, _MAX_CWND)
        self.rate = _number("rate", controller.rate, 0, _MAX_RATE)

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
