"""LoRa as a carrier (see `carrier`), over the modems of micropython-lib's package `lora-sync`.

    modem = lora.SX1262(spi, cs, busy=..., dio1=..., lora_cfg={...})
    carrier = LoraCarrier(modem, duty_percent=1)
    reader, writer = await kcp.open_connection(carrier=carrier, preset="lora")

One channel, half duplex: who sends hears nothing. So after each frame of its own an end leaves the
channel free for a frame's time and a random part of it, which gives the peer the word, and keeps
two ends that collided from doing so again. send() answers 0 meanwhile. A duty cycle, where the law
asks for one, makes the pause longer. The modem's low-level calls are used, which do not wait.
"""

import os

from ._clock import ticks_diff, ticks_ms
from ._compat import const
from .carrier import Carrier, copy

_MAX_FRAME = const(255)
_TICKS_MASK = const(0x3FFFFFFF)


class LoraCarrier(Carrier):
    """A LoRa modem (see the module's text), for two ends with the same settings.

    mtu: bytes per frame, 50 to 255; duty_percent: how much of the time may be spent sending (100:
    no limit). n_bad: frames with a wrong CRC, where the modem hands them out; n_sent: frames sent;
    air_ms: time spent sending them, by the modem's own reckoning.
    """

    poll_ms = 10
    retry_ms = 10

    def __init__(self, modem, mtu: int = 200, duty_percent: float = 100):
        if not 50 <= mtu <= _MAX_FRAME:
            raise ValueError("mtu must be 50..255 bytes, not %r" % mtu)
        if not 0 < duty_percent <= 100:
            raise ValueError("duty_percent must be above 0 and at most 100")
        self.mtu = mtu
        self._modem = modem
        self._duty_percent = duty_percent
        self._is_sending = False
        self._free_ms = None  # until when the channel is left to others, after a frame of ours
        self._pause_ms = 0
        self.n_bad = self.n_sent = self.air_ms = self.n_too_long = 0

    def send(self, buf, n, key=None):
        """Start to send buf[0:n]. 0: a frame is in the air, or it is the peer's turn."""
        if n > self.mtu:
            self.n_too_long += 1
            return -1
        if self._is_busy():
            return 0
        modem = self._modem
        air_ms = modem.get_time_on_air_us(n) // 1000 + 1
        modem.prepare_send(memoryview(buf)[:n])
        modem.start_send()
        self._is_sending = True
        self._pause_ms = air_ms + air_ms * os.urandom(1)[0] // 256
        least_ms = int(air_ms * (100 - self._duty_percent) / self._duty_percent)
        if self._pause_ms < least_ms:
            self._pause_ms = least_ms
        self.n_sent += 1
        self.air_ms += air_ms
        return n

    def _is_busy(self):
        if self._is_sending:
            if self._modem.poll_send() is True:
                return True
            self._is_sending = False
            self._free_ms = (ticks_ms() + self._pause_ms) & _TICKS_MASK
        if self._free_ms is not None:
            if ticks_diff(self._free_ms, ticks_ms()) > 0:
                return True
            self._free_ms = None
        return False

    def recv_into(self, buf):
        """Take the frame that the modem has received; see that it listens."""
        self._is_busy()  # (notices the end of a frame; the modem then listens again by itself)
        if self._is_sending:
            return 0
        modem = self._modem
        packet = modem.poll_recv()
        if packet is False:  # it does not listen: at the beginning, or somebody has stopped it
            modem.start_recv(continuous=True)
            return 0
        if packet is True:
            return 0
        if not packet.valid_crc:
            self.n_bad += 1
            return 0
        n = len(packet)
        copy(buf, packet, n)
        return n
