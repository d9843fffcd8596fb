"""The one clock of the I/O layer: milliseconds modulo 2**30, as MicroPython's `time.ticks_ms`.

2**30 ms are 12.4 days. Only differences mean anything, and only below 2**29 ms (6.2 days); the
range keeps every value a small int on 32-bit MicroPython. 64-bit builds of it count further than
that, so there as on CPython the clock is cut to size.
"""

try:
    from time import ticks_add, ticks_diff, ticks_ms

    if ticks_add(0, -1) != 0x3FFFFFFF:
        raise ImportError
except ImportError:
    try:
        from time import ticks_ms as _now_ms
    except ImportError:  # CPython
        from time import monotonic_ns

        def _now_ms():
            return monotonic_ns() // 1000000

    def ticks_ms() -> int:
        """Milliseconds since some fixed moment, modulo 2**30."""
        return _now_ms() & 0x3FFFFFFF

    def ticks_diff(later_ms: int, earlier_ms: int) -> int:
        """Return later - earlier as a signed number of ms (both from `ticks_ms`)."""
        d = (later_ms - earlier_ms) & 0x3FFFFFFF
        return d - 0x40000000 if d & 0x20000000 else d
