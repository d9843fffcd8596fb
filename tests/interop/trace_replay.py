"""Replays what kcp-go's ARQ was asked to do on kcp.arq.Arq and demands the same datagrams.

Runs on CPython and MicroPython:  python trace_replay.py FILE  (with lib on the path).
What a trace looks like: trace_format.py.

kcp-go's clock runs modulo 2**32 from start_ts, ours modulo 2**30 from an offset of its own. So the
ts of an endpoint's PUSH, and the ts of the ACKs that echo it, are translated between the two; what
stems from the peer's clock stays as it is.
"""

import sys
from binascii import crc32

from trace_format import (
    ACK,
    PUSH,
    datagram,
    decode,
    parse_fields,
    pattern_at,
    put_u32,
    segments,
    u32,
)

from kcp.arq import Arq

M30 = 0x3FFFFFFF
M32 = 0xFFFFFFFF
#: kcp-go's congestion window, while it was never on
_WINDOW = {"cwnd": 0, "ssthresh": 2}


class Difference(Exception):
    """Arq did not do what kcp-go did; the message says where and what."""


class Totals:
    """What has been replayed, and which situations occurred in it."""

    NAMES = (
        "schedules",
        "endpoints",
        "events",
        "datagrams",
        "push",
        "ack",
        "wask",
        "wins",
        "closed_windows",  # segments that advertise wnd 0
        "messages",  # messages read
        "fec_inputs",
        "refused_inputs",
        "changes",  # of windows or nodelay settings in mid-run
        "mtu_changes",
        "fast",
        "early",
        "lost",
        "repeats",
        "sn_wraps",
        "go_clock_wraps",
        "our_clock_wraps",
    )

    def __init__(self):
        self.counts = dict.fromkeys(self.NAMES, 0)

    def add(self, name, n=1):
        self.counts[name] += n

    def line(self):
        return " ".join("%s=%d" % (name, self.counts[name]) for name in self.NAMES)


