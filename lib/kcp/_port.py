"""Which of the two runtimes' sockets and event loop glue is in use: chosen here, once."""

try:
    from ._port_upy import (
        Event,
        IncompleteReadError,
        TimeoutError,
        Waiter,
        adopt,
        adopted_address,
        incomplete_read,
        limit_overrun,
        open_client,
        open_server,
        printable,
        reopened,
        report,
        spawn,
        yield_once,
    )
except ImportError:
    from ._port_cpy import (
        Event,
        IncompleteReadError,
        TimeoutError,
        Waiter,
        adopt,
        adopted_address,
        incomplete_read,
        limit_overrun,
        open_client,
        open_server,
        printable,
        reopened,
        report,
        spawn,
        yield_once,
    )

__all__ = (
    "Event",
    "IncompleteReadError",
    "TimeoutError",
    "Waiter",
    "adopt",
    "adopted_address",
    "incomplete_read",
    "limit_overrun",
    "open_client",
    "open_server",
    "printable",
    "reopened",
    "report",
    "spawn",
    "yield_once",
)
