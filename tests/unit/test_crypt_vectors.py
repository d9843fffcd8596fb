# upy: twins=python
"""Published vectors of the primitives, in the codecs and in their plain twins. Both runtimes."""

from binascii import crc32, unhexlify

from crypt_support import KEY, filler, new, opened, sealed

import kcp._crc32 as _crc32
import kcp.kdf as kdf
from kcp._sha1 import sha1
from kcp.crypt._aes_pure import Aes
from kcp.crypt._gcm_pure import Gcm, Ghash
from kcp.crypt._salsa20_upy import Salsa20


def test_aes_blocks():
    """FIPS 197, appendix C."""
    for n, secret in (
        (16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        (32, "8ea2b7ca516745bfeafc49904b496089"),
    ):
        block = bytearray(unhexlify("00112233445566778899aabbccddeeff"))
        Aes(KEY[:n]).block(block)
        assert bytes(block) == unhexlify(secret)


def test_aes_cfb():
    """SP 800-38A, F.3.13 to F.3.18; the first block is the nonce's, which a codec may garble."""
    plain = (
        "ae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef"
        "f69f2445df4f9b17ad2b417be66c3710"
    )
    for name, key, secret in (
        (
            "aes-128",
            "2b7e151628aed2a6abf7158809cf4f3c",
            (
                "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
                "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"
            ),
        ),
        (
            "aes-192",
            "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            (
                "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a"
                "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff"
            ),
        ),
        (
            "aes-256",
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            (
                "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b"
                "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471"
            ),
        ),
    ):
        secret = bytearray(unhexlify(secret)) + bytearray(16)
        new(name, unhexlify(key)).decrypt(secret, 64)
        assert bytes(secret[16:64]) == unhexlify(plain), name


