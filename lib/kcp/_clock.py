"""The one clock of the I/O layer: milliseconds modulo 2**30, as MicroPython's `time.ticks_ms`.

2**30 ms are 12.4 days. Only differences mean anything, and only below 2**29 ms (6.2 days); the
range keeps every value a small int on 32-bit MicroPython.
"""

try:
    from time import ticks_diff, ticks_ms
except ImportError:  # CPython
    from time import monotonic_ns

    def ticks_ms() -> int:
        """Milliseconds since some fixed moment, modulo 2**30."""
        return (monotonic_ns() // 1000000) & 0x3FFFFFFF

    def ticks_diff(later_ms: int, earlier_ms: int) -> int:
        """Return later - earlier as a signed number of ms (both from `ticks_ms`)."""
        d = (later_ms - earlier_ms) & 0x3FFFFFFF
        return d - 0x40000000 if d & 0x20000000 else d
