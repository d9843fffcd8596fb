"""The blocking API: sockets for code without asyncio, the same on both runtimes.

`connect` returns a `Socket`, `listen` a `ServerSocket`; both have the methods of the `socket`
module's objects and its rules for timeouts. What differs from TCP, because KCP has neither open
nor close on the wire, is what differs in the asyncio API (see `stream`): nobody is asked whether
he is there (but see probe_ms), recv() returns b"" only after this side's own close(), a peer that
is gone shows as OSError(ETIMEDOUT) after `dead_ms`, and close() waits until all is acknowledged.

Who does the work. On CPython every endpoint (a client, or a listener with all its sessions) has a
daemon thread, which acknowledges and retransmits while the program does something else. On
MicroPython there is no thread: every call does what is due for all endpoints, the ones that wait
do nothing else, and a program that computes for long calls `service` in between.

Threads (CPython). Sockets are locked inside. One thread may receive and another one send; a second
one in the same direction gets RuntimeError at once. Any number may accept(), and any may close(),
which ends the others' calls.

Signals. A signal handler may raise (Ctrl-C does): a call that waits then has done nothing, but for
sendall(), which may have queued a part. In the rare case that the exception comes in the middle of
the protocol's own work the endpoint ends with ECONNABORTED rather than go on with wrong bytes.

`ReconnectingClient` (CPython) is `kcp.ReconnectingClient` for threads; loaded when it is used.

Exit and fork (CPython). At exit sockets that are still open are closed as by close(): the process
ends when all is acknowledged, after linger_ms at the latest, and says on stderr what was not. A
child process after fork() cannot use them; the parent can.
"""

from ._clock import ticks_diff, ticks_ms
from ._compat import MICROPYTHON
from ._opening import (
    SOCKBUF,
    check_probe,
    need_peer,
    need_place,
    new_session,
    no_answer,
    set_up,
    settled,
)
from ._random import fill
from ._sync import Backlog, SyncLink
from ._sync_port import address_on, adopt, open_client, open_server, service
from ._sync_socket import ServerSocket, Socket, timeout_ms
from .endpoint import Endpoint
from .listener import Listener

__all__ = ("ServerSocket", "Socket", "connect", "listen", "service")

_FIRST_PROBE_MS = 100


def __getattr__(name):
    if name == "ReconnectingClient" and not MICROPYTHON:
        from ._sync_reconnect_cpy import ReconnectingClient

        return ReconnectingClient
    raise AttributeError(name)


def connect(
    host=None,
    port: "int | None" = None,
    *,
    sock=None,
    carrier=None,
    config=None,
    conv: "int | None" = None,
    probe_ms: "int | None" = None,
    timeout: "float | None" = None,
    sockbuf: int = SOCKBUF,
    **options,
) -> "Socket":
    """Open a session to host:port.

    Without probe_ms nothing is sent before the first send(); with it the peer is asked for a sign
    of life first, and OSError(ETIMEDOUT) is raised if none comes in that time (wrong address,
    nobody there, or another key or crypt).

    host, port: numbers or a name; where a name has both, IPv4 is taken, as Go does.
    sock: a UDP socket of the caller's to use for this session, not connected (kcp-go: NewConn). It
    stays open when the session has ended, and can then be used again; a socket that carries
    another session or a listener at this moment raises ValueError.
    carrier: anything that carries datagrams (`kcp.carrier`), instead of host, port and sock.
    config, options: a `Config`, and what to change in it (`Config`'s keywords).
    conv: the conversation id, 0 <= conv < 2**32 (default: random).
    timeout: what settimeout() takes, for the calls to come.
    sockbuf: bytes asked for the UDP socket's buffers (the system may give less).
    """
    config = settled(config, options, host, port, sock, carrier, sockbuf)
    need_peer(host, port, carrier)
    check_probe(probe_ms)
    limit_ms = timeout_ms(timeout)
    session = new_session(config, conv, ticks_ms())
    key = None
    if carrier is not None:
        from ._carry import sync_port  # only who uses it pays for it

        udp = sync_port(carrier)
    elif sock is None:
        udp = open_client(host, port, sockbuf)
    else:
        from ._adopt import claim  # only who uses it pays for it

        key = address_on(sock, host, port)
        udp = claim(sock, adopt)
    endpoint = Endpoint(udp, session.buffer_bytes)
    link = SyncLink(endpoint, session, key)
    try:
        set_up(udp.sock, config)
        udp.start(endpoint)
        with udp.lock:
            udp.begin()
            endpoint.attach(link)
            udp.end()
            if probe_ms is not None:
                _probe(link, probe_ms)
    except BaseException:
        with udp.lock:
            endpoint.close()
        raise
    return Socket(link, limit_ms)


def _probe(link, probe_ms):
    """Ask for the peer's window, again and again, until something valid comes from it."""
    begin_ms = ticks_ms()
    wait_ms = _FIRST_PROBE_MS
    next_ms = 0
    link.is_probing = True
    while not link.session.heard:
        passed_ms = ticks_diff(ticks_ms(), begin_ms)
        if passed_ms >= probe_ms:
            raise no_answer(probe_ms)
        if passed_ms >= next_ms:
            link.port.begin()
            link.session.probe()
            link.endpoint.kick(link)
            link.port.end()
            next_ms = passed_ms + wait_ms
            wait_ms *= 2
        link.reader.wait(min(next_ms, probe_ms) - passed_ms)
    link.is_probing = False


def listen(
    host=None,
    port: "int | None" = None,
    *,
    sock=None,
    carrier=None,
    config=None,
    sockbuf: int = SOCKBUF,
    **options,
) -> "ServerSocket":
    """Take sessions at host:port; accept() hands them out.

    sock: a UDP socket of the caller's to serve on, instead of host and port (kcp-go: ServeConn);
    it stays open when the listener is closed.
    carrier: anything that carries datagrams (`kcp.carrier`), instead of host, port and sock.
    host: an address or name to bind to; None, "" and "::" take IPv6 and IPv4 (where the runtime
    has both), "0.0.0.0" IPv4. The other parameters are as in `connect`; `Config.backlog` bounds
    the sessions that wait for accept(), `Config.max_sessions` all.
    """
    config = settled(config, options, host, port, sock, carrier, sockbuf)
    need_place(port, sock, carrier)
    listener = Listener(config, fill)
    if carrier is not None:
        from ._carry import sync_port  # only who uses it pays for it

        udp = sync_port(carrier)
    elif sock is not None:
        from ._adopt import claim  # only who uses it pays for it

        udp = claim(sock, adopt)
    else:
        udp = open_server(host, port, sockbuf)
    backlog = udp.backlog = Backlog(udp, listener)
    endpoint = Endpoint(udp, listener.buffer_bytes, listener, backlog.on_session, False)
    backlog.endpoint = endpoint
    endpoint.on_closed = backlog.wake
    try:
        set_up(udp.sock, config)
        udp.start(endpoint)
    except BaseException:
        with udp.lock:
            endpoint.close()
        raise
    return ServerSocket(backlog)
