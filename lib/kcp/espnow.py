"""ESP-NOW as a carrier (see `carrier`), over MicroPython's module `espnow` on ESP32 and ESP8266.

    esp = espnow.ESPNow()           # a WLAN interface must be active, see MicroPython's manual
    esp.active(True)
    carrier = EspNowCarrier(esp, peer)                     # a client, or a pair of equals
    carrier = EspNowCarrier(esp)                           # a server: sessions by MAC address

Frames have at most 250 bytes and are lost silently: they are sent with sync=False, because waiting
for the radio's own acknowledgement would block the program, and would not say whether the peer's
receive buffer had room. That one holds two frames unless esp.config(rxbuf=...) says otherwise.
Where the driver has no memory for another frame (it waits some ms for it, then raises
ESP_ERR_ESPNOW_NO_MEM), the datagram waits; every other refusal counts as a loss.
"""

from errno import ENOMEM

from ._compat import const
from .carrier import Carrier, copy, pollable

_MAX_FRAME = const(250)
_NO_MEM = const(0x3067)  # ESP_ERR_ESPNOW_NO_MEM; MicroPython's OSError has it negated
_FULL = const(0x3068)
_NOT_FOUND = const(0x3069)


class EspNowCarrier(Carrier):
    """ESP-NOW (see the module's text). esp: an active ESPNow object; peer: the MAC address of the
    only peer, 6 bytes; None: any, as a server needs it. A peer that is not registered is added.
    The driver has room for 20: where there is none, the one that was added first is taken out (it
    is added again when something is sent to it). Peers that the program has added stay.

    n_full: times the driver had no memory; n_lost: frames that it refused; n_strangers: frames
    from others than `peer`.
    """

    mtu = _MAX_FRAME

    def __init__(self, esp, peer=None):
        if peer is not None and len(peer) != 6:
            raise ValueError("peer must be a MAC address of 6 bytes, not %r" % (peer,))
        self._esp = esp
        self._peer = None if peer is None else bytes(peer)
        self.poll_on = pollable(esp)
        self._data = [bytearray(6), bytearray(_MAX_FRAME)]
        self._view = memoryview(b"")
        self._view_of = None
        self._added = []  # peers that are registered, and not by the program
        self.n_full = self.n_lost = self.n_strangers = 0

    def send(self, buf, n, key=None):
        """Give buf[0:n] to the driver. 0: it has no memory for it."""
        if n > _MAX_FRAME:
            self.n_lost += 1
            return -1
        if buf is not self._view_of or len(self._view) != n:
            self._view = memoryview(buf)[:n]
            self._view_of = buf
        mac = self._peer if key is None else key
        try:
            try:
                self._esp.send(mac, self._view, False)
            except OSError as error:
                if not _is(error, _NOT_FOUND):
                    raise
                self._add(mac)
                self._esp.send(mac, self._view, False)
        except OSError as error:
            if error.errno == ENOMEM or _is(error, _NO_MEM):
                self.n_full += 1
                return 0
            self.n_lost += 1  # the interface is down...
            return -1
        return n

    def _add(self, mac):
        """Register a peer, instead of another one if need be."""
        added = self._added
        while True:
            try:
                self._esp.add_peer(mac)
                break
            except OSError as error:
                if not _is(error, _FULL) or not added:
                    raise
                self._drop(added.pop(0))
        added.append(bytes(mac))

    def _drop(self, mac):
        try:
            self._esp.del_peer(mac)
        except OSError:  # the program has done so
            pass

    def recv_into(self, buf):
        """Take a frame out of the driver's buffer."""
        data = self._data
        while True:
            try:
                n = self._esp.recvinto(data, 0)
            except (OSError, ValueError):  # not active; its buffer has run over
                return 0
            if not n:
                return 0
            mac = data[0]
            if self._peer is None:
                self.key = mac if isinstance(mac, bytes) else bytes(mac)  # (ESP8266 fills ours)
            elif mac != self._peer:
                self.n_strangers += 1
                continue
            copy(buf, data[1], n)
            return n


def _is(error, code):
    return error.errno == -code or error.errno == code
