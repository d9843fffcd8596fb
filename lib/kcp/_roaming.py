"""Sessions of a listener that go on from another address; loaded by `Config(roaming=True)`.

A client comes from a new address when it has bound another socket, or when a NAT has given it
another port. Its packets name a conversation that is known at another address. But the wire has no
replay protection: a copy of an old packet from any address looks just the same. So such a packet
has no effect on its session. The address it came from gets a question, and the session moves when
the right answer comes from there:

- The question is a data segment without data, whose sn lies before all that a peer can still
  expect. Every KCP peer acknowledges that, and does nothing else about it. Its ts and sn hold 54
  random bits, drawn for this address and sent nowhere else; the ACK echoes both.
- It is sent only in answer to a packet, and is never longer than that, nor sent more often than
  every _GAP_MS: nobody can have us send more than he has sent himself.
- A packet that knows less than was acknowledged before (its una) is an old one: no question.

Limits: MAX_PATHS addresses are asked at a time, MAX_PER_SESSION of one session, each for
_PATH_MS. Nothing has a timer. Who can replay packets of a session at a high rate from ever new
addresses may hold all places, and so keep that client from moving, but not move it elsewhere.

A conversation number stands for one session here, whatever its address: no second one begins with
a number that is in use.
"""

from ._arq_rcv import sdiff
from ._compat import MICROPYTHON, const
from ._kernels import u32

_OVERHEAD = const(24)
_PUSH = const(81)
_ACK = const(82)
_TOKEN_BYTES = const(8)  # ts and sn
MAX_PATHS = 8 if MICROPYTHON else 64
MAX_PER_SESSION = 4
_PATH_MS = const(5000)
_GAP_MS = const(50)
_BUFFER_BYTES = const(96)  # the longest question, 12 + 24 + 16, and a cipher's whole blocks
_M30 = const(0x3FFFFFFF)


class Path:
    """An address from which a packet of a session came that is at home elsewhere."""

    def __init__(self, session, token, now_ms):
        self.session = session
        self.token = token  # ts and sn of the question, as on the wire
        self.since_ms = now_ms
        self.asked_ms = -1  # when the question last went there


class Roamer:
    """What a listener with roaming keeps. fill(view): random bytes over a memoryview."""

    def __init__(self, listener, fill):
        self._listener = listener
        self._fill = fill
        self._homes = {}  # conversation -> address
        self._paths = {}  # address -> Path
        #: a question to be sent: buf[:question_bytes] to question_key; 0: none. Whoever sends it
        #: (or cannot) sets it to 0
        self.buf = bytearray(_BUFFER_BYTES)
        self.question_bytes = 0
        self.question_key = None
        #: after input() has moved a session: where it was
        self.moved_from = None

    def opened(self, conv, key):
        """A session has been made."""
        self._homes[conv] = key

    def closed(self, session):
        """A session is forgotten."""
        self._homes.pop(session.conv, None)
        self._forget(session)

    def knows(self, conv) -> bool:
        """Is this conversation under way?"""
        return conv in self._homes

    def input(self, buf, off, end, key, now_ms):
        """Take a packet of a known conversation, whose first segment is at off, from an address
        that is not its home. Return the session if it has moved there, None else."""
        listener = self._listener
        self.moved_from = None
        home = self._homes[u32(buf, off)]
        session = listener.sessions[home]
        path = self._paths.get(key)
        is_taken = key in listener.sessions  # perhaps since the question went out
        is_asked = not is_taken and path is not None and path.session is session
        if is_asked and _answers(buf, off, end, path.token):
            self._move(session, home, key, now_ms)
            return session
        if is_taken or sdiff(u32(buf, off + 16), session.acked_sn) < 0:
            path = None  # another session lives there, or the packet is an old one
        elif path is None or path.session is not session or self._is_over(path, now_ms):
            path = self._new_path(session, key, now_ms)
        if path is not None:
            self._ask(path, key, now_ms)
        listener.stats.RoamDrops += 1
        return None

    def _is_over(self, path, now_ms):
        return (now_ms - path.since_ms) & _M30 >= _PATH_MS

    def _new_path(self, session, key, now_ms):
        """Return a place for this address, None if there is none."""
        paths = self._paths
        paths.pop(key, None)
        if len(paths) >= MAX_PATHS or self._n_of(session) >= MAX_PER_SESSION:
            for other in [other for other in paths if self._is_over(paths[other], now_ms)]:
                del paths[other]
            if len(paths) >= MAX_PATHS or self._n_of(session) >= MAX_PER_SESSION:
                return None
        token = bytearray(_TOKEN_BYTES)
        self._fill(memoryview(token))
        token[3] |= 0x40  # a ts that is none of our clock's: no round trip is measured by it
        una = session.acked_sn
        # an sn before the first one, also for a peer that was restarted; late: before snd_una
        token[7] = 0xFF if una < 1 << 30 else (una >> 24) - 1 & 0xFF
        path = paths[key] = Path(session, token, now_ms)
        return path

    def _n_of(self, session):
        n = 0
        for path in self._paths.values():
            n += path.session is session
        return n

    def _ask(self, path, key, now_ms):
        """Build the question."""
        if path.asked_ms >= 0 and (now_ms - path.asked_ms) & _M30 < _GAP_MS:
            return
        path.asked_ms = now_ms
        buf, codec = self.buf, self._listener.codec
        session = path.session
        at = codec.head
        for i in range(_OVERHEAD):
            buf[at + i] = 0
        _put(buf, at, session.conv)
        buf[at + 4] = _PUSH
        wnd = min(session.rcv_room, 0xFFFF)
        buf[at + 6], buf[at + 7] = wnd & 0xFF, wnd >> 8
        buf[at + 8 : at + 16] = path.token
        _put(buf, at + 16, session.next_sn)
        self.question_bytes = codec.seal(buf, at + _OVERHEAD)
        self.question_key = key

    def _move(self, session, home, key, now_ms):
        listener = self._listener
        self._forget(session)
        del listener.sessions[home]
        listener.sessions[key] = session
        listener._remember(home, session, now_ms)
        self._homes[session.conv] = key
        backlog = listener.backlog
        for _ in range(len(backlog)):
            one, its_key = backlog.popleft()
            backlog.append((one, key if one is session else its_key))
        self.moved_from = home
        listener.stats.RoamMoves += 1
        session.resume(now_ms)

    def _forget(self, session):
        paths = self._paths
        for key in [key for key in paths if paths[key].session is session]:
            del paths[key]


def _put(buf, off, value):
    for i in range(4):
        buf[off + i] = value >> 8 * i & 0xFF


def _answers(buf, off, end, token):
    """Does one of the segments echo the token?"""
    while off + _OVERHEAD <= end:
        if buf[off + 4] == _ACK and buf[off + 8 : off + 16] == token:
            return True
        off += _OVERHEAD + u32(buf, off + 20)
    return False
