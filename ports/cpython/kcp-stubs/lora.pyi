from typing import Any

from .carrier import Carrier

class LoraCarrier(Carrier):
    n_bad: int
    n_sent: int
    n_too_long: int
    air_ms: int

    def __init__(self, modem: Any, mtu: int = 200, duty_percent: float = 100) -> None: ...
