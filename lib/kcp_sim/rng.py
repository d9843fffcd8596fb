"""The simulator's one source of chance: xorshift32, the same numbers on every runtime and in Go.

The twin is tests/interop/peers/sim/rng.go. State and arithmetic are unsigned 32-bit, so under
32-bit MicroPython most values are big ints: slow there, but right.
"""

_MASK = 0xFFFFFFFF


class Rng:
    """A generator for stream number `stream` (0..15) of a seed (0 .. 2**28 - 1)."""

    def __init__(self, seed, stream=0):
        # Neighbouring seeds must not give related sequences: murmur3's 32-bit finaliser.
        h = (seed * 16 + stream + 0x9E3779B9) & _MASK
        h = ((h ^ (h >> 16)) * 0x85EBCA6B) & _MASK
        h = ((h ^ (h >> 13)) * 0xC2B2AE35) & _MASK
        h ^= h >> 16
        self.state = h or 1  # xorshift cannot leave 0

    def next(self):
        """The next number, 0 .. 2**32 - 1 (0 itself never comes)."""
        x = self.state
        x ^= (x << 13) & _MASK
        x ^= x >> 17
        x ^= (x << 5) & _MASK
        self.state = x
        return x

    def below(self, n):
        """One draw: an int in 0 .. n - 1."""
        return self.next() % n
