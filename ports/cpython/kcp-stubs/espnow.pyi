from typing import Any

from .carrier import Carrier

class EspNowCarrier(Carrier):
    n_full: int
    n_lost: int
    n_strangers: int

    def __init__(self, esp: Any, peer: bytes | None = None) -> None: ...
