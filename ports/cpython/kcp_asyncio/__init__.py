"""asyncio transports over KCP, for libraries that bring a protocol (CPython only).

`create_connection` and `create_server` have the shape of the event loop's methods of these names;
what they make is a `Transport` with everything that asyncio's TCP transports do, except for what
the wire does not have: see there. With `reader` and `writer`, use `kcp.open_connection`.
"""

from ._server import Server, create_connection, create_server
from ._transport import Transport

__all__ = ["Server", "Transport", "create_connection", "create_server"]
