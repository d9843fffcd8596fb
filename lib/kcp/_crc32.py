"""CRC-32/IEEE (ISO 3309) for ports whose binascii has none (ESP8266).

In halves of 16 bits where it is Python that counts: a 32-bit number is a heap object on a 32-bit
MicroPython.
"""

from array import array

from ._backend import VIPER


def _word(i):
    for _ in range(8):
        i = i >> 1 ^ (0xEDB88320 if i & 1 else 0)
    return i


def halves_twin():
    """Return crc32() in plain Python."""
    words = [_word(i) for i in range(256)]
    low, high = array("H", [w & 0xFFFF for w in words]), array("H", [w >> 16 for w in words])

    def crc32(data, value=0):
        return _crc32_halves(data, value, low, high)

    return crc32


def viper_twin():
    """Return crc32() as machine code (see _viper.py)."""
    from ._viper import crc32 as run

    words, mask = array("I", [_word(i) for i in range(256)]), 0xFFFFFFFF

    def crc32(data, value=0):
        return run(data, len(data), words, value, mask)

    return crc32


#: crc32(data, value=0): the CRC-32 of data, going on from `value`, the one of what came before.
crc32 = viper_twin() if VIPER else halves_twin()


def _crc32_halves(data, value, lows, highs):
    low, high = value & 0xFFFF ^ 0xFFFF, value >> 16 ^ 0xFFFF
    for byte in data:
        i = (low ^ byte) & 0xFF
        low = (low >> 8 | (high & 0xFF) << 8) ^ lows[i]
        high = high >> 8 ^ highs[i]
    return (high ^ 0xFFFF) << 16 | low ^ 0xFFFF
