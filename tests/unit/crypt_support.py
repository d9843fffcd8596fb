"""Helpers of the ciphers' tests: codecs with predictable nonces, and datagrams as bytes."""

import kcp.crypt as crypt

KEY = bytes(range(32))


def filler(nonce):
    """Return a fill(view) that gives `nonce` first, then its own bytes counted up."""
    state = [nonce]

    def fill(view):
        given = state[0]
        for i in range(len(view)):
            view[i] = given[i % len(given)]
        state[0] = bytes([(byte + 1) & 0xFF for byte in given])

    return fill


def new(name, key=KEY, nonce=bytes(range(50, 66))):
    return crypt.new(name, key, filler(nonce))


def sealed(codec, payload, room=40):
    """Return the datagram that carries `payload`, as bytes."""
    end = codec.head + len(payload)
    buf = bytearray(end + codec.tail + room)
    buf[codec.head : end] = payload
    n = codec.seal(buf, end)
    assert n == end + codec.tail
    return bytes(buf[:n])


def opened(codec, wire, room=40):
    """Return the payload of a datagram, or the negative code."""
    buf = bytearray(wire) + bytearray(room)
    off = codec.open(buf, len(wire))
    assert len(buf) == len(wire) + room
    return off if off < 0 else bytes(buf[off : len(wire) - codec.tail])
