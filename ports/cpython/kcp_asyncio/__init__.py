"""asyncio transports over KCP, for libraries that bring a protocol (CPython only).

`create_connection` and `create_server` have the shape of the event loop's methods of these names,
with `ssl=` too; what they make is a `Transport` with everything that asyncio's TCP transports do,
except for what the wire does not have: see there. `open_connection` and `start_server` give
asyncio's own StreamReader and StreamWriter on them; `kcp.open_connection` gives streams that need
no transport between, do more, and are the same on MicroPython.
"""

from ._server import Server, create_connection, create_server, open_connection, start_server
from ._transport import Transport

__all__ = [
    "Server",
    "Transport",
    "create_connection",
    "create_server",
    "open_connection",
    "start_server",
]
