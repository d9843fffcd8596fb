"""ESP-NOW and LoRa, on fakes that do what the manuals of MicroPython's espnow and of
micropython-lib's lora say (and espnow's C source where the manual is silent)."""

# upy: heapsize=8m

import asyncio

from loopback import pattern, soon

import kcp
from kcp import blocking
from kcp._clock import ticks_diff, ticks_ms
from kcp.espnow import EspNowCarrier
from kcp.lora import LoraCarrier

A, B, C = b"\x02AAAAA", b"\x02BBBBB", b"\x02CCCCC"


class FakeEspNow:
    """An ESP-NOW device. ether: all devices by MAC. Its receive buffer drops what does not fit."""

    def __init__(self, ether, mac, room=8, loses_every=0, rxbuf=526):
        self.ether = ether
        self.mac = mac
        ether[mac] = self
        self.peers = []
        self.inbox = []
        self.rxbuf = rxbuf
        self.room = room
        self.n_room = room  # frames that the driver takes until refill()
        self.loses_every = loses_every
        self.n_sent = self.n_dropped = 0

    def add_peer(self, mac):
        if len(self.peers) == 20:
            raise OSError(-0x3068, "ESP_ERR_ESPNOW_FULL")
        self.peers.append(mac)

    def del_peer(self, mac):
        if mac not in self.peers:
            raise OSError(-0x3069, "ESP_ERR_ESPNOW_NOT_FOUND")
        self.peers.remove(mac)

    def send(self, mac, msg, sync=True):
        assert sync is False and len(mac) == 6 and 0 < len(msg) <= 250
        if mac not in self.peers:
            raise OSError(-0x3069, "ESP_ERR_ESPNOW_NOT_FOUND")
        if self.n_room == 0:
            self.n_room = self.room
            raise OSError(-0x3067, "ESP_ERR_ESPNOW_NO_MEM")
        self.n_room -= 1
        self.n_sent += 1
        peer = self.ether.get(mac)
        if peer is None or (self.loses_every and self.n_sent % self.loses_every == 0):
            return True
        if sum(len(m) + 12 for _, m in peer.inbox) + len(msg) + 12 > peer.rxbuf:
            peer.n_dropped += 1
            return True
        peer.inbox.append((self.mac, bytes(msg)))
        return True

    def recvinto(self, data, timeout_ms):
        assert timeout_ms == 0
        if not self.inbox:
            return 0
        data[0], msg = self.inbox.pop(0)
        data[1] = bytearray(msg)  # (the module sets the length of the bytearray)
        return len(msg)


async def echo(reader, writer):
    while True:
        data = await reader.read(1000)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()


async def exchange(stream, data):
    stream.write(data)
    return await soon(stream.readexactly(len(data)))


def finish(server, *streams):
    for stream in streams:
        stream.close(0)
    for link in list(server.endpoint.links.values()):
        link.close(0)
    server.close()


async def test_espnow_with_losses_and_two_clients():
    ether = {}
    devices = [FakeEspNow(ether, mac, 3, 9) for mac in (A, B, C)]
    carriers = [EspNowCarrier(devices[0])] + [EspNowCarrier(d, A) for d in devices[1:]]
    server = await kcp.start_server(echo, carrier=carriers[0], preset="espnow", mode="fast3")
    streams = []
    for carrier in carriers[1:]:
        stream, _ = await kcp.open_connection(carrier=carrier, preset="espnow", mode="fast3")
        streams.append(stream)
    for i, stream in enumerate(streams):
        data = pattern(4000, i)
        assert await exchange(stream, data) == data
        assert carriers[i + 1].n_full > 0  # the driver was full, and nothing was lost by that
        assert stream.get_extra_info("session").stats.OutDrops == 0
    assert sorted(server.endpoint.links) == [B, C]
    finish(server, *streams)
    await asyncio.sleep(0)


def test_espnow_has_room_for_twenty_peers_and_serves_any_number():
    esp = FakeEspNow({}, A, room=1000)
    esp.add_peer(B)  # by the program
    server = EspNowCarrier(esp)
    macs = [bytes([2, 0, 0, 0, 0, i]) for i in range(50)]
    for _ in range(2):
        for mac in macs:
            assert server.send(bytes(100), 100, mac) == 100
    assert len(esp.peers) == 20 and esp.peers[0] == B and esp.peers[-1] == macs[-1]
    assert len(server._added) == 19 and server.n_lost == 0
    esp.peers = [bytes([0, 0, 0, 0, 0, i]) for i in range(20)]  # all by the program
    assert server.send(bytes(100), 100, C) == -1 and server.n_lost == 1
    assert server._added == []


