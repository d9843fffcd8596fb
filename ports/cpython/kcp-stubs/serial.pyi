from typing import Any

from .carrier import Carrier

class SerialCarrier(Carrier):
    n_errors: int
    n_too_long: int

    def __init__(
        self, stream: Any, framing: str = "cobs", mtu: int | None = None, poll_ms: int = 5
    ) -> None: ...
    @property
    def n_bad(self) -> int: ...
    @property
    def n_garbage(self) -> int: ...
