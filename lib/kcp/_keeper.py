"""Keep-alive and idle limit of a session; loaded when one of them is on.

keepalive_ms: when nothing was heard for so long, the peer is asked for its window (WASK), which
any KCP peer answers (WINS), and again every keepalive_ms until something is heard. Unanswered for
dead_ms from the first question on, the session is dead.

idle_ms: a session from which nothing was heard for so long ends, with or without keep-alive.
"""

from errno import ETIMEDOUT

from ._ending import left, sooner


class Keeper:
    """What a session remembers for it: two times. heard_ms: when something last came."""

    def __init__(self, heard_ms):
        self._heard_ms = heard_ms
        self._since_ms = heard_ms  # the later of: heard, asked

    def look(self, session, now_ms):
        """Ask, or end the session, if it is time."""
        config = session.config
        if config.idle_ms and left(session.last_input_ms, config.idle_ms, now_ms) == 0:
            session.abort(ETIMEDOUT, "nothing heard for {} ms (idle_ms)".format(config.idle_ms))
        elif config.keepalive_ms and self._ask_left(session, now_ms) == 0:
            self._since_ms = now_ms
            session.ask(now_ms)

    def wait_ms(self, session, now_ms):
        """Return ms until look() has something to do."""
        config = session.config
        wait = -1
        if config.keepalive_ms:
            wait = self._ask_left(session, now_ms)
        if config.idle_ms:
            wait = sooner(wait, left(session.last_input_ms, config.idle_ms, now_ms))
        return wait

    def _ask_left(self, session, now_ms):
        heard_ms = session.last_input_ms
        if heard_ms != self._heard_ms:
            self._heard_ms = self._since_ms = heard_ms
        return left(self._since_ms, session.config.keepalive_ms, now_ms)
