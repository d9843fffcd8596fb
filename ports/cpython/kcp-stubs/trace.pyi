from collections.abc import Callable, Iterable
from typing import Any

OUTPUT: int
INPUT: int
SEND: int
RECV: int
OUT_ACK: int
OUT_PUSH: int
OUT_WASK: int
OUT_WINS: int
IN_ACK: int
IN_PUSH: int
IN_WASK: int
IN_WINS: int
OUTPUT_ALL: int
INPUT_ALL: int
ALL: int
FIELDS: dict[int, Any]

def mask_of(events: str | int | Iterable[str] | None) -> int: ...
def text(event: int, values: tuple[int, ...]) -> str: ...
def default_sink() -> Callable[..., object]: ...
def on_stderr(error: BaseException, message: str) -> None: ...
def attach(
    session: Any,
    events: str | int | Iterable[str] | None,
    sink: Callable[..., object] | None,
    report: Callable[[BaseException, str], object] | None,
) -> None: ...

class Tracer:
    def __init__(
        self,
        session: Any,
        mask: int,
        sink: Callable[..., object],
        report: Callable[[BaseException, str], object] | None,
    ) -> None: ...
    def sent(self, n: int) -> None: ...
    def received(self, n: int) -> None: ...
    def input(self, buf: bytearray, off: int, end: int, is_regular: bool) -> None: ...
    def output(self, buf: bytearray, off: int, end: int, n_wire: int) -> None: ...
