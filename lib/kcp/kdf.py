"""Keys from passphrases: PBKDF2-HMAC-SHA1 (RFC 8018, RFC 2104), as kcptun uses it.

4096 rounds for each 20 bytes: 4 ms on a PC. MicroPython has no PBKDF2, so that there it takes much
longer (50 ms with the unix port, seconds on a chip whose hashlib has SHA-1, minutes without it):
work the key out once and store its 32 bytes instead.
"""

try:
    from hashlib import pbkdf2_hmac
except ImportError:
    pbkdf2_hmac = None
    try:
        from hashlib import sha1
    except ImportError:
        from ._sha1 import sha1

_SALT = b"kcp-go"
_ROUNDS = 4096
_KEY_BYTES = 32
_BLOCK_BYTES = 64
_DIGEST_BYTES = 20


def derive_key(passphrase) -> bytes:
    """Return the 32-byte key that kcptun makes of a passphrase (str, as UTF-8, or bytes).

    Give all of it to Config(key=...): each cipher takes as many of its bytes as it needs.
    """
    if isinstance(passphrase, str):
        passphrase = passphrase.encode()
    elif not isinstance(passphrase, (bytes, bytearray, memoryview)):
        raise ValueError("a passphrase is a str or bytes, not %s" % type(passphrase).__name__)
    return pbkdf2_sha1(passphrase, _SALT, _ROUNDS, _KEY_BYTES)


def pbkdf2_sha1(password, salt, n_rounds: int, n_bytes: int) -> bytes:
    """Return n_bytes of PBKDF2-HMAC-SHA1; password and salt are bytes."""
    if pbkdf2_hmac is not None:
        return pbkdf2_hmac("sha1", password, salt, n_rounds, n_bytes)
    return pbkdf2_by(sha1, password, salt, n_rounds, n_bytes)


def pbkdf2_by(sha1, password, salt, n_rounds: int, n_bytes: int) -> bytes:
    """The same, from `sha1` alone (a class like hashlib's)."""
    if len(password) > _BLOCK_BYTES:
        password = sha1(password).digest()
    inner = bytearray(b"\x36" * _BLOCK_BYTES)
    outer = bytearray(b"\x5c" * _BLOCK_BYTES)
    for i in range(len(password)):
        inner[i] ^= password[i]
        outer[i] ^= password[i]
    inner, outer = bytes(inner), bytes(outer)
    found = b""
    n_block = 0
    while len(found) < n_bytes:
        n_block += 1
        u = salt + n_block.to_bytes(4, "big")
        total = 0
        for _ in range(n_rounds):
            u = sha1(outer + sha1(inner + u).digest()).digest()
            total ^= int.from_bytes(u, "big")
        found += total.to_bytes(_DIGEST_BYTES, "big")
    return found[:n_bytes]
