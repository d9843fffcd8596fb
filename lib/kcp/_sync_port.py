"""Which of the two runtimes' blocking ports is in use: chosen here, once."""

from ._compat import MICROPYTHON

if MICROPYTHON:
    from ._sync_file_upy import makefile
    from ._sync_port_upy import (
        Pollable,
        address_on,
        adopt,
        open_client,
        open_server,
        printable,
        reopened,
        service,
        view_of,
    )
else:
    from ._sync_file_cpy import makefile
    from ._sync_port_cpy import (
        Pollable,
        address_on,
        adopt,
        open_client,
        open_server,
        printable,
        reopened,
        service,
        view_of,
    )

__all__ = (
    "Pollable",
    "address_on",
    "adopt",
    "makefile",
    "open_client",
    "open_server",
    "printable",
    "reopened",
    "service",
    "view_of",
)
