"""The programs that the interop tests start, as set-up has exported them (see `make env`)."""

import os
import shlex

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIB = os.path.join(os.path.dirname(TESTS), "lib")
HERE = os.path.join(TESTS, "interop")


def needed(variable):
    """The value of an environment variable; without it the test is skipped, or fails in CI."""
    value = os.environ.get(variable)
    if not value:
        message = f"{variable} is not set: run `make test-interop`, or look at `make env`"
        assert os.environ.get("CI") != "true", message
        pytest.skip(message)
    return value


def kcppeer():
    """The path of the real kcp-go at the other end."""
    return os.path.join(needed("KCP_PEERS"), "kcppeer")


def micropython(variable="KCP_MICROPYTHON"):
    """A MicroPython's command line, as a list."""
    return shlex.split(needed(variable))


def environment():
    """The environment in which both runtimes find the library; CPython also the C module, where
    KCP_BACKEND=native asks for it."""
    path, ours = [LIB, HERE, ".frozen"], [LIB, HERE]
    if os.environ.get("KCP_BACKEND") == "native":
        ours.append(needed("KCP_EXTENSION"))
    return dict(os.environ, MICROPYPATH=":".join(path), PYTHONPATH=":".join(ours))