class Endpoint:
    """One Arq under replay. offset: what its clock reads at time 0."""

    def __init__(self, schedule, settings, offset, totals):
        self.schedule, self.offset, self.totals = schedule, offset, totals
        self.start_ts, self.conv = schedule["start_ts"], schedule["conv"]
        self.settings = dict(settings)
        self.end = settings.pop("end")
        settings["stream"] = bool(settings["stream"])
        settings["ack_nodelay"] = bool(settings["ack_nodelay"])
        self.arq = Arq(self.conv, **settings)
        self.buf = bytearray(self.arq.buffer_bytes)
        self.sent = 0  # position in its pattern
        self.outputs = []
        self.time = 0
        self.n_events = 0
        self.event = "(none yet)"

    # -- the two clocks ------------------------------------------------------------------------

    def now(self):
        return (self.time + self.offset) & M30

    def from_go(self, ts):
        return (ts - self.start_ts + self.offset) & M30

    def translate(self, buf, cmd_of_own_ts):
        """Bring the ts of our own clock in a datagram of the trace to our clock."""
        for off, cmd, _ in segments(buf, len(buf), self.conv):
            if cmd == cmd_of_own_ts:
                put_u32(buf, off + 8, self.from_go(u32(buf, off + 8)))

    # -- events --------------------------------------------------------------------------------

    def step(self, line):
        """Take one line of the trace."""
        words = line.split()
        kind = words[0]
        if kind == "o":
            self.expect_output(words[1:])
            return
        self.expect_no_output()
        if kind == "q":
            self.expect_state(words[1:])
            return
        self.n_events += 1
        self.event = line.strip()
        self.time = int(words[1])
        try:
            self.HANDLERS[kind](self, words)
        except Difference:
            raise
        except Exception as error:
            self.crash(error)

    def on_update(self, words):
        self.arq.update(self.now())
        self.pull()

    def on_input(self, words):
        regular = words[2] == "1"
        data = datagram(words[4:], 1 - self.end)
        self.translate(data, ACK)
        n = len(data)
        got = self.arq.input(data, 0, n, self.now(), regular)
        if got != int(words[3]):
            self.fail("input() returned %d, kcp-go's Input %s" % (got, words[3]))
        self.totals.add("fec_inputs", 0 if regular else 1)
        self.totals.add("refused_inputs", 1 if got else 0)
        self.pull()

    def on_send(self, words):
        n, ret = int(words[2]), int(words[3])
        data = pattern_at(self.end, self.sent, n)
        try:
            got = self.arq.send(data)
        except ValueError:
            got = -2
        if ret < 0:
            if got != ret:
                self.fail("send() took %d bytes, kcp-go refuses with %d" % (got, ret))
        elif got != n:
            self.fail("send() took %d of %d bytes" % (got, n))
        else:
            self.sent += n

    def on_recv(self, words):
        buf = bytearray(int(words[2]))
        got, ret = self.arq.recv_into(buf), int(words[3])
        if got != ret:
            self.fail("recv_into() returned %d, kcp-go's Recv %d" % (got, ret))
        if ret >= 0 and crc32(buf[:ret]) != int(words[4], 16):
            self.fail("recv_into() gave other bytes than kcp-go's Recv")
        self.totals.add("messages", 1 if got >= 0 else 0)

    def on_windows(self, words):
        self.arq.set_wndsize(int(words[2]), int(words[3]))
        self.totals.add("changes")

    def on_nodelay(self, words):
        self.arq.set_nodelay(*[int(word) for word in words[2:6]])
        self.totals.add("changes")

    def on_mtu(self, words):
        self.arq.set_mtu(int(words[2]))
        if self.arq.buffer_bytes > len(self.buf):
            self.buf = bytearray(self.arq.buffer_bytes)
        self.totals.add("mtu_changes")

    HANDLERS = {
        "u": on_update,
        "i": on_input,
        "s": on_send,
        "r": on_recv,
        "w": on_windows,
        "n": on_nodelay,
        "m": on_mtu,
    }

    # -- what must be the same -----------------------------------------------------------------

    def pull(self):
        while True:
            n = self.arq.output(self.buf, 0, self.now())
            if n == 0:
                return
            self.outputs.append(bytes(self.buf[:n]))

    def expect_output(self, tokens):
        want = datagram(tokens, self.end)
        self.count(want)
        self.translate(want, PUSH)
        if not self.outputs:
            self.fail("kcp-go emitted this and we did not:\n" + decode(want, self.conv))
        got = self.outputs.pop(0)
        if got != want:
            text = "kcp-go emitted (its own ts brought to our clock):\n%s\nwe emitted:\n%s"
            self.fail(text % (decode(want, self.conv), decode(got, self.conv)))

    def expect_no_output(self):
        if self.outputs:
            self.fail("we emitted this and kcp-go did not:\n" + decode(self.outputs[0], self.conv))

    def expect_state(self, words):
        for name, want in parse_fields(words).items():
            got = self.state(name)
            if (got - want) & M32:
                self.fail("%s is %d, with kcp-go %d" % (name, got, want))

    def state(self, name):
        """One number of ours by kcp-go's name for it."""
        arq = self.arq
        if name == "wait_snd":
            return arq.wait_snd()
        if name in _WINDOW:
            return getattr(arq._kcp_cc, name, _WINDOW[name])
        return getattr(arq, name)

    def count(self, buf):
        self.totals.add("datagrams")
        for off, cmd, _ in segments(buf, len(buf), self.conv):
            self.totals.add(("push", "ack", "wask", "wins")[cmd - PUSH])
            if not buf[off + 6] and not buf[off + 7]:
                self.totals.add("closed_windows")

    def fail(self, text):
        schedule = self.schedule
        raise Difference(
            "seed %d, schedule %d, endpoint %d, event %d at %d ms (our clock %d, kcp-go's %d)\n"
            "settings: %s\nevent: %s\n%s\n"
            "record it again with: kcppeer trace --state --seed %d --first %d"
            % (
                schedule["seed"],
                schedule["number"],
                self.end,
                self.n_events,
                self.time,
                self.now(),
                (self.start_ts + self.time) & M32,
                " ".join("%s=%d" % item for item in sorted(self.settings.items())),
                self.event,
                text,
                schedule["seed"],
                schedule["number"],
            )
        )

    def crash(self, error):
        """Arq raised what it never may: say where, then with which event."""
        if hasattr(sys, "print_exception"):
            sys.print_exception(error)
        else:
            sys.excepthook(type(error), error, error.__traceback__)
        self.fail("Arq raised %r" % error)

    def finish(self):
        """The last line has been taken: nothing may be left over; add up what occurred."""
        self.expect_no_output()
        totals, stats, settings = self.totals, self.arq.stats, self.settings
        totals.add("endpoints")
        totals.add("events", self.n_events)
        totals.add("fast", stats.FastRetransSegs)
        totals.add("early", stats.EarlyRetransSegs)
        totals.add("lost", stats.LostSegs)
        totals.add("repeats", stats.RepeatSegs)
        wrapped = (self.arq.snd_una & M32) < settings["snd_sn"]
        totals.add("sn_wraps", 1 if wrapped else 0)
        totals.add("go_clock_wraps", 1 if self.start_ts + self.time > M32 else 0)
        totals.add("our_clock_wraps", 1 if self.offset + self.time > M30 else 0)


def clock_offset(number):
    """What our clock reads when schedule `number` begins: every other one wraps soon."""
    if number & 1:
        return (M30 - number * 797 % 5000) & M30
    return number * 100003 & M30


def replay(lines, totals, differ=None):
    """Replay a trace (an iterable of lines) and count into totals.

    differ: called with each Difference, and the endpoint is left there; without it, the first
    one is raised.
    """
    schedule = endpoint = None
    for line in lines:
        try:
            if line[0] not in "SE":
                if endpoint:
                    endpoint.step(line)
                continue
            if endpoint:
                endpoint.finish()
        except Difference as difference:
            if differ is None:
                raise
            differ(difference)
        endpoint = None
        if line[0] == "S":
            schedule = parse_fields(line.split()[1:])
            totals.add("schedules")
        elif line[0] == "E":
            fields = parse_fields(line.split()[1:])
            endpoint = Endpoint(schedule, fields, clock_offset(schedule["number"]), totals)
    if endpoint:
        endpoint.finish()


def main():
    """Replay the files named; print differences and totals."""
    totals, differences = Totals(), []
    for name in sys.argv[1:]:
        with open(name) as file:
            replay(file, totals, differences.append)
    for difference in differences:
        print(difference)
        print()
    print("differences=%d %s" % (len(differences), totals.line()))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
