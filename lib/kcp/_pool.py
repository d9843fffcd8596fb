"""Where MicroPython's chunks come from and go to: bytearrays of one size, used again and again."""


class Pool:
    """Free chunks (bytearrays of one size).

    It holds what was in use at the busiest moment; the windows of the sessions bound that.
    """

    def __init__(self, size):
        self.size = size
        self.free = [None] * 4  # never shrinks: a list that does reallocates
        self.n_free = 0

    def get(self, size):
        """Return a chunk of at least `size` bytes; all get as large as the largest asked for."""
        if size > self.size:
            self.size = size
        if self.n_free:
            self.n_free -= 1
            chunk = self.free[self.n_free]
            if len(chunk) >= size:
                return chunk
        return bytearray(self.size)

    def grow(self, size):
        """Make chunks of at least `size` bytes from now on; smaller ones that come back go."""
        self.size = max(size, self.size)

    def chunk_bytes(self, n):
        """Return how many bytes a chunk for n bytes has."""
        return n if n > self.size else self.size

    def reserve(self, n):
        """Have n chunks ready, so that none is allocated later."""
        while self.n_free < n:
            self.put(bytearray(self.size))

    def put(self, chunk):
        """Take a chunk back."""
        if self.n_free == len(self.free):
            self.free.append(chunk)
        else:
            self.free[self.n_free] = chunk
        self.n_free += 1