def test_aes_gcm():
    """McGrew and Viega, "The Galois/Counter Mode", appendix B: cases without associated data."""
    longest = (
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
    )
    keys = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    for size, key, nonce, plain, secret, tag in (
        (16, "00" * 32, "00" * 12, "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
        (
            16,
            "00" * 32,
            "00" * 12,
            "00" * 16,
            "0388dace60b6a392f328c2b971b2fe78",
            "ab6e47d42cec13bdf53a67b21257bddf",
        ),
        (
            16,
            keys,
            "cafebabefacedbaddecaf888",
            longest,
            (
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
            ),
            "4d5c2af327cd64a62cf35abd2ba6fab4",
        ),
        (
            24,
            keys,
            "cafebabefacedbaddecaf888",
            longest,
            (
                "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
                "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256"
            ),
            "9924a7c8587336bfb118024db8674a14",
        ),
        (
            32,
            keys,
            "cafebabefacedbaddecaf888",
            longest,
            (
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
            ),
            "b094dac5d93471bdec1a502270e3cc6c",
        ),
    ):
        key, nonce = unhexlify(key)[:size], unhexlify(nonce)
        wire = nonce + unhexlify(secret) + unhexlify(tag)
        for codec in (
            new("aes-%d-gcm" % (8 * size), key, nonce),
            Gcm(Aes(key).encrypt, filler(nonce)),
        ):
            assert sealed(codec, unhexlify(plain)) == wire, size
            assert opened(codec, wire) == unhexlify(plain)


def test_ghash():
    """Test case 2 of the same paper."""
    tag = bytearray(16)
    one = Ghash(unhexlify("66e94bd4ef8a2c3b884cfa59ca342b2e"))
    one.tag(b"?" + unhexlify("0388dace60b6a392f328c2b971b2fe78"), 1, 17, tag)
    assert bytes(tag) == unhexlify("f38cbb1ad69223dcc3457ae5b6b0f885")


def test_salsa20():
    """ECRYPT's vectors, 256-bit keys: set 1 vector 0, set 2 vector 0 (blocks 0, 3, 4, 7)."""
    for key, blocks in (
        (
            b"\x80" + bytes(31),
            (
                (
                    "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844"
                    "b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117"
                ),
                (
                    "57be81f47b17d9ae7c4ff15429a73e10acf250ed3a90a93c711308a74c6216a9"
                    "ed84cd126da7f28e8abf8bb63517e1ca98e712f4fb2e1a6aed9fdc73291faa17"
                ),
                (
                    "958211c4ba2ebd5838c635edb81f513a91a294e194f1c039aeec657dce40aa7e"
                    "7c0af57cacefa40c9f14b71a4b3456a63e162ec7d8d10b8ffb1810d71001b618"
                ),
                (
                    "696afcfd0cddcc83c7e77f11a649d79acdc3354e9635ff137e929933a0bd6f53"
                    "77efa105a3a4266b7c0d089d08f1e855cc32b15b93784a36e56a76cc64bc8477"
                ),
            ),
        ),
        (
            bytes(32),
            (
                (
                    "9a97f65b9b4c721b960a672145fca8d4e32e67f9111ea979ce9c4826806aeee6"
                    "3de9c0da2bd7f91ebcb2639bf989c6251b29bf38d39a9bdce7c55f4b2ac12a39"
                ),
                (
                    "2f3c3e10649160b44321b7f830d7d222699fae0e834c76c3997985b5404808ab"
                    "7e6e99aa1fec2730749213e7f37a291aa6b5afd2e524c2d608f34d4959930436"
                ),
                (
                    "8598d1fa94516b474b69da83e3c1312c49a05b8283b880b31872cd1ea7d8f1b2"
                    "d60a86cba8184f949ea7ae8502a582db392e85c4d70d3d17b2e57d817a98ed6e"
                ),
                (
                    "f86c7489712fb77896706fc892d9a1c84bb53d081f6eb4ae1c68b1190cbb0b41"
                    "484e9e2b6fea0a31bf124415921e5cf37c26493a5bc08f7620a8c80503c4c76f"
                ),
            ),
        ),
    ):
        for codec in (new("salsa20", key), Salsa20(key, None)):
            stream = bytearray(8 + 512)  # what is encrypted is zeros, under a nonce of zeros
            codec.encrypt(stream, len(stream))
            stream = bytes(stream[8:])
            for i, block in zip((0, 3, 4, 7), blocks):
                assert stream[64 * i : 64 * i + 64] == unhexlify(block), (key, i)


def test_sha1():
    """FIPS 180, its examples, and the lengths around a block."""
    for data, text in (
        (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        ),
    ):
        assert sha1(data).digest() == unhexlify(text)
    total = 0
    for n in (55, 56, 63, 64, 65, 119, 120):
        total ^= int.from_bytes(sha1(bytes([n]) * n).digest()[:4], "big")
    assert total == 0x1A86F6AC


def test_pbkdf2():
    """RFC 6070 as far as it is short, then two by CPython's hashlib; in plain Python too."""
    for password, salt, n_rounds, text in (
        (b"password", b"salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
        (b"password", b"salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
        (
            b"passwordPASSWORDpassword",
            b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
            30,
            "6f0581d9486efc07b83c67710ed7f1680bfdff74f929bc5935",
        ),
        (b"k" * 65, b"salt", 2, "54eac9096e3c0a5df57fb9f81c3832c73015a3d984f3f3e8"),
    ):
        key = unhexlify(text)
        assert kdf.pbkdf2_sha1(password, salt, n_rounds, len(key)) == key
        assert kdf.pbkdf2_by(sha1, password, salt, n_rounds, len(key)) == key


def test_pbkdf2_of_4096_rounds():
    """RFC 6070: with the platform's SHA-1."""
    for password, salt, text in (
        (b"password", b"salt", "4b007901b765489abead49d926f721d065a429c1"),
        (b"pass\0word", b"sa\0lt", "56fa6aa75548099dcc37d7f03425e0c3"),
        (
            b"passwordPASSWORDpassword",
            b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
            "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
        ),
    ):
        assert kdf.pbkdf2_sha1(password, salt, 4096, len(text) // 2) == unhexlify(text)


def test_crc32():
    assert _crc32.crc32(b"123456789") == 0xCBF43926
    assert _crc32.crc32(b"") == 0
    data = bytes([i * 37 & 0xFF for i in range(700)])
    for n in (1, 2, 255, 700):
        assert _crc32.crc32(data[:n]) == crc32(data[:n])
        assert _crc32.crc32(data[n:], crc32(data[:n])) == crc32(data)
    assert _crc32.crc32(bytearray(data), 0xFFFFFFFF) == crc32(data, 0xFFFFFFFF)
