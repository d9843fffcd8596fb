"""MicroPython's cryptolib and the stub of it for CPython do the same. Runs on both runtimes."""

from array import array
from binascii import unhexlify

from core_support import raises

try:
    from cryptolib import aes
except ImportError:  # CPython: ports/cpython
    from ucryptolib import aes

ECB, CBC = 1, 2

# SP 800-38A, appendix F
KEY_128 = unhexlify("2b7e151628aed2a6abf7158809cf4f3c")
KEY_256 = unhexlify("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
IV = bytes(range(16))
PLAIN = unhexlify(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
CASES = (
    (
        KEY_128,
        (ECB,),
        (
            "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
            "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"
        ),
    ),
    (
        KEY_256,
        (ECB,),
        (
            "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
            "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"
        ),
    ),
    (
        KEY_128,
        (CBC, IV),
        (
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
            "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
        ),
    ),
    (
        KEY_256,
        (CBC, IV),
        (
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
            "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
        ),
    ),
)


def test_published_vectors():
    for key, mode, text in CASES:
        secret = unhexlify(text)
        assert aes(key, *mode).encrypt(PLAIN) == secret
        assert aes(key, *mode).decrypt(secret) == PLAIN


def test_pieces_are_one_stream():
    for key, mode, text in CASES:
        one = aes(key, *mode)
        assert b"".join([one.encrypt(PLAIN[i : i + 16]) for i in range(0, 64, 16)]) == unhexlify(
            text
        )
        one = aes(key, *mode)
        secret = unhexlify(text)
        assert one.decrypt(b"") == b""
        assert one.decrypt(secret[:48]) + one.decrypt(secret[48:]) == PLAIN


def test_result_in_a_buffer():
    for key, mode, text in CASES:
        secret = unhexlify(text)
        out = bytearray(70)
        assert aes(key, *mode).encrypt(PLAIN, out) is out
        assert bytes(out) == secret + bytes(6)
        view = memoryview(out)[:64]
        assert aes(key, *mode).decrypt(view, view) is view  # in place
        assert bytes(out[:64]) == PLAIN
        words = array("H", bytes(64))
        aes(key, *mode).encrypt(memoryview(PLAIN), words)
        assert bytes(words) == secret
        aes(bytearray(key), *mode).decrypt(words, words)
        assert bytes(words) == PLAIN


def test_wrong_arguments():
    for key, more, word in (
        (bytes(24), (ECB,), "key"),
        (b"", (ECB,), "key"),
        (KEY_128, (0,), "mode"),
        (KEY_128, (3,), "mode"),
        (KEY_128, (CBC,), "IV"),
        (KEY_128, (CBC, None), "IV"),
        (KEY_128, (CBC, bytes(8)), "IV"),
        (KEY_128, (ECB, bytes(17)), "IV"),
    ):
        assert str(raises(ValueError, aes, key, *more)) == word
    assert aes(KEY_128, ECB, IV).encrypt(bytes(16)) == aes(KEY_128, ECB).encrypt(bytes(16))
    for words in (
        (),
        (KEY_128,),
        (KEY_128, ECB, IV, 1),
        (5, ECB),
        (KEY_128, "1"),
        (KEY_128, ECB, 5),
    ):
        raises(TypeError, aes, *words)


def test_wrong_data():
    one = aes(KEY_128, ECB)
    for method in (one.encrypt, one.decrypt):
        assert "blksize" in str(raises(ValueError, method, bytes(15)))
        assert "small" in str(raises(ValueError, method, bytes(32), bytearray(31)))
        raises(TypeError, method, 5)
        raises(TypeError, method, bytes(16), bytes(16))
        raises(TypeError, method, bytes(16), None)
    assert one.encrypt(bytes(16)) != bytes(16)
    assert "encrypt & decrypt" in str(raises(ValueError, one.decrypt, bytes(16)))
    one = aes(KEY_128, CBC, IV)
    one.decrypt(b"")
    assert "encrypt & decrypt" in str(raises(ValueError, one.encrypt, b""))
