"""How a session has ended, as an error: what its twins have in common."""

from errno import ETIMEDOUT

from ._compat import const

_OPEN = const(0)  # session.OPEN


class Failing:
    """Part of a `Session`, which has state, error and why."""

    @property
    def is_closing(self) -> bool:
        """True from close() or abort() on."""
        return self.state != _OPEN

    def failure(self):
        """Return the OSError that says how the session ended; None if it is well or was closed."""
        if not self.error:
            return None
        return OSError(self.error, self.why or "the session is over")

    def loss(self, n_bytes):
        """Return the OSError of a close() that left n_bytes unacknowledged."""
        text = "{} bytes were not acknowledged".format(n_bytes)
        if self.why is not None:
            text = "{}: {}".format(text, self.why)
        return OSError(self.error or ETIMEDOUT, text)
