"""Datagrams that ask a KCP peer questions, for `kcp doctor`: built and read here, segment by
segment, so that nothing reaches the program behind the peer.

- WASK, the question for the window, is answered by WINS at the peer's next tick. As the first
  thing that comes from an address it makes the peer open a session, which cannot be helped.
- PUSH with sn 1, when there has never been an sn 0, is acknowledged every time and never handed
  out. Its acknowledgement echoes `ts`, which is a number of the probe here; its data fills the
  datagram up to the size in question. Acknowledgements come at the peer's next tick too, but at
  once when as many are waiting as fit into a datagram (62 at most): hence the bursts.
"""

import errno
import select
import socket
import time

_HEAD = 24
_PUSH, _ACK, _WASK, _WINS = 81, 82, 83, 84
_FEC_DATA, _FEC_PARITY = 0xF1, 0xF2
_FEC_HEAD = 8
_BUFFER_BYTES = 2048
_WND = 128
_FIRST_WAIT_S = 0.1
BURST = 3  # datagrams, of
BURST_SEGS = 21
LARGEST_BYTES = 1500  # that a KCP peer takes
# Linux's names, which the socket module does not have: send no fragments, believe no cache, and
# pass on what routers say.
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE = 10, 23, 3
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH)


class Refused(Exception):
    """The host said that nothing listens on the port."""


def connected_socket(address):
    """A UDP socket connected to an Address, so that a refusal is heard. OSError."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    family, kind, proto, _, where = found[0]
    sock = socket.socket(family, kind, proto)
    try:
        sock.setblocking(False)
        sock.connect(where)
        _ask_the_way(sock, family)
    except OSError:
        sock.close()
        raise
    return sock


def _ask_the_way(sock, family):
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    except OSError:  # another system: the largest datagram may then be one in fragments
        pass


class Wire:
    """One way of encrypting, and all that has been heard in it.

    heard: anything valid came; echoes: {number of a probe: when its first answer came, s};
    wnd: the peer's window in packets; largest_bytes: of the datagrams that came; n_fec: how many
    of them were FEC packets; n_parity: how many of these parity; unreachable: a router said that
    there is no way.
    """

    def __init__(self, sock, config):
        from kcp._random import fill, random_conv
        from kcp.packet import codec
        from kcp.tune import Tuner

        self.sock = sock
        self.config = config
        self.crypt = config.crypt
        self.codec = codec(config, fill)
        self.least_bytes = self.codec.head + _HEAD + self.codec.tail
        self.heard = self.unreachable = False
        self.echoes = {}
        self.wnd = None
        self.largest_bytes = self.n_fec = self.n_parity = 0
        self._conv = random_conv()
        self._tuner = Tuner()

    def hello(self):
        """Ask for the window."""
        self._send(_segment(self._conv, _WASK, 0, b""))

    def probe(self, number, n_segs=1, size=0):
        """Send a datagram of empty segments that are echoed with `number`, or of one segment that
        fills it up to `size` bytes. False: too long for the way out of this machine."""
        if size:
            segments = _segment(self._conv, _PUSH, number, bytes(size - self.least_bytes))
        else:
            segments = _segment(self._conv, _PUSH, number, b"") * n_segs
        return self._send(segments)

    def _send(self, segments):
        buf = bytearray(_BUFFER_BYTES)
        end = self.codec.head + len(segments)
        buf[self.codec.head : end] = segments
        n = self.codec.seal(buf, end)
        for _ in range(2):  # a router's word about an earlier one that was too long comes here too
            try:
                self.sock.send(memoryview(buf)[:n])
                return True
            except (BlockingIOError, InterruptedError):
                return True  # as if it were lost
            except OSError as error:
                _raise_if_refused(error)
                if error.errno == errno.ENOBUFS:
                    return True
                self.unreachable |= error.errno in _UNREACHABLE
                if error.errno != errno.EMSGSIZE and error.errno not in _UNREACHABLE:
                    raise
        return False

    def take(self, datagram):
        """Read a datagram. False if it does not belong to this wire."""
        n = len(datagram)
        buf = bytearray(_BUFFER_BYTES)
        buf[:n] = datagram
        off = self.codec.open(buf, n)
        end = n - self.codec.tail
        if off < 0 or end - off < 12:
            return False
        kind = buf[off + 4] | buf[off + 5] << 8
        if kind in (_FEC_DATA, _FEC_PARITY):
            if kind == _FEC_PARITY and not self.heard:
                return False
            seqid = int.from_bytes(buf[off : off + 4], "little")
            if kind == _FEC_DATA and not self._segments(buf, off + _FEC_HEAD, end):
                return False
            self._tuner.sample(kind == _FEC_DATA, seqid)
            self.n_fec += 1
            self.n_parity += kind == _FEC_PARITY
        elif not self._segments(buf, off, end):
            return False
        self.heard = True
        self.largest_bytes = max(self.largest_bytes, n)
        return True

    def _segments(self, buf, off, end):
        """Read KCP segments. False if they are not of this conversation."""
        if end - off < _HEAD or int.from_bytes(buf[off : off + 4], "little") != self._conv:
            return False
        now_s = time.monotonic()
        while end - off >= _HEAD and _PUSH <= buf[off + 4] <= _WINS:
            self.wnd = buf[off + 6] | buf[off + 7] << 8
            if buf[off + 4] == _ACK:
                self.echoes.setdefault(int.from_bytes(buf[off + 8 : off + 12], "little"), now_s)
            off += _HEAD + int.from_bytes(buf[off + 20 : off + 24], "little")
        return True

    @property
    def ratio(self):
        """The peer's FEC as (data, parity), or None while the packets do not tell."""
        return self._tuner.find() if self.n_parity else None


def _segment(conv, cmd, ts, data):
    """A KCP segment: of a peer that has received nothing; a PUSH is the second one, for ever."""
    head = conv.to_bytes(4, "little") + bytes((cmd, 0)) + _WND.to_bytes(2, "little")
    numbers = (ts, 1 if cmd == _PUSH else 0, 0, len(data))
    return head + b"".join([n.to_bytes(4, "little") for n in numbers]) + data


def _raise_if_refused(error):
    if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
        raise Refused from None


def listen(sock, wires, until_s, done):
    """Give what arrives to the first wire that it belongs to, until done() or until_s."""
    while not done():
        left_s = until_s - time.monotonic()
        if left_s <= 0 or not select.select([sock], [], [], left_s)[0]:
            return
        try:
            datagram = sock.recv(_BUFFER_BYTES)
        except (BlockingIOError, InterruptedError):
            continue
        except OSError as error:
            _raise_if_refused(error)
            if error.errno in _UNREACHABLE:
                for wire in wires:
                    wire.unreachable = True
            elif error.errno != errno.EMSGSIZE:  # a router's word about one that was too long
                raise
            continue
        any(wire.take(datagram) for wire in wires)


def answering(sock, wires, timeout_s):
    """Say hello in several ways at once, again and again; the wire that is answered, or None."""
    end_s = time.monotonic() + timeout_s
    wait_s = _FIRST_WAIT_S
    while time.monotonic() < end_s:
        for wire in wires:
            wire.hello()
        until_s = min(time.monotonic() + wait_s, end_s)
        listen(sock, wires, until_s, lambda: any(wire.heard for wire in wires))
        for wire in wires:
            if wire.heard:
                return wire
        wait_s *= 2
    return None
