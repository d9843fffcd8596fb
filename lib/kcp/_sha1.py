"""SHA-1 (FIPS 180-4) for ports whose hashlib has none. Only for deriving keys: it is slow."""


class sha1:
    """sha1(data).digest(), as in hashlib; no update()."""

    def __init__(self, data):
        n = len(data)
        data = bytes(data) + b"\x80" + bytes((55 - n) % 64) + (8 * n).to_bytes(8, "big")
        state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
        for off in range(0, len(data), 64):
            state = _block(state, data, off)
        self._digest = b"".join([word.to_bytes(4, "big") for word in state])

    def digest(self) -> bytes:
        """Return the 20 bytes."""
        return self._digest


def _rotl(x, n):
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def _block(state, data, off):
    """Mix a block of 64 bytes into the state."""
    w = [int.from_bytes(data[i : i + 4], "big") for i in range(off, off + 64, 4)]
    for i in range(16, 80):
        w.append(_rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1))
    a, b, c, d, e = state
    for i in range(80):
        if i < 20:
            f = (b & c | ~b & d) + 0x5A827999
        elif i < 40:
            f = (b ^ c ^ d) + 0x6ED9EBA1
        elif i < 60:
            f = (b & c | b & d | c & d) + 0x8F1BBCDC
        else:
            f = (b ^ c ^ d) + 0xCA62C1D6
        a, b, c, d, e = (_rotl(a, 5) + f + e + w[i]) & 0xFFFFFFFF, a, _rotl(b, 30), c, d
    return tuple([(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d, e))])
