# upy: twins=python
"""Which twin of the hot code runs: the one that was asked for, else the best there is.

Runs on every target, and prints what it found (`make test-targets` shows that).
"""

import os
import sys

import kcp
from kcp import _backend

# What MicroPython numbers them, see tools/mpy_ld.py there.
ARCHITECTURES = ("none", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp")
ARCHITECTURES += ("armv7emdp", "xtensa", "xtensawin", "rv32imc")


def architecture():
    """The machine code that this interpreter loads."""
    number = getattr(sys.implementation, "_mpy", 0) >> 10 & 15
    return ARCHITECTURES[number] if number < len(ARCHITECTURES) else str(number)


def found_alone():
    """The twin that is found when none is forced."""
    forced, found = _backend.forced, _backend._found
    _backend.forced, _backend._found = "", None  # "": whatever KCP_BACKEND says
    try:
        return _backend.name()
    finally:
        _backend.forced, _backend._found = forced, found


def has_native():
    try:
        import _kcp

        return bool(_kcp.API)
    except (ImportError, ValueError, SyntaxError):
        return False


def test_the_twin_that_was_asked_for_runs():
    wanted = os.getenv("KCP_BACKEND")
    assert not wanted or kcp.backend() == wanted, (kcp.backend(), wanted)
    order = sys.byteorder + "-endian"
    bits = "64 bits" if sys.maxsize >> 31 else "32 bits"
    words = kcp.backend(), sys.platform, architecture(), order, bits
    print("kcp.backend() = %s (%s, %s, %s, %s)" % words)


def test_the_best_one_is_found_by_itself():
    best = found_alone()
    assert _backend.NAMES.index(best) >= _backend.NAMES.index(kcp.backend())
    assert (best == "native") == has_native()


def test_what_is_not_there_cannot_be_forced():
    forced, found = _backend.forced, _backend._found
    try:
        for name in _backend.NAMES:
            _backend.forced, _backend._found = name, None
            try:
                assert _backend.name() == name
            except ImportError as error:
                assert name == "viper" or not has_native(), error
        _backend.forced = "fast"
        try:
            _backend.wanted_name()
        except ValueError as error:
            assert "python, viper, native" in str(error)
        else:
            raise AssertionError("no such twin")
    finally:
        _backend.forced, _backend._found = forced, found
