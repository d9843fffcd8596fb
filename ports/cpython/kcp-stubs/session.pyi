from . import Session as Session

__all__ = ("CLOSED", "CLOSING", "EPIPE", "IN_C", "OPEN", "Budget", "Session")

EPIPE: int
OPEN: int
CLOSING: int
CLOSED: int
IN_C: bool

class Budget:
    limit_bytes: int
    used_bytes: int

    def __init__(self, limit_bytes: int) -> None: ...
