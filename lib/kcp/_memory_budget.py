"""The limit that the sessions of a listener share."""


class Budget:
    """Bytes that sessions together may hold."""

    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
