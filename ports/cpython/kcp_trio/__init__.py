"""KCP sessions as trio streams (CPython only; `pip install 'microkcp[trio]'`).

`open_stream`, `open_listener` and `serve` make `KcpStream`s, which are `trio.abc.Stream`s: what is
written for trio's streams runs over them, `trio.SSLStream` and `trio.serve_listeners` included.

KCP has no end of file on the wire, so a `KcpStream` never reads one. Where the other end is this
package too (or does what `_marked` says), `end_mark=True` gives `MarkedStream`s, which are
`trio.abc.HalfCloseableStream`s with an end of file; TLS brings one as well.
"""

from ._listener import KcpListener, open_listener, serve
from ._marked import MarkedStream
from ._open import open_stream
from ._stream import KcpStream

__all__ = ["KcpListener", "KcpStream", "MarkedStream", "open_listener", "open_stream", "serve"]
