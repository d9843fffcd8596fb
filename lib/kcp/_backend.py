"""Which twin of the hot code runs: "native" (C), "viper" (machine code of MicroPython), "python".

The first of them that there is, found once, when the library is imported. For tests, KCP_BACKEND
in the environment forces one, and so does setting `forced` here before any other part of the
library is imported (a board has no environment); one that is forced and not there is an
ImportError.

The C twin is the module `_kcp`: an extension on CPython; a dynamic module (_kcp.mpy) or a part of
the firmware on MicroPython. It has kernels, ciphers and the session (`session.IN_C`); what was
left out of it when it was built runs in plain Python.
"""

forced = None

#: What is not there: no viper (CPython), no emitter for this machine (MIPS, wasm), or byte code
#: made for another one.
MISSING = (ImportError, AttributeError, SyntaxError, ValueError)

NAMES = ("python", "viper", "native")

#: What the C twin must say it is: it is built apart from this library, and may be an old one.
_API = 1

_found = None


def name() -> str:
    """Return the twin in use, one of NAMES; ImportError or ValueError: it cannot be forced."""
    global _found
    if _found is None:
        wanted = wanted_name()
        if wanted in (None, "native") and _has_native(wanted):
            _found = "native"
        elif wanted != "python" and _has_viper(wanted):
            _found = "viper"
        else:
            _found = "python"
    return _found


def wanted_name():
    """Return the twin that is forced, None if none is."""
    wanted = forced
    if wanted is None:
        try:
            from os import getenv

            wanted = getenv("KCP_BACKEND")
        except ImportError:  # a board
            pass
    if wanted and wanted not in NAMES:
        raise ValueError("KCP_BACKEND=%s: there are: %s" % (wanted, ", ".join(NAMES)))
    return wanted or None


def _has_native(wanted):
    problem = "it was built for another version of the library"
    try:
        import _kcp

        if _kcp.API == _API:
            return True
    except MISSING as error:
        problem = repr(error)
    if wanted == "native":
        raise ImportError("the C module _kcp cannot be used: " + problem)
    return False


def _has_viper(wanted):
    try:
        from . import _viper  # noqa: F401

        return True
    except MISSING as error:
        if wanted == "viper":
            raise ImportError("no viper code can run here: %r" % (error,))
    return False


#: Does viper run? Is there the C module? What has a twin of the kind asks these.
VIPER = name() == "viper"
NATIVE = name() == "native"
