"""Which twin of the hot code runs: "viper", machine code made by MicroPython, or "python".

It is found once, when the library is imported. For tests, KCP_BACKEND in the environment forces
one, and so does setting `forced` here before any other part of the library is imported (a board
has no environment); one that is forced and not there is an ImportError.
"""

forced = None

#: What is not there: no viper (CPython), no emitter for this machine (MIPS, wasm), or byte code
#: made for another one.
MISSING = (ImportError, AttributeError, SyntaxError, ValueError)

NAMES = ("python", "viper")

_found = None


def name() -> str:
    """Return the twin in use, one of NAMES; ImportError or ValueError: it cannot be forced."""
    global _found
    if _found is None:
        wanted = _wanted()
        _found = "python" if wanted == "python" or not _has_viper(wanted) else "viper"
    return _found


def _wanted():
    wanted = forced
    if wanted is None:
        try:
            from os import getenv

            wanted = getenv("KCP_BACKEND")
        except ImportError:  # a board
            pass
    if wanted and wanted not in NAMES:
        raise ValueError("KCP_BACKEND=%s: there are: %s" % (wanted, ", ".join(NAMES)))
    return wanted


def _has_viper(wanted):
    try:
        from . import _viper  # noqa: F401

        return True
    except MISSING as error:
        if wanted == "viper":
            raise ImportError("no viper code can run here: %r" % (error,))
    return False


#: Does viper run? What has a twin of the kind asks this.
VIPER = name() == "viper"
