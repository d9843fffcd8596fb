"""One scenario: two sessions over a simulated path, and a digest of all that they do.

Nothing of a session is looked at but its verbs, gauges and counters, so that it may be any of the
twins. Everything they return, every datagram with its time and its direction, and the counters at
the end go into a SHA-256: where two twins have the same digest they did the same.
"""

import heapq
import struct
from errno import ECONNRESET, ETIMEDOUT
from hashlib import sha256

from diff.drawn import CHANGES, Plan

from kcp import _backend, crypt
from kcp.config import Config
from kcp.session import CLOSED, IN_C, Budget, Session
from kcp.stats import NAMES, Stats
from kcp_sim.link import Link
from kcp_sim.rng import Rng

#: Errors by names, as their numbers are the platform's.
ERRORS = {None: "none", 32: "EPIPE", ECONNRESET: "ECONNRESET", ETIMEDOUT: "ETIMEDOUT"}
LIMIT_MS = 20000
LIMIT_DATAGRAMS = 160
_M30 = 0x3FFFFFFF
_PATTERN_BYTES = 4093  # a prime: no two segments hold the same bytes
_QUIET_MS = 400  # how long it goes on when all is done
_BUFFER_BYTES = 1600
_TEXTS = "cxyl"  # entries that are text


def _pattern():
    """The bytes that are sent, round after round: behind any place of the first are enough."""
    round_ = bytearray(_PATTERN_BYTES)
    x = 1
    for i in range(_PATTERN_BYTES):
        x = (x * 75 + 74) % 65537
        round_[i] = x & 0xFF
    return bytes(round_) * 4


_PATTERN = _pattern()


class Fill:
    """Injected randomness: what an end gets depends on how often it has asked."""

    def __init__(self, side):
        self._n = side * 101

    def __call__(self, view):
        n = self._n
        for i in range(len(view)):
            view[i] = (7 * n + 13 * i + (n >> 5)) & 0xFF
        self._n = n + 1


class FirstPacket:
    """A codec of AES-128 that seals every packet as its first one.

    The engines of the platforms go on with the cipher's register from packet to packet, which
    makes another nonce of the same random bytes (`kcp.crypt._cfb_cpy`). The first packet is what
    kcp-go makes of them.
    """

    def __init__(self, key, fill):
        self._key, self._fill = key, fill
        self._opener = crypt.new("aes-128", key, fill)
        self.head, self.tail = self._opener.head, self._opener.tail
        self.open = self._opener.open

    def seal(self, buf, end):
        """As packet.py says."""
        return crypt.new("aes-128", self._key, self._fill).seal(buf, end)


class Record:
    """The digest, and a line for each entry if there is somebody to take it."""

    def __init__(self, trace=None):
        self._sha = sha256()
        self._head = bytearray(12)
        self._trace = trace

    def number(self, now_ms, side, what, value):
        """Something with a number was done. what: one character."""
        struct.pack_into("<IBBBBi", self._head, 0, now_ms, side, ord(what), 0, 0, value)
        self._sha.update(self._head)
        if self._trace:
            self._trace("%d ms, side %d: %s %d" % (now_ms, side, what, value))

    def data(self, now_ms, side, what, data):
        """Something with bytes was done."""
        struct.pack_into("<IBBBBi", self._head, 0, now_ms, side, ord(what), 1, 0, len(data))
        self._sha.update(self._head)
        self._sha.update(data)
        if self._trace:
            shown = bytes(data).decode() if what in _TEXTS else _hex(data)
            self._trace("%d ms, side %d: %s %d %s" % (now_ms, side, what, len(data), shown))

    def digest(self):
        """It in hexadecimal; nothing more can be recorded."""
        return _hex(self._sha.digest())


def _hex(data):
    return "".join(["%02x" % byte for byte in data])


