from collections.abc import Callable
from typing import Any, Literal, TypedDict, type_check_only

from typing_extensions import Self, Unpack

from .cc import Controller, Sender

@type_check_only
class SessionOptions(TypedDict, total=False):
    """What may change at run time: `Session.set`."""

    mode: str
    nodelay: int
    interval: int
    resend: int
    nc: int
    cc: str | Callable[[Sender], Controller] | None
    mtu: int
    sndwnd: int
    rcvwnd: int
    stream: bool
    acknodelay: bool
    write_delay: bool
    pacing: bool
    rate_limit: int
    dup: int
    trace: str | int | None
    dead_ms: int
    keepalive_ms: int
    idle_ms: int
    linger_ms: int

@type_check_only
class SocketOptions(TypedDict, total=False):
    dscp: int | None
    read_buffer: int | None
    write_buffer: int | None

@type_check_only
class StreamOptions(SessionOptions, SocketOptions, total=False):
    """What may change at run time of a client: `Stream.set`."""

@type_check_only
class Options(StreamOptions, total=False):
    """`Config`'s keywords."""

    preset: str | None
    crypt: str
    key: bytes | None
    roaming: bool
    backlog: int
    max_sessions: int
    max_memory_bytes: int | None
    max_fec_bytes: int | None
    fec: tuple[int, int] | Literal["auto"] | None
    fec_acks: bool
    datashard: int
    parityshard: int

DEFAULT_CC: str
MODES: dict[str, tuple[int, int, int, int]]
MODE_NAMES: tuple[str, ...]

class Config:
    given: dict[str, Any]
    preset: str | None
    crypt: str
    key: bytes | None
    mode: str
    nodelay: int
    interval: int
    resend: int
    nc: int
    cc: str | Callable[[Sender], Controller]
    mtu: int
    sndwnd: int
    rcvwnd: int
    stream: bool
    acknodelay: bool
    write_delay: bool
    pacing: bool
    rate_limit: int
    dup: int
    dscp: int | None
    read_buffer: int | None
    write_buffer: int | None
    trace: int | None
    dead_ms: int
    keepalive_ms: int
    idle_ms: int
    linger_ms: int
    roaming: bool
    backlog: int
    max_sessions: int
    max_memory_bytes: int
    max_fec_bytes: int
    fec: tuple[int, int] | Literal["auto"] | None
    fec_acks: bool
    datashard: int
    parityshard: int

    def __init__(self, **options: Unpack[Options]) -> None: ...
    @property
    def payload_pct(self) -> int: ...
    def memory(self, takes_fec: bool | None = None) -> int: ...
    @classmethod
    def from_options(cls, config: Config | None, options: Options) -> Self: ...

def overlaid(given: dict[str, Any], options: Options) -> dict[str, Any]: ...
def check_room(mtu: int, overhead_bytes: int) -> None: ...
def check_range(name: str, value: int, limits: tuple[int, int, str]) -> None: ...
def check_socket_option(name: str, value: int | None) -> None: ...
