"""KCP (kcp-go's protocol) for MicroPython and CPython: reliable streams over datagrams.

`open_connection` and `start_server` are the asyncio API, `blocking` is the module with the API for
code without it (`blocking.connect`, `blocking.listen`). `Config` is what can be set; `derive_key`
makes a key of a passphrase, `set_entropy` takes a source of random bytes. `Session` and `Listener`
are the protocol without I/O, for those who bring their own socket and clock. A name is loaded when
it is first used.
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
    "ReconnectingClient": "reconnect",
    "derive_key": "kdf",
    "set_entropy": "_random",
}

# Each of these imports the one before it. They are loaded from the bottom up, because ten imports
# nested in each other need more stack than a small chip has.
_LAYERS = (
    "_kernels",
    "_arq_rcv",
    "_arq_snd",
    "_arq_out",
    "arq",
    "session",
    "listener",
    "endpoint",
    "_opening",
    "stream",
    "aio",
)
_BLOCKING_LAYERS = _LAYERS[:-2] + ("_sync", "_sync_port", "_sync_socket")

__all__ = (
    "Config",
    "Listener",
    "ReconnectingClient",
    "Server",
    "Session",
    "Stats",
    "Stream",
    "__version__",
    "backend",
    "blocking",
    "derive_key",
    "open_connection",
    "set_entropy",
    "start_server",
)


def backend() -> str:
    """Return which twin of the hot code runs: "viper" (MicroPython's machine code) or "python"."""
    return _load("_backend").name()


def __getattr__(name):
    module = _MODULES.get(name)
    if module is None:
        return _submodule(name)
    if module in _LAYERS:
        for layer in _LAYERS[: _LAYERS.index(module)]:
            _load(layer)
    value = getattr(_load(module), name)
    globals()[name] = value
    return value


def _submodule(name):
    # MicroPython's `from kcp import crypt` asks here, and looks no further when it is told no.
    if name == "blocking":
        for layer in _BLOCKING_LAYERS:
            _load(layer)
    if name[:2] != "__":
        try:
            return _load(name)
        except ImportError:
            pass
    raise AttributeError(name)


def _load(module):
    return __import__(__name__ + "." + module, None, None, ("",))
