# upy: heapsize=8m arm=no
"""The carriers allocate nothing per datagram (64-bit; what the stream or the radio does apart)."""

import micropython

from kcp.carrier import memory_pair
from kcp.espnow import EspNowCarrier
from kcp.serial import SerialCarrier

N_DATAGRAMS = 40


class Loop:
    """A stream that gives back what was written, without allocating."""

    def __init__(self):
        self.held = bytearray(2000)
        self.n = self.at = 0

    def write(self, view):
        for i in range(len(view)):
            self.held[i] = view[i]
        self.n = len(view)
        self.at = 0
        return self.n

    def readinto(self, view):
        n = min(len(view), self.n - self.at)
        for i in range(n):
            view[i] = self.held[self.at + i]
        self.at += n
        return n


class Echo:
    """An ESP-NOW device whose frames come back."""

    mac = b"\x02AAAAA"

    def __init__(self):
        self.n = 0

    def send(self, mac, msg, sync):
        self.n = len(msg)

    def recvinto(self, data, timeout_ms):
        n, self.n = self.n, 0
        data[0] = self.mac
        return n


def pass_all(sender, receiver):
    """Send datagrams of one length and take them at the other end; True if all came."""
    out, buf = bytearray(range(200)), bytearray(1500)
    sender.send(out, 200)
    receiver.recv_into(buf)
    n_good = 0
    micropython.heap_lock()
    try:
        for _ in range(N_DATAGRAMS):
            sender.send(out, 200)
            n_good += receiver.recv_into(buf) == 200
    finally:
        micropython.heap_unlock()
    return n_good == N_DATAGRAMS


def test_the_memory_pair():
    assert pass_all(*memory_pair(limit=1))


def test_serial_lines():
    for framing in ("cobs", "serialpacket"):
        carrier = SerialCarrier(Loop(), framing)
        assert pass_all(carrier, carrier)
        assert carrier.n_bad == 0


def test_espnow():
    carrier = EspNowCarrier(Echo(), Echo.mac)
    assert pass_all(carrier, carrier)
