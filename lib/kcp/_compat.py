"""What differs between the runtimes for the sans-IO core: a few names, no I/O, no clock.

The clock is in `_clock.py`, so that the core can be imported on a port that has no `time` module.
"""

from sys import platform as _platform

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


#: Default send window, receive window (segments) and bytes of received, unread data that all
#: sessions of a listener may hold, bytes that a session may keep to repair FEC groups, the groups
#: of fec="auto": what the kind of machine can afford.
if not MICROPYTHON:
    DEFAULT_WND = (256, 512)
    DEFAULT_MEMORY_BYTES = 256 << 20
    DEFAULT_FEC_BYTES = 4 << 20
    DEFAULT_AUTO_FEC = (10, 6)
elif _platform in ("linux", "darwin", "win32"):
    DEFAULT_WND = (128, 128)
    DEFAULT_MEMORY_BYTES = 4 << 20
    DEFAULT_FEC_BYTES = 1 << 20
    DEFAULT_AUTO_FEC = (10, 6)
else:  # a board: lwIP queues 4 to 6 datagrams per socket, more in flight is lost
    DEFAULT_WND = (8, 8)
    DEFAULT_MEMORY_BYTES = 64 << 10
    DEFAULT_FEC_BYTES = 16 << 10
    DEFAULT_AUTO_FEC = (4, 3)
