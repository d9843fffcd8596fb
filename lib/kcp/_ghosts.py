"""Sessions that are over, by address and conversation: what comes late for them opens no new one.

Loaded when a listener's first session ends. A pair is remembered for _KEEP_MS after its end, or
after the last data that came for it since; at most _MAX_PAIRS of them, the oldest is forgotten
first.

What still gets in is a conversation that begins: data with sn 0 from a peer that has received
nothing (una 0). That is a restarted peer, and one that never got an answer, whose session loses
nothing by beginning again. A copy of the very packet that had opened the dead session looks the
same but for its time stamp, so that one is kept out; a restarted peer whose clock shows the same
millisecond by chance gets in with its first retransmission.
"""

from collections import deque

from ._compat import MICROPYTHON, const

_PUSH = const(81)
_KEEP_MS = const(60000)  # kcp-go's longest wait between two transmissions of a segment
_MAX_PAIRS = 64 if MICROPYTHON else 1024
_M30 = const(0x3FFFFFFF)


class Ghosts:
    """Pairs (address, conversation) of dead sessions."""

    def __init__(self):
        self._pairs = {}  # to [when, the time stamp of the packet that had opened it]
        self._order = deque((), _MAX_PAIRS)

    def __len__(self):
        return len(self._pairs)

    def add(self, key, session, now_ms):
        """A session has ended."""
        pair = (key, session.conv)
        if pair not in self._pairs:
            if len(self._order) == _MAX_PAIRS:
                del self._pairs[self._order.popleft()]
            self._order.append(pair)
        self._pairs[pair] = [now_ms, session.opening]

    def keeps_out(self, key, conv, buf, segment_at, now_ms) -> bool:
        """Is this first packet (its first segment at segment_at; < 0: none) a late one?"""
        entry = self._pairs.get((key, conv))
        if entry is None or (now_ms - entry[0]) & _M30 >= _KEEP_MS:
            return False
        if segment_at < 0 or buf[segment_at + 4] != _PUSH:
            return True
        if _is_zero(buf, segment_at + 12) and _is_zero(buf, segment_at + 16):
            return entry[1] == bytes(memoryview(buf)[segment_at + 8 : segment_at + 12])
        entry[0] = now_ms  # the peer is alive, and does not know
        return True


def _is_zero(buf, off):
    return not (buf[off] or buf[off + 1] or buf[off + 2] or buf[off + 3])
