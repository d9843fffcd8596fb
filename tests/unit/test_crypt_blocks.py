# upy: heapsize=2m twins=python
"""Block ciphers in plain Python: published vectors of each, and kcptun's. Both runtimes."""

from binascii import unhexlify

from crypt_support import new

from kcp.crypt._cfb_words import block
from kcp.crypt.blowfish import Blowfish
from kcp.crypt.cast5 import Cast5
from kcp.crypt.sm4 import Sm4
from kcp.crypt.tea import Tea
from kcp.crypt.tripledes import TripleDes
from kcp.crypt.twofish import Twofish
from kcp.crypt.xtea import Xtea


def check(kind, vectors, **options):
    """Encrypt (key, plain, secret) in hex."""
    for key, plain, secret in vectors:
        cipher = kind(unhexlify(key), **options)
        assert block(cipher, unhexlify(plain)) == unhexlify(secret), (kind, key, plain)


def test_sm4():
    """GB/T 32907-2016, appendix A.1."""
    text = "0123456789abcdeffedcba9876543210"
    check(Sm4, ((text, text, "681edf34d206965e86b3e94f536e4246"),))


def test_twofish():
    """Its paper's known answers: the first of each length of key, and a few of table and text."""
    zeros = "00" * 16
    long = "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff"
    one, two = "9f589f5cf6122c32b6bfec2f2ae8c35a", "d491db16e7b1c39e86cb086b789f5419"
    check(
        Twofish,
        (
            (zeros, zeros, one),
            (zeros, one, two),
            (one, two, "019f9809de1711858faac3a3ba20fbc3"),
            (long[:48], zeros, "cfd1d2e5a9be9cdf501f13b892bd2248"),
            (long, zeros, "37527be0052334b89f0cfccae87cfa20"),
        ),
    )


def test_triple_des():
    """SP 800-67 (2004), appendix B.1; FIPS 81, table B1: three equal keys make one DES."""
    key = "0123456789abcdef23456789abcdef01456789abcdef0123"
    check(
        TripleDes,
        (
            (key, "5468652071756663", "a826fd8ce53b855f"),
            (key, "6b2062726f776e20", "cce21c8112256fe6"),
            (key, "666f78206a756d70", "68d5c05dd9b6b900"),
            (key[:16] * 3, "4e6f772069732074", "3fa40e8a984d4815"),
            (key[:16] * 3, "68652074696d6520", "6a271787ab8883f9"),
        ),
    )


def test_blowfish():
    """Schneier's vectors; those of variable keys: the shortest and the longest, and on the way."""
    check(
        Blowfish,
        (
            ("00" * 8, "00" * 8, "4ef997456198dd78"),
            ("ff" * 8, "ff" * 8, "51866fd5b85ecb8a"),
            ("0123456789abcdef", "1111111111111111", "61f9c3802281b096"),
            ("1111111111111111", "0123456789abcdef", "7d0cc630afda1ec7"),
        ),
    )
    key = "f0e1d2c3b4a5968778695a4b3c2d1e0f0011223344556677"
    plain = "fedcba9876543210"
    check(
        Blowfish,
        (
            (key[:2], plain, "f9ad597c49db005e"),
            (key[:4], plain, "e91d21c1d961a6d6"),
            (key[:16], plain, "e87a244e2cc85e82"),
            (key, plain, "05044b62fa52d080"),
        ),
    )


def test_cast5():
    """RFC 2144, appendix B.1."""
    check(Cast5, (("0123456712345678234567893456789a", "0123456789abcdef", "238b4fe5847e44b2"),))


def test_tea():
    """The usual ones of 32 cycles, and those of the library that kcp-go uses for 8."""
    check(
        Tea,
        (
            ("00" * 16, "00" * 8, "41ea3a0a94baa940"),
            ("ff" * 16, "ff" * 8, "319bbefb016abdb2"),
        ),
        cycles=32,
    )
    check(Tea, (("00" * 16, "00" * 8, "ed285da1455b33c1"),))


def test_xtea():
    """The usual ones, of several libraries."""
    key = "000102030405060708090a0b0c0d0e0f"
    check(
        Xtea,
        (
            (key, "4142434445464748", "497df3d072612cb5"),
            (key, "4141414141414141", "e78f2d13744341d8"),
            (key, "5a5b6e278948d77f", "4141414141414141"),
            ("00" * 16, "4142434445464748", "a0390589f8b8efa5"),
            ("00" * 16, "0000000000000000", "dee9d4d8f7131ed9"),
            ("0123456712345678234567893456789a", "0102030405060708", "8c67155b2ef91ead"),
        ),
    )


PASS = unhexlify("25d7d7bd51050742d8d791f2b653c6c8b2366b7e25a124cf7a2e12eaf4ffa444")
TEXT = bytes(range(20)) + b"The quick brown fox jumps over the lazy dog"


def test_what_kcptun_makes_of_its_default_passphrase():
    """63 bytes, run through each cipher as kcptun makes it of its default passphrase."""
    for name, secret in (
        (
            "aes",
            (
                "86834343335b168ca911bf584a05f9900e1c6fda6cff59af77da7a71362169"
                "042f4235a6a92b893fdc04af2206150fd80543f4c5a0baa45c6491a7f7d9ca55"
            ),
        ),
        (
            "blowfish",
            (
                "186797305116055ece6531b898c4b2352cc7452341b5307dea2aa20a29f618"
                "b1e93a61ea347821cc34772d7420fe318afde206fbeaa2877ea788910d1c1623"
            ),
        ),
        (
            "twofish",
            (
                "79a0668add94e7387471af7514bb1065027a442595c011ec42ca36b0c0c963"
                "85109999763831cc098b991b61169cab2dd42b5e2e0129420f7eea26c04e22db"
            ),
        ),
        (
            "cast5",
            (
                "bb8f8d2209e0131c7d027b3e28d6b45788b9c7989c2656cb1e8a2a395a3284"
                "f2dafb5cda7397559300384fd1364f97b1f6e078a5144964436b9ebec66f3c4d"
            ),
        ),
        (
            "3des",
            (
                "5dca5d4fac8f6accf083365ae9eb528a24c6879f96a79d2519c626d792eb86"
                "d65e499f06c748886b7d9aff47b2ecf6248c40a447ead38cb5696f84afef2dc7"
            ),
        ),
        (
            "tea",
            (
                "fc9c4eb4a8e9502bde3d3c8b0679084d963bc6bf8a1de82c6ac2cac580729e"
                "ef9887ac304ca5bb0b6222227d60a6865c573858c523ff9648ba2d65793b584b"
            ),
        ),
        (
            "xtea",
            (
                "09256989438dfb5af0f2a323dfd1ac2c9af741ccd4b2f0c915d494dc84c4cc"
                "cac2761735fe7db6e62f9ce09747d95041520e0648b3b50aa488a036396f9abb"
            ),
        ),
        (
            "sm4",
            (
                "0340e44fd923bb2259e375a7ab6ee54de9bca063ec552a83d6bc29f20de7f0"
                "936ebab1941d067c8064993695b0cbd10300c3976e0721db05eaac6a5a39e9af"
            ),
        ),
    ):
        codec = new(name, PASS)
        buf = bytearray(TEXT) + bytearray(1)
        codec.encrypt(buf, len(TEXT))
        assert bytes(buf[: len(TEXT)]) == unhexlify(secret), name
        new(name, PASS).decrypt(buf, len(TEXT))
        assert bytes(buf[16 : len(TEXT)]) == TEXT[16:], name
