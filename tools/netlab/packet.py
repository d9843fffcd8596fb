"""IPv4 packets: whose they are, a NAT that can forget, and damage that reaches the program."""

import struct

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp"}
_TCP, _UDP = 6, 17
_SUM_AT = {_TCP: 16, _UDP: 6}  # where the checksum stands behind the IP header
_MAX_MAPPINGS = 4096
_FIRST_PORT = 20000


def has_ports(packet):
    """True for TCP and UDP, but for the later fragments of a packet."""
    if packet[0] >> 4 != 4 or packet[9] not in _SUM_AT or len(packet) < (packet[0] & 15) * 4 + 8:
        return False
    return not struct.unpack_from(">H", packet, 6)[0] & 0x1FFF


def flow_of(packet, is_up):
    """(protocol, port of the far end) of an IPv4 packet on its way up (to the far end) or down."""
    name = PROTOCOLS.get(packet[9], "other")
    if not has_ports(packet):
        return name, 0
    at = (packet[0] & 15) * 4 + (2 if is_up else 0)
    return name, struct.unpack_from(">H", packet, at)[0]


def patched_sum(checksum, old, new):
    """An Internet checksum after some of the bytes under it have changed (RFC 1624)."""
    total = ~checksum & 0xFFFF
    for i in range(0, len(old), 2):
        total += (~(old[i] << 8 | old[i + 1]) & 0xFFFF) + (new[i] << 8 | new[i + 1])
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def _rewrite(packet, address_at, address, port_at, port):
    """The packet with another address and port, and right checksums."""
    head = (packet[0] & 15) * 4
    packet = bytearray(packet)
    sum_at = head + _SUM_AT[packet[9]]
    old = bytes(packet[address_at : address_at + 4] + packet[port_at : port_at + 2])
    new = address + struct.pack(">H", port)
    ip_sum, own_sum = struct.unpack_from(">H", packet, 10)[0], 0
    struct.pack_into(">H", packet, 10, patched_sum(ip_sum, old[:4], new[:4]))
    own_sum = struct.unpack_from(">H", packet, sum_at)[0]
    if packet[9] == _TCP or own_sum:  # 0 with UDP: none
        own_sum = patched_sum(own_sum, old, new) or 0xFFFF
        struct.pack_into(">H", packet, sum_at, own_sum)
    packet[address_at : address_at + 4] = address
    packet[port_at : port_at + 2] = new[4:]
    return bytes(packet)


class Nat:
    """What stands before the near end. At first it changes nothing; each `rebind` it forgets all
    conversations, which go on from new ports then, or from a new address too. What still comes
    for the old ones goes nowhere (`stale`).

    addresses: of the NAT, 4 bytes each, taken by turns; the first is the near end's own.
    """

    def __init__(self, addresses):
        self.addresses = addresses
        self.n_rebinds = 0
        self.stale = 0
        self._n_address = 0
        self._n_port = 0
        self._out = {}  # (protocol, address, port) of the near end -> what stands for it
        self._back = {}

    def rebind(self, kind):
        """Forget. kind: "port", or "address" for both."""
        self.n_rebinds += 1
        self._n_address += kind == "address"
        self._out.clear()
        self._back.clear()

    def outward(self, packet):
        """A packet of the near end as it goes out."""
        if not self.n_rebinds or not has_ports(packet):
            return packet
        head = (packet[0] & 15) * 4
        inside = (packet[9], packet[12:16], struct.unpack_from(">H", packet, head)[0])
        outside = self._out.get(inside) or self._remember(inside)
        return _rewrite(packet, 12, outside[1], head, outside[2])

    def _remember(self, inside):
        if len(self._out) >= _MAX_MAPPINGS:
            oldest = next(iter(self._out))
            del self._back[self._out.pop(oldest)]
        self._n_port = (self._n_port + 1) % 40000
        address = self.addresses[self._n_address % len(self.addresses)]
        outside = (inside[0], address, _FIRST_PORT + self._n_port)
        self._out[inside] = outside
        self._back[outside] = inside
        return outside

    def inward(self, packet):
        """A packet for the near end as it gets there; None: it does not."""
        if not self.n_rebinds or not has_ports(packet):
            return packet
        head = (packet[0] & 15) * 4
        outside = (packet[9], packet[16:20], struct.unpack_from(">H", packet, head + 2)[0])
        inside = self._back.get(outside)
        if inside is None:
            self.stale += 1
            return None
        return _rewrite(packet, 16, inside[1], head + 2, inside[2])


def let_through(copy, packet):
    """A copy that the link has damaged, so that damage to the data of UDP reaches the program.

    The kernel drops what has a wrong checksum, as it does with almost all damage on real links;
    what a program's own checksums are for is the rest. UDP can go without one: it is taken out if
    the headers are whole. TCP has to have its checksum, so there damage is loss.
    """
    head = (packet[0] & 15) * 4 + 8
    if packet[9] != _UDP or not has_ports(packet) or copy[:head] != packet[:head]:
        return copy
    return copy[: head - 2] + b"\x00\x00" + copy[head:]
