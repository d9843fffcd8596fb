"""kcp-go's "xor": the datagram XORed with a table made of the key.

It hides nothing from somebody who sees a few packets; it only keeps strangers from being read by
chance. The table is PBKDF2-HMAC-SHA1 (RFC 8018) of the key, 32 rounds, as long as the largest
datagram.
"""

from array import array

from kcp._compat import MICROPYTHON, const
from kcp.kdf import pbkdf2_sha1

from ._frame import Framed
from ._mix import WORD, Mixer

_SALT = b"sH3CIVoF#rWLtJo6"
_ROUNDS = const(32)
_TABLE_BYTES = const(1500)
_from_bytes = int.from_bytes


class XorInts(Framed):
    """For CPython: one XOR of two big ints."""

    def __init__(self, table, fill):
        super().__init__(fill)
        self._table = table
        self._ints = {}  # n -> the table's first n bytes as a number

    def encrypt(self, buf, n):
        """XOR buf[0:n] with the table."""
        number = self._ints.get(n)
        if number is None:
            if len(self._ints) >= 16:
                self._ints.clear()
            number = self._ints[n] = _from_bytes(self._table[:n], "little")
        buf[:n] = (_from_bytes(buf[:n], "little") ^ number).to_bytes(n, "little")

    decrypt = encrypt


class XorWords(Framed):
    """For MicroPython: word by word, without allocating."""

    def __init__(self, table, fill):
        super().__init__(fill)
        self._mixer = Mixer(_TABLE_BYTES + 4)
        self._mixer.ks = array(WORD, table + bytes(4))

    def encrypt(self, buf, n):
        """XOR buf[0:n] with the table."""
        self._mixer.apply(buf, 0, n)

    decrypt = encrypt


def table_of(key) -> bytes:
    """Return the table that the key makes."""
    return pbkdf2_sha1(key, _SALT, _ROUNDS, _TABLE_BYTES)


def new(name, key, fill):
    """Return a codec with the table that the key makes."""
    table = table_of(key)
    return XorWords(table, fill) if MICROPYTHON else XorInts(table, fill)
