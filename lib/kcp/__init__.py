"""KCP (kcp-go's protocol) for MicroPython and CPython: reliable streams over datagrams.

`open_connection` and `start_server` are the asyncio API, `Config` what can be set. `Session` and
`Listener` are the protocol without I/O, for those who bring their own socket and clock.
A name is loaded when it is first used.
"""

__version__ = "0.1.0"

_MODULES = {
    "open_connection": "aio",
    "start_server": "aio",
    "Server": "aio",
    "Stream": "stream",
    "Config": "config",
    "Session": "session",
    "Listener": "listener",
    "Stats": "stats",
}

__all__ = (
    "Config",
    "Listener",
    "Server",
    "Session",
    "Stats",
    "Stream",
    "__version__",
    "backend",
    "open_connection",
    "start_server",
)


def backend() -> str:
    """Return what the protocol runs on: "python" (there is no other yet)."""
    return "python"


def __getattr__(name):
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(name)
    value = getattr(__import__(__name__ + "." + module, None, None, (name,)), name)
    globals()[name] = value
    return value
