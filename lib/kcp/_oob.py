"""Out-of-band datagrams: sent at once, once, unordered, beside the stream (kcp-go's SendOOB).

    seqid 4 (0xFFFFFFFF) | type 2 (0xF3) | size 2 | conv 4 | payload

The frame is an FEC packet's, so only a side that has FEC on may send them; the packet belongs to
no group and is neither protected nor acknowledged. Any side can receive them. Loaded when the
first one is sent or the first handler is set.
"""

from ._compat import const

_HEAD = b"\xff\xff\xff\xff\xf3\x00"
_CONV_BYTES = const(4)
_SIZE_BYTES = const(2)


class Outbox:
    """The out-of-band packets that a session has to send: at most config.sndwnd of them."""

    def __init__(self, session):
        self._session = session
        self.packets = []  # from the FEC head on

    def put(self, data) -> bool:
        """Queue a payload; False: the queue is full, and the packet is dropped (OOBDrops)."""
        session = self._session
        if len(data) > session.max_oob_bytes:
            raise ValueError(
                "an out-of-band packet takes at most %d bytes with this mtu, not %d"
                % (session.max_oob_bytes, len(data))
            )
        if len(self.packets) >= session.config.sndwnd:
            session.stats.OOBDrops += 1
            return False
        n = len(data) + _CONV_BYTES + _SIZE_BYTES
        head = _HEAD + n.to_bytes(2, "little") + session.conv.to_bytes(4, "little")
        self.packets.append(head + bytes(data))
        return True

    def take(self, buf, off) -> int:
        """Write the oldest packet to buf[off:]; return its end."""
        packet = self.packets.pop(0)
        end = off + len(packet)
        buf[off:end] = packet
        return end


def guarded(handler, report):
    """Return `handler` so that an exception in it is reported and goes no further."""

    def call(data):
        try:
            handler(data)
        except Exception as error:
            report(error, "exception in the handler of out-of-band packets")

    return call