class Side:
    """One end: the session, and the application that uses it."""

    def __init__(self, plan, side, record, t_ms=0):
        self.plan, self.side, self.record = plan, side, record
        self.clock_ms = plan.clocks_ms[side]
        options = plan.options[side]
        config = Config(**options)
        fill = Fill(side)
        codec = None
        if options["crypt"] == "aes-128" and not _backend.NATIVE:
            codec = FirstPacket(options["key"], fill)
        budget = Budget(plan.budgets_bytes[side]) if plan.budgets_bytes[side] else None
        self.session = Session(
            plan.conv, config, fill, self.clock(t_ms), codec_=codec, budget=budget
        )
        if IN_C and not isinstance(self.session, Session):
            raise AssertionError("C has all that this session needs, but it is in Python")
        self.session.on_oob = self._oob
        self.now_ms = t_ms
        self.is_touched = True  # a verb was called, so it may have something to send
        self.next_ms = -1  # when it has to be looked at again; -1 = never
        self.buf = bytearray(max(_BUFFER_BYTES, self.session.buffer_bytes))
        self.inbuf = bytearray(max(_BUFFER_BYTES, self.session.buffer_bytes))
        self.read_buf = bytearray(plan.read_bytes[side])
        self.read_every_ms = plan.read_every_ms[side]
        self.writes = []  # bytes that could not be written yet
        self.n_written = self.n_read = 0

    def clock(self, t_ms):
        """What this side's clock shows."""
        return (self.clock_ms + t_ms) & _M30

    def _oob(self, data):
        self.record.data(self.now_ms, self.side, "o", data)

    def _log(self, event, conv, *values):
        text = "%s %d %s" % (event, conv, " ".join([str(value) for value in values]))
        self.record.data(self.now_ms, self.side, "l", text.encode())

    def take(self, data, t_ms):
        """A datagram arrives."""
        n = len(data)
        self.now_ms = t_ms
        self.is_touched = True
        self.inbuf[:n] = data
        good = self.session.input(self.inbuf, n, self.clock(t_ms))
        self.record.number(t_ms, self.side, "i", 1 if good else 0)

    def act(self, t_ms, what, value):
        """Do what the script says."""
        session = self.session
        code = 0
        self.now_ms = t_ms
        self.is_touched = True
        try:
            if what == "write":
                self.writes.append(value)
            elif what == "oob":
                code = 1 if session.send_oob(_PATTERN[value : 2 * value]) else 0
            elif what == "set":
                session.set(**CHANGES[value])
            elif what == "probe":
                session.probe()
            elif what == "log":
                session.set_logger("output_all,input_all,send", self._log)
            elif what == "close":
                session.close(self.clock(t_ms), value)
            elif what == "junk":
                rng = Rng(value, 13)
                self.take(bytes([rng.below(256) for _ in range(value)]), t_ms)
        except ValueError:
            code = -1
        except OSError as error:
            self._failed(t_ms, error)
        self.record.number(t_ms, self.side, what[0], code)

    def _failed(self, t_ms, error):
        self.record.data(t_ms, self.side, "x", ERRORS[error.args[0]].encode())

    def work(self, t_ms):
        """The application's turn: read, then write what is waiting."""
        every = self.read_every_ms
        self.now_ms = t_ms
        if not every or t_ms % every == 0:
            while self._read(t_ms) and not every:
                pass
        while self.writes:
            n = self.writes[0]
            begin = self.n_written % _PATTERN_BYTES
            try:
                taken = self.session.send(_PATTERN[begin : begin + n])
            except OSError as error:
                self._failed(t_ms, error)
                self.writes = []
                return
            if not taken:
                return
            self.record.number(t_ms, self.side, "w", taken)
            self.n_written += taken
            if taken < n:
                self.writes[0] = n - taken
            else:
                self.writes.pop(0)

    def _read(self, t_ms):
        """Read as much as the buffer takes: one call may give less than there is."""
        room = memoryview(self.read_buf)
        n = taken = self.session.recv_into(self.read_buf)
        while taken and n < len(room):
            taken = self.session.recv_into(room[n:])
            n += taken
        if n:
            data = bytes(room[:n])
            self.record.data(t_ms, self.side, "r", data)
            begin = self.n_read % _PATTERN_BYTES
            if self.plan.is_safe and data != _PATTERN[begin : begin + n]:
                raise AssertionError("what was read is not what was written, at %d ms" % t_ms)
            self.n_read += n
        return n

    def look_ahead(self, t_ms):
        """Find out when it has to be looked at again."""
        wait_ms = self.session.timeout(self.clock(t_ms))
        self.record.number(t_ms, self.side, "t", wait_ms)
        if wait_ms == 0:
            raise AssertionError("timeout() is 0 after output() had nothing, at %d ms" % t_ms)
        next_ms = t_ms + wait_ms if wait_ms > 0 else -1
        every = self.read_every_ms
        if every and self.session.readable:
            read_ms = t_ms // every * every + every
            next_ms = read_ms if next_ms < 0 else min(next_ms, read_ms)
        self.next_ms = next_ms
        self.is_touched = False

    def is_done(self):
        """Nothing to write, nothing unacknowledged; or the end."""
        session = self.session
        if session.state == CLOSED:
            return True
        return not self.writes and not session.unacked_bytes

    def finish(self, t_ms):
        """Record how it stands at the end."""
        session, record, side = self.session, self.record, self.side
        for value in (
            session.state,
            session.lost_bytes,
            session.unacked_bytes,
            session.readable,
            session.rtt_ms,
            session.rto_ms,
            1 if session.heard else 0,
        ):
            record.number(t_ms, side, "g", value)
        why = "%s %s" % (ERRORS[session.error], session.why)
        record.data(t_ms, side, "y", why.encode())
        counts = ["%s=%d" % (name, getattr(session.stats, name)) for name in NAMES]
        record.data(t_ms, side, "c", " ".join(counts).encode())


