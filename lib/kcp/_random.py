"""Random bytes for nonces and conversation ids: one source for the whole process.

The source is the operating system's: its bytes themselves on CPython (`_random_cpy`), on
MicroPython a generator over AES that is seeded from it (`_random_upy`), because os.urandom
allocates there and takes three times as long. A port that has no os.urandom, or is known to have a
weak one, gets an OSError that says so, until set_entropy() has given another source: a nonce that
somebody can foretell, or that comes twice, is worse than no connection.

The first thing that asks for bytes raises: open_connection() and start_server() do.
"""

from ._compat import MICROPYTHON

if MICROPYTHON:
    from ._random_upy import Random
else:
    from ._random_cpy import Random

_random = Random()

#: fill(buf): write random bytes over a bytearray or memoryview; OSError if there is no source.
fill = _random.fill


def random_conv() -> int:
    """Return a random 32-bit conversation id."""
    four = bytearray(4)
    fill(four)
    return int.from_bytes(four, "little")


def require():
    """Raise OSError now, rather than at the first packet, if there is no source."""
    fill(bytearray(16))


def set_entropy(source):
    """Take random bytes from `source` from now on, everywhere (kcp-go: SetEntropy).

    source: source(buf) writes bytes that nobody can foretell over the whole of buf, a bytearray or
    memoryview (12 or 16 bytes for every datagram, so it should be fast); None: the platform's own
    again. What it raises comes out of the call that wanted a datagram built.
    Raises ValueError if it is no function, or writes the same bytes twice.
    """
    if source is not None:
        if not callable(source):
            raise ValueError("set_entropy() takes a function fill(buf), or None for os.urandom")
        one, other = bytearray(16), bytearray(16)
        source(one)
        source(other)
        if one == other:
            raise ValueError(
                "the source wrote the same 16 bytes twice: it must write new random bytes over "
                "the whole of its argument"
            )
    _random.source = source
