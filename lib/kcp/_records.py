"""What a reconnecting client keeps: records that are not acknowledged, and when to try again.

Sans-IO. A record goes into a session whole, and leaves when the session's peer has acknowledged
all of it (`retire`). When a session ends the others are unsent again (`rewind`), or taken out.
"""

from errno import ENOBUFS

#: What to do with a record for which there is no room.
POLICIES = ("refuse", "drop_oldest")


class Records:
    """Bytes objects in the order in which they were written; the first of them are in the session.

    limit_bytes, limit_records: of all that is kept. when_full: one of POLICIES; "drop_oldest"
    leaves out the oldest that was not sent yet, or the new one if all were.
    """

    def __init__(self, limit_bytes, limit_records, when_full):
        if limit_bytes < 1 or limit_records < 1:
            raise ValueError("limit_bytes and limit_records must be at least 1")
        if when_full not in POLICIES:
            raise ValueError("when_full must be one of: %s" % ", ".join(POLICIES))
        self._limit_bytes = limit_bytes
        self._limit_records = limit_records
        self._drops = when_full == "drop_oldest"
        self._data = []
        self._ends = []  # of those in the session: the number behind the last of their segments
        self.n_bytes = 0
        self.n_dropped = 0

    def __len__(self):
        return len(self._data)

    def has_room(self, n_bytes) -> bool:
        """Is there room for a record of so many bytes?"""
        return self.n_bytes + n_bytes <= self._limit_bytes and len(self) < self._limit_records

    def check(self, data) -> int:
        """Return how many bytes this record has. TypeError, ValueError: it can never be one."""
        if isinstance(data, str):
            raise TypeError("a record must be bytes, not str")
        n = len(data)
        if not 0 < n <= self._limit_bytes:
            raise ValueError("a record must have 1..%d bytes (limit_bytes)" % self._limit_bytes)
        return n

    def put(self, data) -> bool:
        """Keep a copy of a record. False: it was dropped. OSError(ENOBUFS) if there is no room
        and the policy is to refuse, ValueError if there can never be."""
        n = self.check(data)
        if not self.has_room(n):
            if not self._drops:
                raise OSError(ENOBUFS, "the buffer is full: the peer has not acknowledged enough")
            if not self._make_room(n):
                self.n_dropped += 1
                return False
        self._data.append(bytes(data))
        self.n_bytes += n
        return True

    def _make_room(self, n_bytes) -> bool:
        """Leave out the oldest that were not sent. False, and none is, if that would not do."""
        n_sent = len(self._ends)
        sent_bytes = sum(len(data) for data in self._data[:n_sent])
        if n_sent >= self._limit_records or sent_bytes + n_bytes > self._limit_bytes:
            return False
        while not self.has_room(n_bytes):
            self.n_bytes -= len(self._data.pop(n_sent))
            self.n_dropped += 1
        return True

    def next(self):
        """Return the oldest record that is not in the session, None if all are."""
        n_sent = len(self._ends)
        return self._data[n_sent] if n_sent < len(self._data) else None

    def sent(self, end=None):
        """That record is in the session; end: the number behind its last segment, if it is known
        yet: else `ends_at` says it."""
        self._ends.append(end)

    def ends_at(self, end):
        """The record that was sent last ends there."""
        self._ends[-1] = end

    def retire(self, una) -> int:
        """All segments below `una` are acknowledged: forget the records that they were, and
        return how many."""
        ends = self._ends
        n = 0
        while ends and ends[0] is not None and ends[0] <= una:
            ends.pop(0)
            self.n_bytes -= len(self._data.pop(0))
            n += 1
        return n

    def rewind(self):
        """The session is over: what it had not got acknowledged is unsent again."""
        self._ends.clear()

    def take_sent(self) -> list:
        """The session is over: take out what it had not got acknowledged."""
        n_sent = len(self._ends)
        taken = self._data[:n_sent]
        self._data[:n_sent] = []
        self._ends.clear()
        for data in taken:
            self.n_bytes -= len(data)
        return taken


class Backoff:
    """Waits between attempts: from half of to a whole first_ms, then twice as long each time, up
    to max_ms. random(): any whole number from a great range."""

    def __init__(self, first_ms, max_ms, random):
        if not 1 <= first_ms <= max_ms <= 1 << 28:
            raise ValueError("it must be 1 <= first_ms <= max_ms <= 2**28, in ms")
        self._first_ms = first_ms
        self._max_ms = max_ms
        self._random = random
        self._span_ms = first_ms

    def reset(self):
        """It went well."""
        self._span_ms = self._first_ms

    def next_ms(self) -> int:
        """Return how long to wait now."""
        span_ms = self._span_ms
        self._span_ms = min(2 * span_ms, self._max_ms)
        return span_ms - self._random() % (span_ms // 2 + 1)
