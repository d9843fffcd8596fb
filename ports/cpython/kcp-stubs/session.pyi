from . import Session as Session

EPIPE: int
OPEN: int
CLOSING: int
CLOSED: int
