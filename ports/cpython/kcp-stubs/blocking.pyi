import socket
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from typing_extensions import Self, Unpack

from . import ReconnectingClient as _AsyncClient
from . import Session, Stream
from .carrier import CarrierLike
from .config import Config, Options, SocketOptions, StreamOptions
from .stats import Stats

__all__ = ("ServerSocket", "Socket", "connect", "listen", "service")

class ReconnectingClient:
    n_unacked: int
    unacked_bytes: int
    n_dropped: int
    n_sessions: int
    n_failures: int
    n_rebinds: int
    n_lost: int
    last_error: Exception | None
    stream: Stream | None

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        on_session: Callable[[_AsyncClient, Stream], object] | None = None,
        on_down: Callable[[_AsyncClient, Exception | None, Sequence[bytes]], object] | None = None,
        is_up: Callable[[], object] | None = None,
        rebind: bool = False,
        send_again: bool = True,
        limit_bytes: int = 16384,
        limit_records: int = 256,
        when_full: str = "refuse",
        first_ms: int = 500,
        max_ms: int = 60000,
        probe_ms: int = 5000,
        check_ms: int = 1000,
        sock: socket.socket | None = None,
        carrier: CarrierLike | None = None,
        sockbuf: int = 4194304,
        write_limit: int | None = None,
        config: Config | None = None,
        **options: Unpack[Options],
    ) -> None: ...
    def start(self) -> None: ...
    def write(self, record: bytes | bytearray | memoryview) -> bool: ...
    def send(
        self, record: bytes | bytearray | memoryview, timeout: float | None = None
    ) -> None: ...
    def flush(self, timeout: float | None = None) -> None: ...
    def read(self, n: int = -1, timeout: float | None = None) -> bytes: ...
    def readline(self, timeout: float | None = None) -> bytes: ...
    def wait_up(self, timeout: float | None = None) -> None: ...
    def wait_down(self, timeout: float | None = None) -> None: ...
    def close(self, linger_ms: int = 10000) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...

class _Timed:
    def fileno(self) -> int: ...
    def settimeout(self, seconds: float | None) -> None: ...
    def gettimeout(self) -> float | None: ...
    def setblocking(self, flag: bool) -> None: ...
    def getblocking(self) -> bool: ...
    def getsockname(self) -> Any: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...

class Socket(_Timed):
    session: Session

    def __init__(self, link: Any, limit_ms: int | None = None) -> None: ...
    def recv(self, n: int) -> bytes: ...
    def recv_into(self, buf: bytearray | memoryview, n: int = 0) -> int: ...
    def send(self, data: bytes | bytearray | memoryview) -> int: ...
    def sendall(self, data: bytes | bytearray | memoryview) -> None: ...
    def send_oob(self, data: bytes | bytearray | memoryview) -> bool: ...
    def set_oob_handler(self, handler: Callable[[bytes], object] | None) -> None: ...
    def set_logger(
        self, mask: str | int | None, sink: Callable[..., object] | None = None
    ) -> None: ...
    def set(self, **options: Unpack[StreamOptions]) -> None: ...
    def rebind(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        local: tuple[str, int] | None = None,
        probe_ms: int = 2000,
    ) -> bool: ...
    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any: ...
    def getpeername(self) -> Any: ...
    @property
    def stats(self) -> Stats: ...
    def shutdown(self, how: int) -> None: ...
    def close(self, linger_ms: int | None = None) -> None: ...

class ServerSocket(_Timed):
    def __init__(self, backlog: Any) -> None: ...
    def accept(self) -> tuple[Socket, Any]: ...
    def set(self, **options: Unpack[SocketOptions]) -> None: ...
    @property
    def stats(self) -> Stats: ...
    def close(self) -> None: ...

def connect(
    host: str | None = None,
    port: int | None = None,
    *,
    sock: socket.socket | None = None,
    carrier: CarrierLike | None = None,
    config: Config | None = None,
    conv: int | None = None,
    probe_ms: int | None = None,
    timeout: float | None = None,
    sockbuf: int = 4194304,
    **options: Unpack[Options],
) -> Socket: ...
def listen(
    host: str | None = None,
    port: int | None = None,
    *,
    sock: socket.socket | None = None,
    carrier: CarrierLike | None = None,
    config: Config | None = None,
    sockbuf: int = 4194304,
    **options: Unpack[Options],
) -> ServerSocket: ...
def service(ms: float = 0) -> bool: ...
