"""Settings of a stream and of a server that may change at run time: `Stream.set`, `Server.set`."""

from . import _sockopt
from ._options import changed


def apply(stream, options: dict):
    """Give a stream's session and socket new settings (see `Stream.set`)."""
    options = dict(options)
    of_socket = _sockopt.split(options)
    endpoint = stream.endpoint
    if of_socket and endpoint.listener is not None:
        raise ValueError(
            "%s: the server's socket; use Server.set()" % ", ".join(sorted(of_socket))
        )
    if options:
        changed(stream.session, options)  # nothing is set if one of them is wrong
    if of_socket:
        _sockopt.configure(_open_socket(endpoint), of_socket)
    if options:
        stream.session.set(**options)
        endpoint.fit(stream.session.buffer_bytes)
        stream._set_marks(*stream._marks)
        endpoint.watch(stream)
        endpoint.kick(stream)


def apply_to_server(endpoint, options: dict):
    """Give a server's socket new settings (see `Server.set`)."""
    options = dict(options)
    of_socket = _sockopt.split(options)
    if options:
        raise ValueError(
            "%s: no setting of a server at run time; a stream has them: Stream.set()"
            % ", ".join(sorted(options))
        )
    _sockopt.configure(_open_socket(endpoint), of_socket)


def _open_socket(endpoint):
    if endpoint.is_closed:
        raise OSError(32, "the socket is closed")
    return endpoint.port.sock
