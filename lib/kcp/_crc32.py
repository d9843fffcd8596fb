"""CRC-32/IEEE (ISO 3309) for ports whose binascii has none (ESP8266).

In halves of 16 bits: a 32-bit number is a heap object on a 32-bit MicroPython.
"""

from array import array

_LOW = array("H", bytes(512))
_HIGH = array("H", bytes(512))


def _fill():
    for i in range(256):
        crc = i
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
        _LOW[i] = crc & 0xFFFF
        _HIGH[i] = crc >> 16


_fill()


def crc32(data, value: int = 0) -> int:
    """Return the CRC-32 of data, going on from `value`, the CRC-32 of what came before."""
    low, high = value & 0xFFFF ^ 0xFFFF, value >> 16 ^ 0xFFFF
    for byte in data:
        i = (low ^ byte) & 0xFF
        low = (low >> 8 | (high & 0xFF) << 8) ^ _LOW[i]
        high = high >> 8 ^ _HIGH[i]
    return (high ^ 0xFFFF) << 16 | low ^ 0xFFFF
