"""Packet encryption by name: which ciphers there are, and what key each one takes.

One small module per cipher, imported when a codec of it is made. Names are kcptun's, "aes" meaning
AES-256; those that end in "gcm" or "poly1305" are AEADs (`_aead.py`), all others share the frame
of `_frame.py`. The interface of a codec is described in packet.py.

A key is bytes and stands as it is, so that both kinds of peers are met:
- a kcp-go program that gives its cipher N raw bytes: the same N bytes here, under the name that
  takes N (kcp-go tells AES-128 from AES-256 by the length of the key, this library by the name);
- kcptun, which stretches a passphrase to 32 bytes and gives each cipher the first ones of them:
  derive_key(passphrase), all 32 bytes; a cipher that takes 16 or 24 cuts them as kcptun does.
Any other length is refused, so that a passphrase is never taken for a key by accident.
"""

from kcp._backend import NATIVE

# Where keys may have several lengths: the least, the most, the step, and how a message says it.
_ANY = (1, 1 << 29, 1, "1 or more")
_BLOWFISH = (1, 56, 1, "1 to 56")
_TWOFISH = (16, 32, 8, "16, 24 or 32")

# In this order messages list them. (name, module, bytes of key; None = takes none)
_CIPHERS = (
    ("null", "none", None),
    ("none", "none", None),
    ("xor", "xor", _ANY),
    ("salsa20", "salsa20", 32),
    ("aes", "aes", 32),
    ("aes-128", "aes", 16),
    ("aes-192", "aes", 24),
    ("aes-256", "aes", 32),
    ("aes-128-gcm", "gcm", 16),
    ("aes-192-gcm", "gcm", 24),
    ("aes-256-gcm", "gcm", 32),
    ("chacha20-poly1305", "chacha20poly1305", 32),
    ("sm4", "sm4", 16),
    ("twofish", "twofish", _TWOFISH),
    ("blowfish", "blowfish", _BLOWFISH),
    ("cast5", "cast5", 16),
    ("3des", "tripledes", 24),
    ("tea", "tea", 16),
    ("xtea", "xtea", 16),
)

#: Names of all packet encryptions: "null" = no crypt layer, "none" = nonce and CRC-32, no cipher.
NAMES = tuple([entry[0] for entry in _CIPHERS])

DERIVED_BYTES = 32  # length of what derive_key() returns


def _entry(name):
    for entry in _CIPHERS:
        if entry[0] == name:
            return entry
    raise ValueError("unknown crypt %r; there are: %s" % (name, ", ".join(NAMES)))


def key_for(name: str, key):
    """Return the bytes of `key` that cipher `name` works with (None: it takes none).

    Raises ValueError on an unknown name, and on a key that is not bytes or not of a right length.
    """
    sizes = _entry(name)[2]
    if sizes is None:
        return None
    least, most, step, wanted = (sizes, sizes, 1, sizes) if isinstance(sizes, int) else sizes
    if key is None:
        given = "none was given"
    elif not isinstance(key, (bytes, bytearray)):
        given = "not " + type(key).__name__
    else:
        n = len(key)
        if (least <= n <= most and (n - least) % step == 0) or (n == DERIVED_BYTES and n > most):
            return bytes(key[:most])
        given = "not %d" % n
    raise ValueError(
        "%s needs a key of %s bytes, %s: kcp.derive_key(passphrase) makes one"
        % (name, wanted, given)
    )


def new(name: str, key, fill):
    """Return a codec of cipher `name`; fill(view) writes random bytes over a memoryview.

    Raises ValueError as key_for().
    """
    key = key_for(name, key)
    if NATIVE and name != "null":
        from ._native import codec

        made = codec(name, key, fill)
        if made is not None:
            return made
    module = __import__(__name__ + "." + _entry(name)[1], None, None, ("",))
    return module.new(name, key, fill)