class Conversation:
    """A scenario under way."""

    def __init__(self, number, trace=None):
        self.plan = plan = Plan(number)
        self.record = Record(trace)
        self.links = (Link(plan.links[0], number, 0), Link(plan.links[1], number, 1))
        self.sides = [Side(plan, side, self.record) for side in (0, 1)]
        self.now_ms = 0
        self.n_datagrams = self.n_bytes = 0
        self.stats = Stats()
        self.ends = {}  # "open", "closed" or an error -> how many sessions ended so
        self._script = list(plan.script)
        self._under_way = []
        self._quiet_ms = -1  # since when all is done

    def _pull(self, side):
        """Have a side send what is due."""
        end, now_ms = self.sides[side], self.now_ms
        clock_ms = end.clock(now_ms)
        output, buf = end.session.output, end.buf
        n = output(buf, clock_ms)
        while n:
            data = bytes(memoryview(buf)[:n])
            self.record.data(now_ms, side, ">", data)
            self.n_bytes += n
            for arrival_ms, copy in self.links[side].send(now_ms, data):
                entry = (arrival_ms, self.n_datagrams, 1 - side, copy)
                heapq.heappush(self._under_way, entry)
            self.n_datagrams += 1
            n = output(buf, clock_ms)

    def _moment(self):
        """What arrives, what the script says, the applications, and what the sessions answer."""
        now_ms, under_way, sides = self.now_ms, self._under_way, self.sides
        while under_way and under_way[0][0] <= now_ms:
            _, _, side, data = heapq.heappop(under_way)
            sides[side].take(data, now_ms)
        while self._script and self._script[0][0] <= now_ms:
            _, side, what, value = self._script.pop(0)
            if what == "restart":
                self._leave(sides[side])
                sides[side] = Side(self.plan, side, self.record, now_ms)
            else:
                sides[side].act(now_ms, what, value)
        for end in sides:
            if end.is_touched or 0 <= end.next_ms <= now_ms:
                end.work(now_ms)
                self._pull(end.side)
                end.look_ahead(now_ms)

    def _next_ms(self):
        """The next moment at which something happens; -1 = none."""
        times = [end.next_ms for end in self.sides]
        if self._under_way:
            times.append(self._under_way[0][0])
        if self._script:
            times.append(self._script[0][0])
        elif self.sides[0].is_done() and self.sides[1].is_done() and not self._under_way:
            if self._quiet_ms < 0:
                self._quiet_ms = self.now_ms
            if self.now_ms >= self._quiet_ms + _QUIET_MS:
                return -1
        else:
            self._quiet_ms = -1
        times = [ms for ms in times if ms >= 0]
        return min(times) if times else -1

    def _leave(self, end):
        """Record how an end stands, and add it to the sums."""
        end.finish(self.now_ms)
        how = "closed" if end.session.state == CLOSED else "open"
        if end.session.error:
            how = ERRORS[end.session.error]
        self.ends[how] = self.ends.get(how, 0) + 1
        for name in NAMES:
            setattr(self.stats, name, getattr(self.stats, name) + getattr(end.session.stats, name))

    def run(self):
        """Run it to its end; return the digest."""
        while 0 <= self.now_ms <= LIMIT_MS and self.n_datagrams <= LIMIT_DATAGRAMS:
            self._moment()
            next_ms = self._next_ms()
            if next_ms < 0:
                break
            self.now_ms = next_ms
        for end in self.sides:
            self._leave(end)
        return self.record.digest()
