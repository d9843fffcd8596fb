# upy: heapsize=2m
"""kcp-go's packets, and damaged ones, with each cipher whose key needs no stretching.

What a board runs that has the ciphers in C but no SHA-1: the rest of test_crypt.py takes minutes
there.
"""

from crypt_support import new, opened, sealed
from vectors_file import packets

from kcp import crypt

NAMES = [name for name in crypt.NAMES if name not in ("null", "xor")]


def test_packets_are_kcp_gos():
    seen = set()
    for name, key, nonce, payload, wire in packets():
        if name in NAMES:
            seen.add(name)
            assert sealed(new(name, key, nonce), payload) == wire, name
            assert opened(new(name, key), wire) == payload, name
    assert len(seen) >= 15, seen


def test_damage_is_noticed():
    for name in NAMES[1:]:
        wire = bytearray(sealed(new(name), b"twelve bytes" * 9))
        for i in (15, 16, 60, len(wire) - 1):
            wire[i] ^= 0x40
            result = opened(new(name), wire)
            assert isinstance(result, int) or i < 16, (name, i)
            wire[i] ^= 0x40
        assert opened(new(name), wire) == b"twelve bytes" * 9
