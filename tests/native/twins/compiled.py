"""The C core and a shim of the tests' as one shared library, for ctypes."""

import ctypes
import glob
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
CORE = os.path.join(ROOT, "native", "core")
FLAGS = ("-std=c99", "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror")
# A trap, because a message of the sanitizer's would be lost when it ends the process.
UNDEFINED = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")

_loaded = []


def library():
    """Compile, load and remove it; the same object every time."""
    if not _loaded:
        handle, path = tempfile.mkstemp(suffix=".so")
        os.close(handle)
        sources = glob.glob(os.path.join(CORE, "*.c")) + glob.glob(os.path.join(HERE, "*.c"))
        subprocess.run(["gcc", *FLAGS, *UNDEFINED, "-I" + CORE, *sources, "-o", path], check=True)
        _loaded.append(ctypes.CDLL(path))
        os.unlink(path)
    return _loaded[0]