def test_espnow_refusals():
    ether = {}
    esp = FakeEspNow(ether, A)
    FakeEspNow(ether, B)
    carrier = EspNowCarrier(esp, B)
    buf = bytearray(1500)
    assert carrier.send(buf, 251) == -1 and carrier.send(buf, 250) == 250
    assert esp.peers == [B]  # registered when it was first needed
    assert carrier.recv_into(buf) == 0
    esp.inbox += [(C, b"stranger"), (B, b"friend")]
    assert carrier.recv_into(buf) == 6 and buf[:6] == b"friend"
    assert carrier.key is None and carrier.n_strangers == 1
    server = EspNowCarrier(esp)
    esp.peers = [bytes([0, 0, 0, 0, 0, i]) for i in range(20)]
    assert server.send(buf, 100, C) == -1 and server.n_lost == 1
    esp.n_room = 0
    assert server.send(buf, 100, esp.peers[3]) == 0 and server.n_full == 1
    assert server.send(buf, 100, esp.peers[3]) == 100

    def fails(*_):
        raise OSError(-0x3065, "ESP_ERR_ESPNOW_NOT_INIT")

    esp.send = esp.recvinto = fails
    assert server.send(buf, 100, C) == -1 and server.recv_into(buf) == 0
    for wrong in (b"short", b"too long"):
        try:
            EspNowCarrier(esp, wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


class Packet(bytearray):
    """As lora.RxPacket."""

    valid_crc = True


class FakeModem:
    """A half-duplex modem: what comes while it sends, or while two send, is lost."""

    def __init__(self):
        self.us_per_byte = 25
        self.other = None
        self.packet = None  # received
        self.is_receiving = False
        self._resumes = False
        self._until_ms = None  # the end of the frame being sent
        self._frame = None
        self.is_spoilt = False
        self.n_collisions = 0

    def get_time_on_air_us(self, n):
        return 2000 + self.us_per_byte * n

    def prepare_send(self, packet):
        assert self._until_ms is None and 0 < len(packet) <= 255
        self._resumes, self.is_receiving = self.is_receiving, False
        self._frame = bytes(packet)

    def start_send(self):
        air_ms = self.get_time_on_air_us(len(self._frame)) // 1000
        self._until_ms = ticks_ms() + air_ms
        self.is_spoilt = False
        if self.other.is_on_air():
            self.n_collisions += 1
            self.is_spoilt = self.other.is_spoilt = True
        return False

    def is_on_air(self):
        return self._until_ms is not None and ticks_diff(self._until_ms, ticks_ms()) > 0

    def poll_send(self):
        if self._until_ms is None:
            return False
        if self.is_on_air():
            return True
        self._until_ms = None
        self.is_receiving = self._resumes
        if not self.is_spoilt and self.other.is_receiving:
            self.other.packet = Packet(self._frame)
        return ticks_ms()

    def start_recv(self, timeout_ms=None, continuous=False, rx_length=0xFF):
        assert continuous and timeout_ms is None and self._until_ms is None
        self.is_receiving = True
        return False

    def poll_recv(self, rx_packet=None):
        if self.packet is not None:
            packet, self.packet = self.packet, None
            return packet
        return self.is_receiving


def modems():
    a, b = FakeModem(), FakeModem()
    a.other, b.other = b, a
    return a, b


QUICK = {"preset": "lora", "interval": 20, "pacing": False}  # the fakes are faster than a radio


async def test_lora_both_ways():
    a, b = modems()
    ours, theirs = LoraCarrier(a), LoraCarrier(b)
    ours.poll_ms = theirs.poll_ms = ours.retry_ms = theirs.retry_ms = 1
    server = await kcp.start_server(echo, carrier=ours, **QUICK)
    stream, _ = await kcp.open_connection(carrier=theirs, **QUICK)
    data = pattern(1200)
    assert await exchange(stream, data) == data
    assert theirs.n_sent >= 7 and theirs.air_ms >= 7 * 6
    finish(server, stream)
    await asyncio.sleep(0)


def test_lora_blocking():
    a, b = modems()
    server = blocking.listen(carrier=LoraCarrier(a), **QUICK)
    server.settimeout(30)
    client = blocking.connect(carrier=LoraCarrier(b), timeout=30, **QUICK)
    client.send(b"over the air")
    peer, _ = server.accept()
    peer.settimeout(30)
    assert peer.recv(100) == b"over the air"
    client.close()
    peer.close()
    server.close()


def wait_until(condition):
    begin_ms = ticks_ms()
    while not condition():
        assert ticks_diff(ticks_ms(), begin_ms) < 20000
    return ticks_diff(ticks_ms(), begin_ms)


def test_lora_takes_turns_and_keeps_the_duty_cycle():
    a, _ = modems()
    a.us_per_byte = 500  # 102 ms per frame: longer than this test is likely to be held up
    buf = bytearray(1500)
    for duty_percent, least_ms in ((100, 204), (10, 1020)):
        carrier = LoraCarrier(a, duty_percent=duty_percent)
        assert carrier.recv_into(buf) == 0 and a.is_receiving  # it listens
        assert carrier.send(buf, 201) == -1
        assert carrier.send(buf, 200) == 200 and carrier.send(buf, 200) == 0
        assert not a.is_receiving and carrier.recv_into(buf) == 0
        assert wait_until(lambda: carrier.send(buf, 200)) >= least_ms - 4  # noqa: B023
        wait_until(lambda: a.poll_send() is not True)
        carrier.recv_into(buf)
        assert a.is_receiving  # again
    a.packet = Packet(b"bad sum")
    a.packet.valid_crc = False
    assert carrier.recv_into(buf) == 0 and carrier.n_bad == 1
    for options in ({"mtu": 256}, {"mtu": 49}, {"duty_percent": 0}, {"duty_percent": 101}):
        try:
            LoraCarrier(a, **options)
        except ValueError:
            continue
        raise AssertionError(options)
