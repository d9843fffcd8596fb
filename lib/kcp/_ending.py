"""How a session ends: the half of `Session` that closes, lingers, and notices a dead peer."""

from errno import ECONNRESET, ETIMEDOUT

from ._compat import const
from ._gauges import Gauges

EPIPE = 32  # MicroPython's errno module has no EPIPE

_OPEN = const(0)  # session.OPEN
_CLOSING = const(1)
_CLOSED = const(2)
_ASK = const(1)
_M30 = const(0x3FFFFFFF)
_HALF30 = const(0x20000000)
_QUIET_RTOS = const(3)
_QUIET_MIN_MS = const(200)
_SURE = const(3)  # datagrams in a row: without a checksum, one may have been damaged
_FORGOTTEN = "the peer has forgotten this session: it was restarted, or we have another address"


class Ending(Gauges):
    """Verbs and duties of a `Session` that concern its end."""

    def probe(self):
        """Ask the peer for its window with the next output(): any KCP peer answers that."""
        self.arq.probe |= _ASK
        self.arq.flush()

    def close(self, now_ms, linger_ms=None):
        """Start flush-and-linger (default config.linger_ms); a second close() changes nothing."""
        if self.state != _OPEN:
            return
        self.state = _CLOSING
        self._close_ms = now_ms
        self._linger_ms = self.config.linger_ms if linger_ms is None else linger_ms
        self.arq.ack_nodelay = True  # the peer may be waiting for our last ACK in its own close
        self.arq.flush()
        self._watch(now_ms)

    def abort(self, error=None, why=None):
        """Stop at once; `error`, `why`: the errno that send() and the I/O layer will report, and
        the sentence that goes with it."""
        if self.state == _CLOSED:
            return
        self.state = _CLOSED
        self.lost_bytes = self.arq.snd_bytes
        self.error = error
        self.why = why

    def ask(self, now_ms):
        """probe(), and take the peer for dead if dead_ms pass without a sign of life from it."""
        self.probe()
        if not self._waiting:
            self._waiting = True
            self._waiting_ms = now_ms

    def _fit_keeper(self):
        """(Keep-alive or the idle limit was turned on or off.)"""
        config = self.config
        if not config.keepalive_ms and not config.idle_ms:
            self._keeper = None
        elif self._keeper is None:
            from ._keeper import Keeper  # only who uses it pays for it

            self._keeper = Keeper(self.last_input_ms)

    def held_back(self, now_ms):
        """(A rate limit keeps output() from being called.)"""
        self._watch(now_ms)
        self.arq.let_acks_pass()

    def resume(self, now_ms):
        """The path is another one: see `_resume`."""
        from ._resume import resume  # only who uses it pays for it

        resume(self.arq, now_ms)

    def leave_budget(self):
        """Give back what it has taken of the memory that sessions share, and count no more."""
        self.arq.leave_budget()

    def _watch(self, now_ms):
        """Notice a dead peer, and the end of closing."""
        if self._waiting and left(self._waiting_ms, self.config.dead_ms, now_ms) == 0:
            self._dead(now_ms)
        if self.state == _OPEN:
            if self._keeper is not None:
                self._keeper.look(self, now_ms)
        elif self.state == _CLOSING:
            self._watch_closing(now_ms)

    def _watch_closing(self, now_ms):
        waiting = self.arq.snd_bytes > 0
        if left(self._close_ms, self._linger_ms, now_ms) == 0:
            if waiting:
                why = "closing took longer than {} ms (linger_ms)".format(self._linger_ms)
                self.abort(ETIMEDOUT, why)
            else:
                self.abort()
        elif self._outbox is not None and self._outbox.packets:
            return
        elif not waiting and self.arq.idle and self._quiet_left(now_ms) == 0:
            self.abort()

    def _look_behind(self):
        """A datagram does not know of all that was acknowledged: a late one, which answers nothing
        that was sent since; or the peer has been restarted, which has enough of them show."""
        if self.arq.behind > _SURE:
            self.abort(ECONNRESET, _FORGOTTEN)

    def _dead(self, now_ms):
        dead_ms = self.config.dead_ms
        if self.arq.behind and left(self.last_input_ms, dead_ms // 2, now_ms):
            self.abort(ECONNRESET, _FORGOTTEN)  # it answers all the time, but not what was asked
            return
        n_bytes = self.arq.snd_bytes
        what = "{} bytes unanswered".format(n_bytes) if n_bytes else "keep-alive unanswered"
        self.abort(ETIMEDOUT, "{} for {} ms (dead_ms)".format(what, dead_ms))

    def _quiet_left(self, now_ms):
        """Return ms for which the peer may still need an answer to what it sent last."""
        arq = self.arq
        if arq.push_ms < 0:
            return 0
        quiet_ms = max(_QUIET_MIN_MS, _QUIET_RTOS * arq.rx_rto)
        return left(arq.push_ms, quiet_ms, now_ms)


def left(since_ms, span_ms, now_ms):
    """Return how much of span_ms is left, if it began at since_ms; 0: nothing."""
    passed = (now_ms - since_ms) & _M30
    if passed >= _HALF30:  # `since_ms` lies ahead
        passed = 0
    return span_ms - passed if passed < span_ms else 0


def sooner(wait, other):
    """Return the shorter of two waits, of which the first may be -1: never."""
    return other if wait < 0 or other < wait else wait
