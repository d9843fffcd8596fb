# upy: heapsize=2m twins=python
"""RFC 8439's vectors of ChaCha20 and Poly1305, in both plain twins. Both runtimes.

The twin for 31-bit small ints runs everywhere, the one for 63 bits on 32-bit machines too: slow
there, but right.
"""

from binascii import unhexlify

from crypt_support import filler, new, opened, sealed

import kcp.crypt._chacha_narrow as narrow
import kcp.crypt._chacha_wide as wide
from kcp.crypt._chacha_aead import ChachaPoly

TWINS = (wide, narrow)
SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)


def blocks(twin, key, nonce, counter, n):
    """n blocks of keystream."""
    one = twin.ChaCha20(key)
    one.start(nonce)
    out = bytearray(64 * n)
    for i in range(n):
        one.block(counter + i, out, 64 * i)
    return bytes(out)


def xor(one, other):
    return bytes([x ^ y for x, y in zip(one, other)])


def padded(data):
    return data + bytes(-len(data) % 16)


def poly_tag(twin, key, *parts):
    """The tag of the parts; the last one may end within a block, as in section 2.5.1."""
    one = twin.Poly1305()
    tag = bytearray(16)
    for _ in range(2):  # an object is used again and again
        one.start(key)
        for part in parts:
            whole = len(part) // 16 * 16
            one.update(part, 0, whole, 1)
            if whole < len(part):
                one.update(padded(part[whole:] + b"\1"), 0, 16, 0)
        one.finish(tag)
    return bytes(tag)


def test_blocks():
    """Section 2.3.2, then appendix A.1."""
    for key, nonce, counter, text in (
        (
            bytes(range(32)),
            "000000090000004a00000000",
            1,
            (
                "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
                "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
            ),
        ),
        (
            bytes(32),
            "000000000000000000000000",
            0,
            (
                "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
                "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
            ),
        ),
        (
            bytes(31) + b"\1",
            "000000000000000000000000",
            1,
            (
                "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
                "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"
            ),
        ),
        (
            b"\0\xff" + bytes(30),
            "000000000000000000000000",
            2,
            (
                "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
                "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"
            ),
        ),
        (
            bytes(32),
            "000000000000000000000002",
            0,
            (
                "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
                "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d"
            ),
        ),
    ):
        for twin in TWINS:
            expected = unhexlify(text)
            assert blocks(twin, key, unhexlify(nonce), counter, len(expected) // 64) == expected


def test_counters_of_more_than_16_bits():
    """(Not in the RFC, nor ever used: a datagram has 24 blocks.)"""
    for counter in (0xFFFF, 0x12345678):
        assert len({blocks(twin, bytes(32), bytes(12), counter, 2) for twin in TWINS}) == 1


def test_poly1305():
    """Section 2.5.2, then vectors 7 to 11 of appendix A.3, which make carries run."""
    for r, s, text, tag in (
        (
            "85d6be7857556d337f4452fe42d506a8",
            "0103808afb0db2fd4abff6af4149f51b",
            b"Cryptographic Forum Research Group",
            "a8061dc1305136c6c22b8baf0c0127a9",
        ),
        ("02" + "00" * 15, "00" * 16, b"\xff" * 16, "03" + "00" * 15),
        ("02" + "00" * 15, "ff" * 16, b"\2" + bytes(15), "03" + "00" * 15),
        (
            "01" + "00" * 15,
            "00" * 16,
            b"\xff" * 16 + b"\xf0" + b"\xff" * 15 + b"\x11" + bytes(15),
            "05" + "00" * 15,
        ),
        (
            "01" + "00" * 15,
            "00" * 16,
            b"\xff" * 16 + b"\xfb" + b"\xfe" * 15 + b"\1" * 16,
            "00" * 16,
        ),
        ("02" + "00" * 15, "00" * 16, b"\xfd" + b"\xff" * 15, "fa" + "ff" * 15),
        (
            "0100000000000000" + "0400000000000000",
            "00" * 16,
            unhexlify(
                "e33594d7505e43b90000000000000000"
                "3394d7505e4379cd0100000000000000"
                "00000000000000000000000000000000"
                "01000000000000000000000000000000"
            ),
            "14000000000000005500000000000000",
        ),
        (
            "0100000000000000" + "0400000000000000",
            "00" * 16,
            unhexlify(
                "e33594d7505e43b90000000000000000"
                "3394d7505e4379cd0100000000000000"
                "00000000000000000000000000000000"
            ),
            "13" + "00" * 15,
        ),
    ):
        for twin in TWINS:
            assert poly_tag(twin, unhexlify(r + s), text) == unhexlify(tag), (r, twin)


def test_the_key_of_poly1305():
    """Section 2.6.2."""
    for twin in TWINS:
        key = blocks(twin, bytes(range(0x80, 0xA0)), unhexlify("000000000001020304050607"), 0, 1)
        assert key[:32] == unhexlify(
            "8ad5a08b905f81cc815040274ab29471a833b637e3fd0da508dbb8e2fdd1a646"
        )


def test_the_construction():
    """Section 2.8.2, whose associated data kcp-go does not use: so from its parts."""
    key = bytes(range(0x80, 0xA0))
    nonce = unhexlify("070000004041424344454647")
    data = unhexlify("50515253c0c1c2c3c4c5c6c7")
    expected = unhexlify(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
        "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b6116"
    )
    for twin in TWINS:
        stream = blocks(twin, key, nonce, 0, 3)
        secret = xor(SUNSCREEN, stream[64:])
        assert secret == expected
        lengths = bytes([12]) + bytes(7) + bytes([114]) + bytes(7)
        tag = poly_tag(twin, stream[:32], padded(data), padded(secret), lengths)
        assert tag == unhexlify("1ae10b594f09e26a7e902ecbd0600691")
        # The codec encrypts the same; its tag is that without associated data.
        codec = ChachaPoly(twin.ChaCha20(key), twin.Poly1305(), filler(nonce))
        wire = sealed(codec, SUNSCREEN)
        assert wire[:-16] == nonce + expected
        lengths = bytes(8) + bytes([114]) + bytes(7)
        assert wire[-16:] == poly_tag(twin, stream[:32], padded(secret), lengths)
        assert wire == sealed(new("chacha20-poly1305", key, nonce), SUNSCREEN)
        assert opened(codec, wire) == SUNSCREEN


def test_every_length_around_a_block():
    for twin in TWINS:
        codec = ChachaPoly(twin.ChaCha20(bytes(32)), twin.Poly1305(), filler(bytes(range(16))))
        other = new("chacha20-poly1305", bytes(32))
        for n in (0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257):
            payload = bytes([i & 0xFF for i in range(n)])
            assert opened(other, sealed(codec, payload)) == payload
            assert opened(codec, sealed(other, payload)) == payload
