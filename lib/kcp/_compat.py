"""What differs between MicroPython and CPython for the sans-IO core: a few names, no I/O, no clock.

The clock is in `_clock.py`, so that the core can be imported on a port that has no `time` module.
"""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        """Return `value`; on MicroPython the compiler folds the call away."""
        return value


try:
    from micropython import heap_lock as _heap_lock  # noqa: F401  (its presence is the feature test)

    MICROPYTHON = True
except ImportError:
    MICROPYTHON = False
